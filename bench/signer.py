# SPDX-License-Identifier: Apache-2.0
"""A process that signs as fast as one thread can, through the module that its argument names.

It answers each line "KIND SECONDS" with its signs per second.
"""

import ctypes
import sys
from collections.abc import Callable
from time import perf_counter

from bench.cryptoki import CKA_EC_PARAMS, CKA_MODULUS_BITS, CKA_PUBLIC_EXPONENT, ULONG, Mechanism, Module

P256 = bytes.fromhex("06082a8648ce3d030107")
RSA_2048 = [(CKA_MODULUS_BITS, (2048).to_bytes(8, sys.byteorder)), (CKA_PUBLIC_EXPONENT, b"\x01\x00\x01")]
KINDS = {
    "ECDSA P-256": (0x1040, [(CKA_EC_PARAMS, P256)], 0x1041, bytes(range(32))),
    "RSA-2048 PKCS#1 SHA-256": (0x0, RSA_2048, 0x40, bytes(range(32))),
}
"""By name: the mechanism that generates the key, its template, the mechanism that signs, what is signed."""


def signer(module: Module, session: int, kind: str) -> Callable[[], None]:
    """Make a key and return what signs with it once: C_SignInit and C_Sign."""
    generate, template, sign, data = KINDS[kind]
    key = ULONG(module.key_pair(session, generate, template))
    handle, mechanism = ULONG(session), ctypes.byref(Mechanism(sign, None, 0))
    size, signature = ULONG(512), ctypes.create_string_buffer(512)
    init, finish = module.functions.C_SignInit, module.functions.C_Sign

    def once() -> None:
        size.value = 512
        assert init(handle, mechanism, key) == 0
        assert finish(handle, data, ULONG(len(data)), signature, ctypes.byref(size)) == 0

    return once


def rate(once: Callable[[], None], seconds: float) -> float:
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
    signers = {kind: signer(module, session, kind) for kind in KINDS}
    for line in sys.stdin:
        kind, _, seconds = line.strip().rpartition(" ")
        print(rate(signers[kind], float(seconds)), flush=True)


if __name__ == "__main__":
    main()
