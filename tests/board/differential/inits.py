# SPDX-License-Identifier: Apache-2.0
"""Every function that begins something, with every mechanism, every kind of key and parameters of every size."""

from collections.abc import Iterator, Mapping

from board.differential.mechanisms import GOOD, IV, OTHERS, SHARED, gcm, good_key, label
from board.differential.script import Script, mechanism, template
from board.differential.zoo import HANDLES, KEYS, text
from softee.names import CKA, CKG, CKK, CKM, CKO

BAD = {
    "none": "",
    "16 zero bytes": "l16",
    "NULL with a length": "n16",
    "a byte": "b00",
    "15 bytes": f"b{'00' * 15}",
    "17 bytes": f"b{'00' * 17}",
    "24 bytes": f"b{'00' * 24}",
    "40 bytes of numbers": "u0,u0,u0,u0,u0",
}
"""Parameters that suit few."""

KEY_FUNCTIONS = ("C_EncryptInit", "C_DecryptInit", "C_SignInit", "C_VerifyInit")


def _handles() -> Iterator[tuple[str, str]]:
    yield from HANDLES.items()
    yield "no key", "4242"


def every_mechanism_with_every_key(script: Script) -> None:
    """C_*Init with all mechanisms and kinds of keys, and a good parameter."""
    for function in KEY_FUNCTIONS:
        script.case("keys")
        for one in (*SHARED, *OTHERS):
            for name, handle in _handles():
                parameter = GOOD.get(one, "") if isinstance(one, CKM) else ""
                line = f"{function} $s {mechanism(one, parameter)} {handle}"
                script.call(f"{label(one)}/{name}", line, fresh=True)


def every_mechanism_with_bad_parameters(script: Script) -> None:
    """C_*Init and C_DigestInit with parameters that the mechanism does not take."""
    script.case("parameters")
    for one in SHARED:
        chosen = good_key(one)
        for name, parameter in BAD.items():
            given = mechanism(one, parameter)
            if chosen is not None:
                script.call(f"{label(one)}/{name}", f"{chosen[0]} $s {given} {HANDLES[chosen[1]]}", fresh=True)
            elif "KEY" not in one.name:
                script.call(f"{label(one)}/{name}", f"C_DigestInit $s {given}", fresh=True)
    for number in OTHERS:
        line = f"C_SignInit $s {mechanism(number, 'b0000000000000000')} {HANDLES['aes']}"
        script.call(f"{label(number)}/8 bytes", line, fresh=True)


VALUES: Mapping[CKM, tuple[str, ...]] = {
    CKM.AES_CTR: tuple(f"u{bits},{IV}" for bits in (0, 1, 2, 16, 127, 128, 129, 0x100000001)),
    CKM.RSA_PKCS_PSS: (
        f"u{CKM.SHA_1},u{CKG.MGF1_SHA1},u0",
        f"u{CKM.SHA256},u{CKG.MGF1_SHA1},u20",
        f"u{CKM.SHA256},u{CKG.MGF1_SHA256},u94",
        f"u{CKM.SHA256},u{CKG.MGF1_SHA256},u95",
        f"u{CKM.SHA512},u{CKG.MGF1_SHA512},u64",
        f"u{CKM.MD5},u{CKG.MGF1_SHA1},u16",
        f"u0,u{CKG.MGF1_SHA1},u20",
        f"u{CKM.SHA256},u0,u20",
    ),
    CKM.SHA256_RSA_PKCS_PSS: (
        f"u{CKM.SHA_1},u{CKG.MGF1_SHA1},u20",
        f"u{CKM.SHA256},u{CKG.MGF1_SHA1},u20",
        f"u{CKM.SHA256},u{CKG.MGF1_SHA256},u0",
        f"u{CKM.SHA256},u{CKG.MGF1_SHA256},u95",
    ),
    CKM.RSA_PKCS_OAEP: (
        f"u{CKM.SHA_1},u{CKG.MGF1_SHA1},u0,u0,u0",
        f"u{CKM.SHA_1},u{CKG.MGF1_SHA1},u1,u0,u0",
        f"u{CKM.SHA256},u{CKG.MGF1_SHA256},u1,u0,u0",
        f"u{CKM.SHA256},u{CKG.MGF1_SHA1},u1,u0,u0",
        f"u{CKM.SHA512},u{CKG.MGF1_SHA512},u1,u0,u0",
        f"u{CKM.SHA_1},u{CKG.MGF1_SHA1},u2,p01,u1",
        f"u{CKM.SHA_1},u{CKG.MGF1_SHA1},u0,p01,u1",
        f"u{CKM.MD5},u{CKG.MGF1_SHA1},u1,u0,u0",
        f"u{CKM.SHA_1},u0,u1,u0,u0",
    ),
    CKM.AES_GCM: (
        *(gcm(iv=size) for size in (0, 1, 7, 8, 16, 128, 129, 256)),
        *(gcm(tag_bits=size) for size in (0, 8, 31, 32, 64, 96, 104, 120, 127, 129, 256)),
        *(gcm(aad=size) for size in (0, 100)),
    ),
    CKM.EDDSA: ("b00,u0,u0", "b01,u0,u0", "b00,u1,p01", "b02,u0,u0"),
    **{
        one: tuple(f"u{size}" for size in (0, 1, 2, 16, 20, 28, 32, 33, 48, 64, 65))
        for one in SHARED
        if one.name.endswith("_GENERAL")
    },
}
"""Parameters of the right size, good and bad."""


def every_mechanism_with_odd_values(script: Script) -> None:
    """C_*Init with parameters of the right size that say something else."""
    script.case("values")
    for one, parameters in VALUES.items():
        chosen = good_key(one)
        if chosen is None or one not in SHARED:
            continue
        for function in (chosen[0], chosen[2]):
            for parameter in parameters if function else ():
                line = f"{function} $s {mechanism(one, parameter)} {HANDLES[chosen[1]]}"
                script.call(f"{label(one)}/{parameter}", line, fresh=True)


def digests(script: Script) -> None:
    """C_DigestInit with all mechanisms, and C_DigestKey with all objects."""
    script.case("digests")
    for one in (*SHARED, *OTHERS):
        script.call(label(one), f"C_DigestInit $s {mechanism(one)}", fresh=True)
    for name, handle in _handles():
        script.call("begin", f"C_DigestInit $s {mechanism(CKM.SHA256)}")
        script.call(name, f"C_DigestKey $s {handle}")
        script.put("n", "32")
        script.call(f"{name}, then", "C_DigestFinal $s o:32 &n")
        script.begin()


def wraps(script: Script) -> None:
    """C_WrapKey with all mechanisms and keys, asking for the size, and of all keys."""
    script.case("wraps")
    for one in SHARED:
        for name in KEYS:
            given = mechanism(one, GOOD.get(one, ""))
            script.put("n", "0")
            line = f"C_WrapKey $s {given} {HANDLES[name]} {HANDLES['generic-short']} - &n"
            script.call(f"{label(one)}/{name}", line, fresh=True)
    for name, handle in _handles():
        for cipher in (CKM.AES_ECB, CKM.AES_CBC):
            given = mechanism(cipher, GOOD.get(cipher, ""))
            script.put("n", "2000")
            wrap = f"C_WrapKey $s {given} {HANDLES['aes']} {handle} o:2000 &n"
            script.call(
                f"{label(cipher)} of {name}", wrap, chance=name.startswith(("ec", "edwards", "rsa")), fresh=True
            )


SECRET, PRIVATE = {CKA.CLASS: CKO.SECRET_KEY}, {CKA.CLASS: CKO.PRIVATE_KEY}
UNWRAPPED: Mapping[str, Mapping[CKA, int]] = {
    "nothing": {},
    "no type": SECRET,
    "AES": {**SECRET, CKA.KEY_TYPE: CKK.AES},
    "AES of 16 bytes": {**SECRET, CKA.KEY_TYPE: CKK.AES, CKA.VALUE_LEN: 16},
    "generic": {**SECRET, CKA.KEY_TYPE: CKK.GENERIC_SECRET},
    "generic of 7 bytes": {**SECRET, CKA.KEY_TYPE: CKK.GENERIC_SECRET, CKA.VALUE_LEN: 7},
    "generic of no bytes": {**SECRET, CKA.KEY_TYPE: CKK.GENERIC_SECRET, CKA.VALUE_LEN: 0},
    "HMAC": {**SECRET, CKA.KEY_TYPE: CKK.SHA256_HMAC},
    "RSA": {**PRIVATE, CKA.KEY_TYPE: CKK.RSA},
    "EC": {**PRIVATE, CKA.KEY_TYPE: CKK.EC},
    "a public key": {CKA.CLASS: CKO.PUBLIC_KEY, CKA.KEY_TYPE: CKK.RSA},
    "data": {CKA.CLASS: CKO.DATA},
}
"""Templates for keys that come out."""


def unwraps(script: Script) -> None:
    """C_UnwrapKey with all mechanisms and keys, and of bytes of all sizes into keys of all kinds."""
    script.case("unwraps")
    into = template(UNWRAPPED["generic"].items())
    for one in SHARED:
        for name in KEYS:
            line = f"C_UnwrapKey $s {mechanism(one, GOOD.get(one, ''))} {HANDLES[name]} {text(bytes(32))} {into} &ho"
            script.call(f"{label(one)}/{name}", line, fresh=True)
    for cipher in (CKM.AES_ECB, CKM.AES_CBC):
        for size in (0, 1, 15, 16, 17, 32, 48, 640):
            for what, attributes in UNWRAPPED.items():
                script.put("ho", "0")
                start = f"C_UnwrapKey $s {mechanism(cipher, GOOD.get(cipher, ''))} {HANDLES['aes']} {text(bytes(size))}"
                script.call(f"{label(cipher)}/{size} bytes/{what}", f"{start} {template(attributes.items())} &ho")
                script.call(f"{size} bytes/{what}", f"C_GetAttributeValue $s $ho {template([(CKA.VALUE, 'r64')])}")
                script.begin()


ALL = (
    every_mechanism_with_every_key,
    every_mechanism_with_bad_parameters,
    every_mechanism_with_odd_values,
    digests,
    wraps,
    unwraps,
)
"""What is tried."""
