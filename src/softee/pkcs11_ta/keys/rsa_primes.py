# SPDX-License-Identifier: Apache-2.0
"""The primes of an RSA key that was given without them, and whether the numbers of a key belong together.

The numbers are hostile. Whatever takes longer than a moment is computed by a library that lets other threads run.
"""

import math
from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateNumbers

from softee.tee.late import LateModule

if TYPE_CHECKING:
    from Crypto.Math import Primality
else:
    Primality = LateModule("Crypto.Math.Primality")

_MAX_UNBALANCE: Final = 64
"""Bits that a prime may have beyond half of the modulus: testing a prime is quick only up to there."""

_ROUNDS: Final = 5
"""Of Miller and Rabin's test, with bases by chance (FIPS 186-5, table B.1); Lucas' test comes on top."""


def check_balance(prime: int, modulus_bits: int) -> None:
    """Raise ValueError for a prime that is much longer than half of the modulus."""
    if prime.bit_length() > modulus_bits // 2 + _MAX_UNBALANCE:
        raise ValueError("one prime is much longer than the other")


def find_primes(n: int, e: int, d: int) -> tuple[int, int]:
    """Compute two factors of the modulus from the exponents, as NIST SP 800-56B revision 2 does in appendix C.2.

    No search and no power is in it: numbers of 4096 bits take a tenth of a millisecond. What comes out makes the
    modulus, whatever went in. Raises ValueError, also for an honest key whose public exponent is about as long as its
    primes.
    """
    if not 1 < e < n or not 1 < d < n:
        raise ValueError("exponents out of range")
    multiple = d * e - 1
    quotient, remainder = divmod(multiple * math.gcd(n - 1, multiple), n)
    others, rest = divmod(n - remainder, quotient + 1)
    both = others + 1
    square = both * both - 4 * n
    if rest or square <= 0 or (difference := math.isqrt(square)) ** 2 != square:
        raise ValueError("the exponents do not fit the modulus")
    p, q = (both + difference) // 2, (both - difference) // 2
    check_balance(p, n.bit_length())
    return p, q


def check_numbers(key: RSAPrivateNumbers) -> None:
    """Check whether all numbers of a private key belong together, and its primes are primes.

    They have been held to their sizes. `cryptography` checks the same, and stops all other threads meanwhile, for
    0.2 s with 4096 bits (decision 0026). Raises ValueError.
    """
    n, e, d, p, q = key.public_numbers.n, key.public_numbers.e, key.d, key.p, key.q
    if min(p, q) < 3 or p * q != n or not 1 < e < n or not 1 < d < n:
        raise ValueError("numbers out of range, or primes that do not make the modulus")
    exponents = (key.dmp1, key.dmq1)
    if exponents != (d % (p - 1), d % (q - 1)) or (e * key.dmp1 % (p - 1), e * key.dmq1 % (q - 1)) != (1, 1):
        raise ValueError("the exponents do not fit each other")
    if key.iqmp >= p or q * key.iqmp % p != 1:
        raise ValueError("the coefficient does not fit the primes")
    if not _is_prime(p) or not _is_prime(q):
        raise ValueError("a prime is composite")


def _is_prime(number: int) -> bool:
    """Test whether a number is a prime, that somebody may have chosen to deceive: no composite is known that does."""
    tests = (Primality.miller_rabin_test(number, _ROUNDS), Primality.lucas_test(number))
    return Primality.COMPOSITE not in tests
