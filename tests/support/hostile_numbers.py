# SPDX-License-Identifier: Apache-2.0
"""What it costs to look at a hostile key: counted in steps, not in seconds, so that it is the same everywhere.

Under :func:`effort_limited` each computation of ``keys/rsa.py`` and ``keys/rsa_primes.py``, and of the library's search
for the primes, is measured before it is done, and one that no real key asks for fails. What the library does beyond
Python (loading a key, testing its primes) is held to the sizes for which it is quick.
"""

import builtins
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_der_private_key

from softee.names import CKA
from softee.pkcs11_ta.attributes.values import Attributes
from softee.pkcs11_ta.keys import parts, pkcs8, rsa_primes
from softee.pkcs11_ta.keys import rsa as rsa_keys

LARGEST = 4096
"""Bits of the largest modulus that the token takes."""
LARGEST_PRIME = LARGEST // 2 + 64
"""Bits of a prime that the library tests quickly."""
SIGNATURE = LARGEST**3
"""Steps of one private operation with the largest key, which takes a tenth of a second."""
BUDGET = 64 * SIGNATURE
"""Steps that an import may take. To find the primes takes those of some ten signatures, with bad luck of twenty."""

PARTS = (CKA.MODULUS, CKA.PUBLIC_EXPONENT, CKA.PRIVATE_EXPONENT, CKA.EXPONENT_1, CKA.EXPONENT_2, CKA.COEFFICIENT)
PRIMES = (CKA.PRIME_1, CKA.PRIME_2)


_LOAD = rsa_keys._load_private


class Operand(int):
    """A number of a key. It computes with none that is larger than a real key's."""

    def __mul__(self, other: int) -> int:
        return small(self) * small(other)

    def __mod__(self, other: int) -> int:
        return small(self) % small(other)

    def __sub__(self, other: int) -> Self:
        return type(self)(small(self) - other)


def small(number: int, bits: int = LARGEST) -> int:
    """Return a number that is as small as a real key's."""
    assert number.bit_length() <= bits, f"something is computed with a number of {number.bit_length()} bits"
    return int(number)


class Meter:
    """Counts the steps of modular powers."""

    def __init__(self) -> None:
        self.steps = 0

    def pow(self, base: int, exponent: int, modulus: int) -> int:
        """Return a power, if there are steps left for it."""
        self.steps += (exponent.bit_length() or 1) * modulus.bit_length() ** 2
        assert self.steps <= BUDGET, f"{self.steps // SIGNATURE} times the steps of a signature"
        return builtins.pow(base, exponent, modulus)


def _load(attributes: Attributes, *, checked: bool) -> rsa.RSAPrivateKey:
    """Load a key whose primes the library tests, if that is quick."""
    for part in PARTS:
        small(parts.number(attributes, part))
    for prime in PRIMES:
        small(parts.number(attributes, prime), LARGEST_PRIME)
    return _LOAD(attributes, checked=checked)


def _decode(data: bytes, **options: Any) -> object:  # noqa: ANN401  passed on
    """Decode a key whose sizes are not known yet."""
    assert options["unsafe_skip_rsa_key_validation"], "the library tests a key of any size"
    return load_der_private_key(data, **options)


@contextmanager
def effort_limited() -> Iterator[None]:
    """Let no look at a key take more than a real key may ask for.

    Raises:
        AssertionError: one did. In a command this is a bug of the secure world, so that the command's answer is
            CKR_GENERAL_ERROR and the reason stands in the log.

    """
    meter = Meter()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rsa_keys, "number", lambda *wanted: Operand(parts.number(*wanted)))
        patch.setattr(rsa_primes, "pow", meter.pow, raising=False)
        patch.setattr(rsa, "pow", meter.pow, raising=False)
        patch.setattr(rsa_keys, "_load_private", _load)
        patch.setattr(pkcs8, "load_der_private_key", _decode)
        yield
