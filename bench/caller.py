# SPDX-License-Identifier: Apache-2.0
"""A process that calls as fast as one thread can, through the module that its argument names.

It answers each line "KIND SECONDS" with how often it did in a second what KIND names.
"""

import ctypes
import sys
from collections.abc import Callable
from functools import partial
from time import perf_counter

from bench.cryptoki import (
    CKA_EC_PARAMS,
    CKA_ENCRYPT,
    CKA_MODULUS_BITS,
    CKA_PUBLIC_EXPONENT,
    CKA_VALUE_LEN,
    ULONG,
    Mechanism,
    Module,
)

P256 = [(CKA_EC_PARAMS, bytes.fromhex("06082a8648ce3d030107"))]
RSA_2048 = [(CKA_MODULUS_BITS, (2048).to_bytes(8, sys.byteorder)), (CKA_PUBLIC_EXPONENT, b"\x01\x00\x01")]
AES_128 = [(CKA_VALUE_LEN, (16).to_bytes(8, sys.byteorder)), (CKA_ENCRYPT, b"\x01")]
EC_KEY_PAIR_GEN, RSA_KEY_PAIR_GEN, AES_KEY_GEN = 0x1040, 0x0, 0x1080
ECDSA, SHA256_RSA, AES_CBC = 0x1041, 0x40, 0x1082

Once = Callable[[], None]


def session_info(module: Module, session: int) -> Once:
    """C_GetSessionInfo: one round trip and next to nothing else."""
    handle, info = ULONG(session), (ULONG * 4)()
    return partial(module, "C_GetSessionInfo", handle, info)


def random_bytes(module: Module, session: int) -> Once:
    """C_GenerateRandom of 32 bytes."""
    handle, size, buffer = ULONG(session), ULONG(32), ctypes.create_string_buffer(32)
    return partial(module, "C_GenerateRandom", handle, buffer, size)


def sign_p256(module: Module, session: int) -> Once:
    """C_SignInit and C_Sign of a SHA-256 digest."""
    key = module.key_pair(session, EC_KEY_PAIR_GEN, P256)
    return _two_calls(module, session, "Sign", Mechanism(ECDSA, None, 0), key=key, data=bytes(range(32)))


def sign_rsa(module: Module, session: int) -> Once:
    """C_SignInit and C_Sign of 32 bytes of data."""
    key = module.key_pair(session, RSA_KEY_PAIR_GEN, RSA_2048)
    return _two_calls(module, session, "Sign", Mechanism(SHA256_RSA, None, 0), key=key, data=bytes(range(32)))


def encrypt_aes(module: Module, session: int) -> Once:
    """C_EncryptInit and C_Encrypt of 1 KiB."""
    vector = ctypes.create_string_buffer(16)
    mechanism = Mechanism(AES_CBC, ctypes.cast(vector, ctypes.c_void_p), 16)
    key = module.key(session, AES_KEY_GEN, AES_128)
    return _two_calls(module, session, "Encrypt", mechanism, key=key, data=bytes(1024))


KINDS = {
    "C_GetSessionInfo": session_info,
    "C_GenerateRandom, 32 bytes": random_bytes,
    "sign, ECDSA P-256": sign_p256,
    "sign, RSA-2048 PKCS#1 SHA-256": sign_rsa,
    "encrypt, AES-128-CBC 1 KiB": encrypt_aes,
}
"""By name: what makes ready for it in a session, and returns what does it once."""


def _two_calls(module: Module, session: int, name: str, mechanism: Mechanism, *, key: int, data: bytes) -> Once:
    """Return what calls the Init function of ``name`` and then, with ``data``, the function itself."""
    handle, key_handle, size = ULONG(session), ULONG(key), ULONG()
    reply = ctypes.create_string_buffer(2048)
    init = partial(module, f"C_{name}Init", handle, ctypes.byref(mechanism), key_handle)
    act = partial(module, f"C_{name}", handle, data, ULONG(len(data)), reply, ctypes.byref(size))

    def once() -> None:
        size.value = len(reply)
        init()
        act()

    return once


def rate(once: Once, seconds: float) -> float:
    """Return how often ``once`` runs in a second."""
    done, started = 0, perf_counter()
    while perf_counter() - started < seconds:
        once()
        done += 1
    return done / (perf_counter() - started)


def main() -> None:
    """Answer lines until the end of input."""
    module = Module(sys.argv[1])
    session = module.ready_session(b"1234567890", b"1234567890")
    callers = {kind: prepare(module, session) for kind, prepare in KINDS.items()}
    for line in sys.stdin:
        kind, _, seconds = line.strip().rpartition(" ")
        print(rate(callers[kind], float(seconds)), flush=True)


if __name__ == "__main__":
    main()
