# SPDX-License-Identifier: Apache-2.0
"""The primes of an RSA key that was given without them, and what may be computed with hostile numbers at all."""

import math
import secrets
from typing import Final

from cryptography.hazmat.primitives.asymmetric import rsa

_MAX_TRAILING_ZEROS: Final = 32
"""Of d·e - 1: real keys have a few; the time to find the primes grows with them."""

_MAX_EXPONENT_BITS: Final = 256
"""Of the public exponent of a key whose primes must be found (FIPS 186-5 takes no larger ones)."""

_MAX_UNBALANCE: Final = 64
"""Bits that a prime may have beyond half of the modulus: testing a prime is quick only up to there."""


def check_balance(prime: int, modulus_bits: int) -> None:
    """Raise ValueError for a prime that is much longer than half of the modulus."""
    if prime.bit_length() > modulus_bits // 2 + _MAX_UNBALANCE:
        raise ValueError("one prime is much longer than the other")


def find_primes(n: int, e: int, d: int) -> tuple[int, int]:
    """Find the primes from the exponents, after refusing numbers for which the search would be long and vain.

    The library tries up to 500 bases. If a random one fits the exponents, so do many, and each of those finds the
    primes with a good chance; a fixed one could be made to fit alone. Raises ValueError.
    """
    if not n & 1 or not 1 < e < n or not 1 < d < n or e.bit_length() > _MAX_EXPONENT_BITS:
        raise ValueError("exponents out of range")
    multiple = d * e - 1
    if (multiple & -multiple).bit_length() > _MAX_TRAILING_ZEROS:
        raise ValueError("exponents out of range")
    if math.gcd(pow(2, n, n) - 2, n) != 1:
        raise ValueError("the modulus is a prime, or the power of one")
    if any(pow(2 + secrets.randbelow(n - 3), multiple, n) != 1 for _ in range(2)):
        raise ValueError("the exponents do not fit the modulus")
    p, q = rsa.rsa_recover_prime_factors(n, e, d)
    check_balance(p, n.bit_length())
    return p, q
