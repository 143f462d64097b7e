# SPDX-License-Identifier: Apache-2.0
"""Operations: data, parts and buffers of every size, and calls in every order."""

from collections.abc import Sequence

from board.differential.mechanisms import GOOD, SHARED, good_key
from board.differential.script import Script, mechanism
from board.differential.zoo import HANDLES
from softee.names import CKM

SIZES = (0, 1, 15, 16, 17, 32, 33)
BUFFERS = ("- 0", "- 7", "o:0 0", "o:1 1", "o:15 15", "o:16 16", "o:32 32", "o:400 400")
"""Outputs and what their lengths say before the call."""

CIPHERS = (CKM.AES_ECB, CKM.AES_CBC, CKM.AES_CTS, CKM.AES_CTR, CKM.AES_GCM)
_SIGNERS = (
    CKM.MD5_HMAC,
    CKM.SHA256_HMAC,
    CKM.SHA512_HMAC,
    CKM.SHA256_HMAC_GENERAL,
    CKM.AES_CMAC,
    CKM.AES_CMAC_GENERAL,
    CKM.ECDSA,
    CKM.ECDSA_SHA256,
    CKM.RSA_PKCS,
    CKM.SHA256_RSA_PKCS,
    CKM.RSA_PKCS_PSS,
    CKM.SHA256_RSA_PKCS_PSS,
    CKM.RSA_X_509,
    CKM.EDDSA,
)
"""Of each kind; a board takes its time for RSA."""

SIGNERS = tuple(one for one in _SIGNERS if one in SHARED)

BY_CHANCE = ("ECDSA", "EDDSA", "PSS")
PARTS = ((), (0,), (16,), (1,), (16, 16), (1, 15), (17, 15), (32, 1), (16, 0, 16))

FATAL = {
    CKM.AES_CTS: (16,),
    CKM.RSA_PKCS: (0,),
    CKM.RSA_PKCS_PSS: (0, 100),
    CKM.EDDSA: (0,),
}
"""Sizes of data by which OP-TEE's application dies: tried once each, since it takes its time to come back."""


def _buffers(one: CKM, size: int, buffers: Sequence[str]) -> Sequence[str]:
    return buffers[-1:] if size in FATAL.get(one, ()) else buffers


def data(size: int) -> str:
    """An input and its length."""
    return f"x:{bytes(range(size)).hex()} {size}"


def _into(script: Script, label: str, call: str, buffer: str, *, chance: bool = False) -> None:
    """Call with an output and a length."""
    out, length = buffer.split()
    script.put("n", length)
    script.call(f"{label}/{buffer}", f"{call} {out} &n", chance=chance)


def _begin(script: Script, function: str, one: CKM, key: str) -> None:
    script.begin()
    script.call(f"CKM_{one.name}/begin", f"{function} $s {mechanism(one, GOOD.get(one, ''))} {HANDLES[key]}")


def ciphers_at_once(script: Script) -> None:
    """C_Encrypt and C_Decrypt of all sizes into all buffers."""
    script.case("at once")
    for one in CIPHERS:
        for verb in ("Encrypt", "Decrypt"):
            for size in SIZES:
                for buffer in _buffers(one, size, BUFFERS):
                    _begin(script, f"C_{verb}Init", one, "aes")
                    label, line = f"CKM_{one.name}/{size} bytes", f"C_{verb} $s {data(size)}"
                    _into(script, label, line, buffer)
                    _into(script, f"{label}, {buffer}, again", line, "o:400 400")


def rsa_at_once(script: Script) -> None:
    """C_Encrypt and C_Decrypt with RSA: without a padding, and with what wraps keys, as OP-TEE has them."""
    script.case("at once")
    sizes = {CKM.RSA_X_509: (0, 1, 127, 128, 129), CKM.RSA_AES_KEY_WRAP: (0, 1, 8, 33, 128, 144)}
    for one, tried in sizes.items():
        for verb, key in (("Encrypt", "rsa-public"), ("Decrypt", "rsa-private")):
            for size in tried:
                for buffer in ("- 0", "o:400 400"):
                    _begin(script, f"C_{verb}Init", one, key)
                    _into(script, f"CKM_{one.name}/{size} bytes", f"C_{verb} $s {data(size)}", buffer, chance=True)


def ciphers_in_parts(script: Script) -> None:
    """C_*Update of all sizes into all buffers, and C_*Final."""
    script.case("in parts")
    for one in CIPHERS:
        for verb in ("Encrypt", "Decrypt"):
            for parts in PARTS:
                for buffer in _buffers(one, sum(parts), BUFFERS):
                    _in_parts(script, one, verb, parts, buffer)


def _in_parts(script: Script, one: CKM, verb: str, parts: Sequence[int], buffer: str) -> None:
    _begin(script, f"C_{verb}Init", one, "aes")
    label = f"CKM_{one.name}/{parts}"
    for number, size in enumerate(parts):
        _into(script, f"{label}/part {number}", f"C_{verb}Update $s {data(size)}", buffer)
    _into(script, f"{label}/end", f"C_{verb}Final $s", buffer)
    _into(script, f"{label}/{buffer}/end again", f"C_{verb}Final $s", "o:400 400")


def signatures(script: Script) -> None:
    """C_Sign and C_SignFinal of all sizes into all buffers."""
    script.case("signatures")
    for one in SIGNERS:
        key = (good_key(one) or ("", "", ""))[1]
        chance = any(word in one.name for word in BY_CHANCE)
        for size in (0, 32, 100):
            for buffer in _buffers(one, size, ("- 0", "o:0 0", "o:7 7", "o:400 400")):
                _begin(script, "C_SignInit", one, key)
                label = f"CKM_{one.name}/{size} bytes"
                _into(script, label, f"C_Sign $s {data(size)}", buffer, chance=chance)
                _into(script, f"{label}, {buffer}, again", f"C_Sign $s {data(size)}", "o:400 400", chance=chance)
        for parts in ((), (0,), (1, 31)):
            for buffer in _buffers(one, sum(parts), ("- 0", "o:0 0", "o:400 400")):
                _begin(script, "C_SignInit", one, key)
                for size in parts:
                    script.call(f"CKM_{one.name}/{parts}/{size}/{buffer}", f"C_SignUpdate $s {data(size)}")
                _into(script, f"CKM_{one.name}/{parts}/end", "C_SignFinal $s", buffer, chance=chance)


def verifications(script: Script) -> None:
    """C_Verify and C_VerifyFinal with signatures of all sizes that are wrong."""
    script.case("verifications")
    public = {"rsa-private": "rsa-public", "ec-private": "ec-public", "edwards-private": "edwards-public"}
    for one in SIGNERS:
        key = (good_key(one) or ("", "", ""))[1]
        for size in (0, 1, 7, 8, 9, 16, 31, 32, 33, 63, 64, 65, 127, 128, 129):
            _begin(script, "C_VerifyInit", one, public.get(key, key))
            script.call(f"CKM_{one.name}/{size} bytes", f"C_Verify $s {data(32)} {data(size)}")
            script.call(f"CKM_{one.name}/{size} bytes, again", f"C_Verify $s {data(32)} {data(size)}")
            _begin(script, "C_VerifyInit", one, public.get(key, key))
            script.call(f"CKM_{one.name}/{size} bytes", f"C_VerifyUpdate $s {data(32)}")
            script.call(f"CKM_{one.name}/{size} bytes", f"C_VerifyFinal $s {data(size)}")


def digests(script: Script) -> None:
    """C_Digest and C_DigestFinal into all buffers."""
    script.case("digests")
    for one in (CKM.MD5, CKM.SHA_1, CKM.SHA224, CKM.SHA256, CKM.SHA384, CKM.SHA512):
        for buffer in (*BUFFERS, "o:20 20"):
            for size in (0, 1, 100):
                script.begin()
                script.call(f"CKM_{one.name}/begin", f"C_DigestInit $s {mechanism(one)}")
                _into(script, f"CKM_{one.name}/{size} bytes", f"C_Digest $s {data(size)}", buffer)
                _into(script, f"CKM_{one.name}/{size} bytes, {buffer}, again", f"C_Digest $s {data(size)}", "o:400 400")
            script.begin()
            script.call(f"CKM_{one.name}/begin", f"C_DigestInit $s {mechanism(one)}")
            script.call(f"CKM_{one.name}/{buffer}", f"C_DigestUpdate $s {data(3)}")
            script.call(f"CKM_{one.name}/{buffer}/nothing", "C_DigestUpdate $s - 0")
            _into(script, f"CKM_{one.name}", "C_DigestFinal $s", buffer)
            _into(script, f"CKM_{one.name}/{buffer}/again", "C_DigestFinal $s", "o:400 400")


STEPS = {
    "Encrypt": ("C_Encrypt $s {} o:64 &n", "C_EncryptUpdate $s {} o:64 &n", "C_EncryptFinal $s o:64 &n"),
    "Decrypt": ("C_Decrypt $s {} o:64 &n", "C_DecryptUpdate $s {} o:64 &n", "C_DecryptFinal $s o:64 &n"),
    "Sign": ("C_Sign $s {} o:64 &n", "C_SignUpdate $s {}", "C_SignFinal $s o:64 &n"),
    "Verify": ("C_Verify $s {} x:00 1", "C_VerifyUpdate $s {}", "C_VerifyFinal $s x:00 1"),
    "Digest": ("C_Digest $s {} o:64 &n", "C_DigestUpdate $s {}", "C_DigestFinal $s o:64 &n"),
}
BEGIN = {
    "Encrypt": f"C_EncryptInit $s {mechanism(CKM.AES_ECB)} {HANDLES['aes']}",
    "Decrypt": f"C_DecryptInit $s {mechanism(CKM.AES_ECB)} {HANDLES['aes']}",
    "Sign": f"C_SignInit $s {mechanism(CKM.SHA256_HMAC)} {HANDLES['hmac-sha256']}",
    "Verify": f"C_VerifyInit $s {mechanism(CKM.SHA256_HMAC)} {HANDLES['hmac-sha256']}",
    "Digest": f"C_DigestInit $s {mechanism(CKM.SHA256)}",
}


def orders(script: Script) -> None:
    """Every step after every beginning and every first step, and what is left then."""
    script.case("orders")
    for begun, beginning in BEGIN.items():
        for first in ("", *STEPS[begun]):
            for verb, steps in STEPS.items():
                for step in (*steps, BEGIN[verb]):
                    label = f"{begun}, {_short(first)}, {_short(step)}"
                    _in_order(script, [beginning, first, step, BEGIN["Digest"]], label)


def _short(step: str) -> str:
    return step.split(" ", 1)[0] if step else "nothing"


def _in_order(script: Script, calls: Sequence[str], label: str) -> None:
    script.begin()
    for number, call in enumerate(calls):
        if call:
            script.put("n", "64")
            script.call(f"{label}, {number}", call.format(data(16)))


NULLS = (
    "C_Encrypt $s - 16 o:64 &n",
    "C_Encrypt $s - 0 o:64 &n",
    "C_Encrypt $s x:00 16 o:64 -",
    "C_EncryptUpdate $s - 16 o:64 &n",
    "C_EncryptUpdate $s - 0 o:64 &n",
    "C_EncryptUpdate $s - 0 - -",
    "C_EncryptFinal $s o:64 -",
    "C_EncryptFinal $s - -",
    "C_Digest $s - 16 o:64 &n",
    "C_Digest $s - 0 o:64 &n",
    "C_Digest $s x:00 1 o:64 -",
    "C_DigestUpdate $s - 16",
    "C_DigestFinal $s o:64 -",
    "C_Sign $s - 16 o:64 &n",
    "C_Sign $s - 0 o:64 &n",
    "C_Sign $s x:00 1 o:64 -",
    "C_SignUpdate $s - 16",
    "C_SignUpdate $s - 0",
    "C_SignFinal $s o:64 -",
    "C_Verify $s - 16 x:00 1",
    "C_Verify $s x:00 1 - 32",
    "C_Verify $s x:00 1 - 0",
    "C_VerifyUpdate $s - 0",
    "C_VerifyFinal $s - 32",
    "C_VerifyFinal $s - 0",
)


def nulls(script: Script) -> None:
    """NULL where something is needed, while an operation is active and after it."""
    script.case("nulls")
    for call in NULLS:
        verb = next(verb for verb in BEGIN if call.startswith(f"C_{verb}"))
        for beginning in (BEGIN[verb], ""):
            _in_order(script, [beginning, call, BEGIN[verb]], f"{'active' if beginning else 'idle'}, {call}")


ALL = (ciphers_at_once, rsa_at_once, ciphers_in_parts, signatures, verifications, digests, orders, nulls)
"""What is tried."""
