# SPDX-License-Identifier: Apache-2.0
"""RSA keys (PKCS#11 3.2, section 6.1): their attributes, checks, sizes, and the library's objects for them."""

from typing import Final

from cryptography.hazmat.primitives.asymmetric import rsa

from softee.names import CKA, CKK, CKO, CKR
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.attributes.uses import MADE_BY_GENERATION, PRIVATE_PART, Rule, Use
from softee.pkcs11_ta.attributes.values import Attributes, Given, Parts
from softee.pkcs11_ta.keys.key_type import KeyForm, KeyType
from softee.pkcs11_ta.keys.parts import big_endian, number
from softee.pkcs11_ta.keys.rows import PRIVATE_KEY, PUBLIC_KEY
from softee.pkcs11_ta.keys.rsa_primes import check_balance, check_numbers, find_primes
from softee.pkcs11_ta.keys.view import KeyView, PrivateKey, PublicKey, SizeRange, unfit

KEY_TYPES = frozenset({CKK.RSA})
KEY_SIZE = SizeRange(256, 4096)
"""In bits of the modulus."""

_LARGE_MODULUS_BITS, _LARGE_MODULUS_EXPONENT_BITS = 3072, 64
"""With a modulus beyond the first, the library uses no exponent beyond the second: right signatures would fail."""

_PARTS = (
    CKA.PUBLIC_EXPONENT,
    CKA.PRIVATE_EXPONENT,
    CKA.PRIME_1,
    CKA.PRIME_2,
    CKA.EXPONENT_1,
    CKA.EXPONENT_2,
    CKA.COEFFICIENT,
)

_PUBLIC_ROWS = (
    *PUBLIC_KEY,
    Use(CKA.MODULUS, Rule.REQUIRED_ON_CREATE | MADE_BY_GENERATION),
    Use(CKA.MODULUS_BITS, Rule.FORBIDDEN_ON_CREATE | Rule.REQUIRED_ON_GENERATE | Rule.FORBIDDEN_ON_UNWRAP),
    Use(CKA.PUBLIC_EXPONENT, Rule.REQUIRED_ON_CREATE),
)

_PRIVATE_ROWS = (
    *PRIVATE_KEY,
    Use(CKA.MODULUS, Rule.REQUIRED_ON_CREATE | MADE_BY_GENERATION),
    # The standard asks for the modulus and the private exponent alone; without this one they make no key.
    Use(CKA.PUBLIC_EXPONENT, Rule.REQUIRED_ON_CREATE | MADE_BY_GENERATION),
    Use(CKA.PRIVATE_EXPONENT, Rule.REQUIRED_ON_CREATE | PRIVATE_PART),
    Use(CKA.PRIME_1, PRIVATE_PART),
    Use(CKA.PRIME_2, PRIVATE_PART),
    Use(CKA.EXPONENT_1, PRIVATE_PART),
    Use(CKA.EXPONENT_2, PRIVATE_PART),
    Use(CKA.COEFFICIENT, PRIVATE_PART),
)


def private_key(key: KeyView) -> rsa.RSAPrivateKey:
    """Return the library's RSA private key. Raises CKR_KEY_TYPE_INCONSISTENT."""
    native = key.native()
    if isinstance(native, rsa.RSAPrivateKey):
        return native
    raise unfit("an RSA private key")


def public_key(key: KeyView) -> rsa.RSAPublicKey:
    """Return the library's RSA public key, of a private key too. Raises CKR_KEY_TYPE_INCONSISTENT."""
    native = key.native()
    if isinstance(native, rsa.RSAPublicKey):
        return native
    return private_key(key).public_key()


def public_parts(key: rsa.RSAPublicKey) -> Parts:
    """Return CKA_MODULUS and CKA_PUBLIC_EXPONENT."""
    numbers = key.public_numbers()
    return {
        CKA.MODULUS: bytes(big_endian(numbers.n)),
        CKA.PUBLIC_EXPONENT: bytes(big_endian(numbers.e)),
    }


def private_parts(key: rsa.RSAPrivateKey) -> Parts:
    """Return all parts of a private key. Raises ValueError for one of a size that the token does not take."""
    if key.key_size not in KEY_SIZE:
        raise ValueError(f"an RSA key of {key.key_size} bits")
    numbers = key.private_numbers()
    return {
        **public_parts(key.public_key()),
        CKA.PRIVATE_EXPONENT: big_endian(numbers.d),
        CKA.PRIME_1: big_endian(numbers.p),
        CKA.PRIME_2: big_endian(numbers.q),
        CKA.EXPONENT_1: big_endian(numbers.dmp1),
        CKA.EXPONENT_2: big_endian(numbers.dmq1),
        CKA.COEFFICIENT: big_endian(numbers.iqmp),
    }


def _from_native(key: PrivateKey) -> Parts | None:
    return private_parts(key) if isinstance(key, rsa.RSAPrivateKey) else None


def _public_parts(key: PublicKey) -> Parts:
    if not isinstance(key, rsa.RSAPublicKey):
        raise TypeError("a key of another type")
    return public_parts(key)


def _load_public(attributes: Attributes) -> rsa.RSAPublicKey:
    return _public_numbers(attributes).public_key()


def _load_private(attributes: Attributes) -> rsa.RSAPrivateKey:
    """Return the private key of complete attributes, which were checked when it was made."""
    return _private_numbers(attributes).private_key(unsafe_skip_rsa_key_validation=True)


def _private_numbers(attributes: Attributes) -> rsa.RSAPrivateNumbers:
    return rsa.RSAPrivateNumbers(
        p=number(attributes, CKA.PRIME_1),
        q=number(attributes, CKA.PRIME_2),
        d=number(attributes, CKA.PRIVATE_EXPONENT),
        dmp1=number(attributes, CKA.EXPONENT_1),
        dmq1=number(attributes, CKA.EXPONENT_2),
        iqmp=number(attributes, CKA.COEFFICIENT),
        public_numbers=_public_numbers(attributes),
    )


def _public_numbers(attributes: Attributes) -> rsa.RSAPublicNumbers:
    return rsa.RSAPublicNumbers(number(attributes, CKA.PUBLIC_EXPONENT), number(attributes, CKA.MODULUS))


def _modulus_bits(attributes: Attributes) -> int:
    """Return the size of a key, or the one that is asked for where it is still to be made."""
    asked = attributes.get(CKA.MODULUS_BITS)
    if isinstance(asked, int) and CKA.MODULUS not in attributes:
        return asked
    return number(attributes, CKA.MODULUS).bit_length()


def _complete_public(given: Given) -> None:
    bits = given[CKA.MODULUS_BITS] = _checked_modulus_bits(given)
    if not number(given, CKA.MODULUS) & 1:
        raise ValueError("the modulus is even")
    if bits > _LARGE_MODULUS_BITS and number(given, CKA.PUBLIC_EXPONENT).bit_length() > _LARGE_MODULUS_EXPONENT_BITS:
        raise ValueError("the public exponent is too large for a modulus of this size")
    _load_public(given)


def _complete_private(given: Given) -> None:
    _check_sizes(given)
    n, d = number(given, CKA.MODULUS), number(given, CKA.PRIVATE_EXPONENT)
    if CKA.PRIME_1 not in given or CKA.PRIME_2 not in given:
        p, q = find_primes(n, number(given, CKA.PUBLIC_EXPONENT), d)
        given[CKA.PRIME_1], given[CKA.PRIME_2] = big_endian(p), big_endian(q)
    p, q = number(given, CKA.PRIME_1), number(given, CKA.PRIME_2)
    if p * q != n:
        raise ValueError("the primes do not make the modulus")
    given.setdefault(CKA.EXPONENT_1, big_endian(rsa.rsa_crt_dmp1(d, p)))
    given.setdefault(CKA.EXPONENT_2, big_endian(rsa.rsa_crt_dmq1(d, q)))
    given.setdefault(CKA.COEFFICIENT, big_endian(rsa.rsa_crt_iqmp(p, q)))
    check_numbers(_private_numbers(given))
    _load_private(given)


def _checked_modulus_bits(given: Given) -> int:
    bits = _modulus_bits(given)
    if bits not in KEY_SIZE:
        raise Pkcs11Error(CKR.KEY_SIZE_RANGE, f"an RSA modulus of {bits} bits is not {KEY_SIZE.low} to {KEY_SIZE.high}")
    return bits


def _check_sizes(given: Given) -> None:
    """Refuse parts that cannot be those of the modulus by their size alone, before anything is computed with them."""
    bits = _checked_modulus_bits(given)
    if any(number(given, part).bit_length() > bits for part in _PARTS if part in given):
        raise ValueError("a part is longer than the modulus")
    for prime in (CKA.PRIME_1, CKA.PRIME_2):
        if prime in given:
            check_balance(number(given, prime), bits)


RSA: Final = KeyType(
    name="RSA",
    numbers=KEY_TYPES,
    measure=_modulus_bits,
    forms=(
        KeyForm(
            CKO.PUBLIC_KEY,
            _PUBLIC_ROWS,
            _complete_public,
            frozenset({CKA.ENCRYPT, CKA.VERIFY, CKA.VERIFY_RECOVER}),
            _load_public,
        ),
        KeyForm(
            CKO.PRIVATE_KEY,
            _PRIVATE_ROWS,
            _complete_private,
            frozenset({CKA.DECRYPT, CKA.SIGN, CKA.SIGN_RECOVER}),
            _load_private,
            slow_from=0,
        ),
    ),
    from_native=_from_native,
    public_parts=_public_parts,
)
