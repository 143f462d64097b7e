# SPDX-License-Identifier: Apache-2.0
"""What it costs to look at a hostile key: counted in steps, not in seconds, so that it is the same everywhere.

Under :func:`effort_limited` each computation of ``keys/rsa.py`` and ``keys/rsa_primes.py`` is measured before it is
done, and one that no real key asks for fails. What libraries do (loading a key, testing its primes) is held to the
sizes for which it is quick, and the one that stops other threads while it tests a key is never asked to.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn, Self

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateNumbers
from cryptography.hazmat.primitives.serialization import load_der_private_key

from softee.pkcs11_ta.keys import parts, pkcs8
from softee.pkcs11_ta.keys import rsa as rsa_keys
from softee.pkcs11_ta.keys.rsa_primes import check_numbers

LARGEST = 4096
"""Bits of the largest modulus that the token takes."""
LARGEST_PRIME = LARGEST // 2 + 64
"""Bits of a prime that the library tests quickly."""


class Operand(int):
    """A number of a key. It computes with none that is larger than a real key's, and to no power."""

    def __mul__(self, other: int) -> int:
        return small(self) * small(other)

    def __mod__(self, other: int) -> int:
        return small(self) % small(other)

    def __sub__(self, other: int) -> Self:
        return type(self)(small(self) - other)

    def __pow__(self, *_: object) -> NoReturn:
        raise AssertionError("a power is computed, which stops all threads")


def small(number: int, bits: int = LARGEST) -> int:
    """Return a number that is as small as a real key's."""
    assert number.bit_length() <= bits, f"something is computed with a number of {number.bit_length()} bits"
    return int(number)


def _check(key: RSAPrivateNumbers) -> None:
    """Have a key's primes tested, if that is quick."""
    for part in (key.public_numbers.n, key.public_numbers.e, key.d, key.dmp1, key.dmq1, key.iqmp):
        small(part)
    for prime in (key.p, key.q):
        small(prime, LARGEST_PRIME)
    check_numbers(key)


def _decode(data: bytes, **options: Any) -> object:  # noqa: ANN401  passed on
    """Decode a key whose sizes are not known yet."""
    assert options["unsafe_skip_rsa_key_validation"], "the library tests a key of any size, and stops all threads"
    return load_der_private_key(data, **options)


@contextmanager
def effort_limited() -> Iterator[None]:
    """Let no look at a key take more than a real key may ask for.

    Raises:
        AssertionError: one did. In a command this is a bug of the secure world, so that the command's answer is
            CKR_GENERAL_ERROR and the reason stands in the log.

    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rsa_keys, "number", lambda *wanted: Operand(parts.number(*wanted)))
        patch.setattr(rsa_keys, "check_numbers", _check)
        patch.setattr(pkcs8, "load_der_private_key", _decode)
        yield
