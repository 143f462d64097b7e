# SPDX-License-Identifier: Apache-2.0
"""How long each sort of work keeps a worker's other threads from running, which is how long its other clients wait.

``python -m bench.holds`` does everything that may take long in a thread, while another one looks for the interpreter's
lock all the time, and prints how long the work took and the longest time without the lock: of several rounds the
shortest one, for the system stops threads, too.
"""

import argparse
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric import rsa
from rich.console import Console
from rich.table import Table

from softee.names import CKA, CKK, CKM, CKO
from softee.pkcs11_ta.attributes.values import Attributes, Given
from softee.pkcs11_ta.keys.dh_groups import BASE, PRIMES
from softee.pkcs11_ta.keys.material import KeyMaterial
from softee.pkcs11_ta.keys.rsa import private_parts
from softee.pkcs11_ta.mechanisms.functions import Ciphering, Digesting, KeyGenerating, PairGenerating, Signing
from softee.pkcs11_ta.mechanisms.table import MECHANISMS
from softee.pkcs11_ta.objects.content import complete

ROUNDS = 5
LOOK = 0.0002
"""Seconds from one look for the lock to the next."""
MOST = 64 << 20
"""Bytes of the largest request."""


class Row(NamedTuple):
    """A sort of work: ``prepare`` returns what is measured."""

    name: str
    prepare: Callable[[], Callable[[], object]]


class Figures(NamedTuple):
    """In seconds: how long it took, and how long at most nothing else could run."""

    name: str
    took: float
    held: float


def _pair(mechanism: CKM, **template: int | bytes) -> tuple[Given, Given]:
    """Return the attributes of a generated key pair, public and private."""
    spec = MECHANISMS[mechanism]
    given: Attributes = {CKA[name]: value for name, value in template.items()}
    parts = spec.of(PairGenerating).generate(spec.parameter(b""), given)
    key_type = int(next(iter(spec.key_types)))
    public, private = (
        {CKA.CLASS: int(kind), CKA.KEY_TYPE: key_type, **given, **made}
        for kind, made in zip((CKO.PUBLIC_KEY, CKO.PRIVATE_KEY), parts, strict=True)
    )
    return public, private


def _generating(name: str, mechanism: CKM, **template: int | bytes) -> Row:
    return Row(f"generate {name}", lambda: partial(_pair, mechanism, **template))


def _signing(name: str, by: CKM, mechanism: CKM, parameter: bytes = b"", **template: int | bytes) -> Row:
    def prepare() -> Callable[[], object]:
        key = KeyMaterial(_pair(by, **template)[1])
        key.native()
        spec = MECHANISMS[mechanism]

        def sign() -> bytes:
            operation = spec.of(Signing).sign(key, spec.parameter(parameter))
            operation.update(bytes(32))
            return operation.finish()

        return sign

    return Row(f"sign {name}", prepare)


def _importing(bits: int, *parts: CKA) -> Row:
    """Return the import of an RSA key of which these parts are left out."""

    def prepare() -> Callable[[], object]:
        given = private_parts(rsa.generate_private_key(65537, bits))
        given = {part: value for part, value in given.items() if part not in parts}
        return lambda: complete({CKA.CLASS: int(CKO.PRIVATE_KEY), CKA.KEY_TYPE: int(CKK.RSA), **given})

    return Row(f"import RSA-{bits}{' without primes' if parts else ''}", prepare)


def _secret(size: int, key_type: CKK = CKK.AES) -> KeyMaterial:
    return KeyMaterial({CKA.CLASS: int(CKO.SECRET_KEY), CKA.KEY_TYPE: int(key_type), CKA.VALUE: bytes(range(size))})


def _digesting(mechanism: CKM) -> Row:
    def digest() -> bytes:
        spec = MECHANISMS[mechanism]
        operation = spec.of(Digesting).begin(spec.parameter(b""))
        operation.update(bytes(MOST))
        return operation.finish()

    return Row(f"digest 64 MiB, {mechanism.name}", lambda: digest)


def _ciphering(mechanism: CKM, parameter: bytes, key_type: CKK = CKK.AES) -> Row:
    def encrypt() -> bytes:
        spec = MECHANISMS[mechanism]
        operation = spec.of(Ciphering).encrypt(_secret(32, key_type), spec.parameter(parameter))
        return operation.update(bytes(MOST)) + operation.finish()

    return Row(f"encrypt 64 MiB, {mechanism.name}", lambda: encrypt)


def _u32(number: int) -> bytes:
    return number.to_bytes(4, "little")


def _authenticating(mechanism: CKM, key_type: CKK) -> Row:
    def sign() -> bytes:
        spec = MECHANISMS[mechanism]
        operation = spec.of(Signing).sign(_secret(32, key_type), spec.parameter(b""))
        operation.update(bytes(MOST))
        return operation.finish()

    return Row(f"sign 64 MiB, {mechanism.name}", lambda: sign)


def _pbkdf2() -> object:
    spec = MECHANISMS[CKM.PKCS5_PBKD2]
    parameter = b"".join((_u32(1), _u32(4), b"salt", _u32(5_000_000), _u32(4), _u32(0), _u32(4), b"word"))
    wanted: Attributes = {CKA.CLASS: int(CKO.SECRET_KEY), CKA.KEY_TYPE: int(CKK.GENERIC_SECRET), CKA.VALUE_LEN: 32}
    return spec.of(KeyGenerating).generate(spec.parameter(parameter), wanted)


_NO_CONTEXT = bytes(8)
"""CK_SIGN_ADDITIONAL_CONTEXT as it travels."""
P521 = bytes.fromhex("06052b81040023")
PRIMES_AND_WHAT_FOLLOWS = (CKA.PRIME_1, CKA.PRIME_2, CKA.EXPONENT_1, CKA.EXPONENT_2, CKA.COEFFICIENT)


def rows() -> Iterator[Row]:
    """Yield all sorts of work."""
    for bits in (2048, 3072, 4096):
        yield _importing(bits)
        yield _importing(bits, *PRIMES_AND_WHAT_FOLLOWS)
    yield _generating("RSA-4096", CKM.RSA_PKCS_KEY_PAIR_GEN, MODULUS_BITS=4096)
    yield _signing("RSA-4096", CKM.RSA_PKCS_KEY_PAIR_GEN, CKM.SHA256_RSA_PKCS, MODULUS_BITS=4096)
    group = max(PRIMES, key=len)
    yield _generating("DH-4096", CKM.DH_PKCS_KEY_PAIR_GEN, PRIME=group, BASE=BASE)
    yield _generating("P-521", CKM.EC_KEY_PAIR_GEN, EC_PARAMS=P521)
    yield _signing("P-521", CKM.EC_KEY_PAIR_GEN, CKM.ECDSA_SHA512, EC_PARAMS=P521)
    yield _signing("ML-DSA-87", CKM.ML_DSA_KEY_PAIR_GEN, CKM.ML_DSA, _NO_CONTEXT, PARAMETER_SET=3)
    if CKM.SLH_DSA in MECHANISMS:
        yield _generating("SLH-DSA-SHA2-256s", CKM.SLH_DSA_KEY_PAIR_GEN, PARAMETER_SET=9)
        yield _signing("SLH-DSA-SHA2-256s", CKM.SLH_DSA_KEY_PAIR_GEN, CKM.SLH_DSA, _NO_CONTEXT, PARAMETER_SET=9)
    yield Row("PBKDF2, 5,000,000 iterations", lambda: _pbkdf2)
    for mechanism in (CKM.SHA_1, CKM.SHA256, CKM.SHA512, CKM.SHA3_256):
        yield _digesting(mechanism)
    for mechanism, key_type in ((CKM.SHA256_HMAC, CKK.GENERIC_SECRET), (CKM.AES_CMAC, CKK.AES)):
        yield _authenticating(mechanism, key_type)
    yield _ciphering(CKM.AES_CBC, bytes(16))
    yield _ciphering(CKM.AES_ECB, b"")
    yield _ciphering(CKM.AES_CTR, _u32(128) + bytes(16))


def measured(row: Row, rounds: int) -> Figures:
    """Do a row's work, and look how long it holds the lock."""
    took, held = [], []
    for _ in range(rounds):
        worker = _Worker(row.prepare())
        longest, last = 0.0, time.perf_counter()
        worker.start()
        is_done = False
        while not is_done:
            is_done = worker.done.is_set()
            now = time.perf_counter()
            longest, last = max(longest, now - last), now
            time.sleep(LOOK)
        took.append(worker.took())
        held.append(longest)
    return Figures(row.name, min(took), min(held))


class _Worker(threading.Thread):
    """Does the work once."""

    def __init__(self, work: Callable[[], object]) -> None:
        super().__init__(daemon=True)
        self.done = threading.Event()
        self._work = work
        self._took: float | None = None

    def run(self) -> None:
        begun = time.perf_counter()
        try:
            self._work()
            self._took = time.perf_counter() - begun
        finally:
            self.done.set()

    def took(self) -> float:
        """Return how long it took, in seconds. Raises RuntimeError where it failed, which was printed."""
        if self._took is None:
            raise RuntimeError("the work failed")
        return self._took


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="how often each sort of work is done")
    arguments = parser.parse_args()
    table = Table("", title="How long other threads do not run, at the longest")
    for heading in ("takes", "longest hold"):
        table.add_column(heading, justify="right")
    for row in rows():
        name, took, held = measured(row, arguments.rounds)
        table.add_row(name, f"{took * 1e3:,.1f} ms", f"{held * 1e3:,.1f} ms")
    Console().print(table)


if __name__ == "__main__":
    main()
