# SPDX-License-Identifier: Apache-2.0
"""What an object's content must be when it is made: parts that belong together are checked, missing ones computed.

Runs on imported and unwrapped material, which is hostile: the work is bounded by the sizes that are taken. Whatever is
wrong with it has one error.
"""

import hashlib
import math
import secrets
from collections.abc import Callable, Mapping
from typing import Final

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from softee.names import CKA, CKK, CKO, CKR
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.attributes.codecs import attribute_name
from softee.pkcs11_ta.attributes.secret_bytes import SecretBytes
from softee.pkcs11_ta.attributes.values import Attributes, Given
from softee.pkcs11_ta.keys.curves import encode_point
from softee.pkcs11_ta.keys.material import (
    KeyMaterial,
    load_ec_private,
    load_ec_public,
    load_rsa_private,
    load_rsa_public,
    number,
    octets,
)
from softee.pkcs11_ta.keys.rsa import KEY_SIZE
from softee.pkcs11_ta.keys.secret import SECRET_KEY_TYPES

AES_SIZES: Final = (16, 24, 32)
SECRET_SIZES: Final = range(1, 4096 + 1)

_CHECK_VALUE_SIZE = 3
_MAX_TRAILING_ZEROS = 32
"""Of d·e - 1: real keys have a few; the time to find the primes grows with them."""
_MAX_EXPONENT_BITS = 256
"""Of the public exponent of a key whose primes must be found (FIPS 186-5 takes no larger ones)."""
_LARGE_MODULUS_BITS, _LARGE_MODULUS_EXPONENT_BITS = 3072, 64
"""With a modulus beyond the first, the library uses no exponent beyond the second: right signatures would fail."""
_MAX_UNBALANCE = 64
"""Bits that a prime may have beyond half of the modulus: testing a prime is quick only up to there."""
_RSA_PARTS = (
    CKA.PUBLIC_EXPONENT,
    CKA.PRIVATE_EXPONENT,
    CKA.PRIME_1,
    CKA.PRIME_2,
    CKA.EXPONENT_1,
    CKA.EXPONENT_2,
    CKA.COEFFICIENT,
)


def complete(given: Given) -> None:
    """Check the content of an object in the making, and add the attributes that follow from it.

    Raises:
        Pkcs11Error: CKR_ATTRIBUTE_VALUE_INVALID, CKR_TEMPLATE_INCOMPLETE, CKR_KEY_SIZE_RANGE; for an
            unknown curve CKR_ATTRIBUTE_TYPE_INVALID, as OP-TEE answers.

    """
    try:
        _COMPLETERS[given[CKA.CLASS], given.get(CKA.KEY_TYPE)](given)
        check_public_key_info(given)
    except (ValueError, OverflowError):
        # The library's words may quote numbers of the key; they are not repeated.
        raise Pkcs11Error(CKR.ATTRIBUTE_VALUE_INVALID, "the key's parts are out of range or do not fit") from None


def check_public_key_info(attributes: Attributes) -> None:
    """Refuse a CKA_PUBLIC_KEY_INFO that is not the key's own (section 4.9). Empty says nothing."""
    claimed = attributes.get(CKA.PUBLIC_KEY_INFO)
    if not claimed or CKA.KEY_TYPE not in attributes:
        return
    key = KeyMaterial(attributes)
    public = key.rsa_public() if key.key_type == CKK.RSA else key.ec_public()
    if public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) != claimed:
        raise Pkcs11Error(CKR.ATTRIBUTE_VALUE_INVALID, "CKA_PUBLIC_KEY_INFO is not this key's")


def _complete_data(_: Given) -> None:
    """Take any data."""


def _complete_certificate(given: Given) -> None:
    value = given[CKA.VALUE]
    if not value and not given[CKA.URL]:
        raise Pkcs11Error(CKR.TEMPLATE_INCOMPLETE, "a certificate needs CKA_VALUE or CKA_URL")
    if value:
        _set_check_value(given, _sha1(octets(given, CKA.VALUE)))


def _complete_secret(given: Given) -> None:
    value = octets(given, CKA.VALUE)
    is_aes = given[CKA.KEY_TYPE] == CKK.AES
    if len(value) not in (AES_SIZES if is_aes else SECRET_SIZES):
        raise Pkcs11Error(CKR.ATTRIBUTE_VALUE_INVALID, f"CKA_VALUE of {len(value)} bytes is no key of this type")
    given[CKA.VALUE_LEN] = len(value)
    _set_check_value(given, _aes_of_zeros(value) if is_aes else _sha1(value))


def _complete_rsa_public(given: Given) -> None:
    bits = given[CKA.MODULUS_BITS] = _modulus_bits(given)
    if not number(given, CKA.MODULUS) & 1:
        raise ValueError("the modulus is even")
    if bits > _LARGE_MODULUS_BITS and number(given, CKA.PUBLIC_EXPONENT).bit_length() > _LARGE_MODULUS_EXPONENT_BITS:
        raise ValueError("the public exponent is too large for a modulus of this size")
    load_rsa_public(given)


def _complete_rsa_private(given: Given) -> None:
    _check_rsa_sizes(given)
    if CKA.PRIME_1 not in given or CKA.PRIME_2 not in given:
        p, q = _find_primes(given)
        given[CKA.PRIME_1], given[CKA.PRIME_2] = _secret_number(p), _secret_number(q)
    p, q, d = (number(given, attribute) for attribute in (CKA.PRIME_1, CKA.PRIME_2, CKA.PRIVATE_EXPONENT))
    if p * q != number(given, CKA.MODULUS):
        raise ValueError("the primes do not make the modulus")
    given.setdefault(CKA.EXPONENT_1, _secret_number(rsa.rsa_crt_dmp1(d, p)))
    given.setdefault(CKA.EXPONENT_2, _secret_number(rsa.rsa_crt_dmq1(d, q)))
    given.setdefault(CKA.COEFFICIENT, _secret_number(rsa.rsa_crt_iqmp(p, q)))
    load_rsa_private(given, checked=False)


def _complete_ec_public(given: Given) -> None:
    """Check the point, and keep it as the standard writes it."""
    given[CKA.EC_POINT] = encode_point(load_ec_public(given))


def _complete_ec_private(given: Given) -> None:
    load_ec_private(given)


_COMPLETERS: Final[Mapping[tuple[object, object], Callable[[Given], None]]] = {
    (CKO.DATA, None): _complete_data,
    (CKO.CERTIFICATE, None): _complete_certificate,
    (CKO.PUBLIC_KEY, CKK.RSA): _complete_rsa_public,
    (CKO.PRIVATE_KEY, CKK.RSA): _complete_rsa_private,
    (CKO.PUBLIC_KEY, CKK.EC): _complete_ec_public,
    (CKO.PRIVATE_KEY, CKK.EC): _complete_ec_private,
    **{(CKO.SECRET_KEY, key_type): _complete_secret for key_type in SECRET_KEY_TYPES},
}


def _modulus_bits(given: Given) -> int:
    bits = number(given, CKA.MODULUS).bit_length()
    if bits not in KEY_SIZE:
        raise Pkcs11Error(CKR.KEY_SIZE_RANGE, f"an RSA modulus of {bits} bits is not {KEY_SIZE.low} to {KEY_SIZE.high}")
    return bits


def _check_rsa_sizes(given: Given) -> None:
    """Refuse parts that cannot be those of the modulus by their size alone, before anything is computed with them."""
    bits = _modulus_bits(given)
    if any(number(given, attribute).bit_length() > bits for attribute in _RSA_PARTS if attribute in given):
        raise ValueError("a part is longer than the modulus")
    primes = (number(given, attribute) for attribute in (CKA.PRIME_1, CKA.PRIME_2) if attribute in given)
    if any(prime.bit_length() > bits // 2 + _MAX_UNBALANCE for prime in primes):
        raise ValueError("one prime is much longer than the other")


def _find_primes(given: Given) -> tuple[int, int]:
    """Find the primes from the exponents, after refusing numbers for which the search would be long and vain.

    The library tries up to 500 bases. If a random one fits the exponents, so do many, and each of those finds the
    primes with a good chance; a fixed one could be made to fit alone.
    """
    n, e, d = (number(given, attribute) for attribute in (CKA.MODULUS, CKA.PUBLIC_EXPONENT, CKA.PRIVATE_EXPONENT))
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
    if p.bit_length() > n.bit_length() // 2 + _MAX_UNBALANCE:
        raise ValueError("one prime is much longer than the other")
    return p, q


def _secret_number(value: int) -> SecretBytes:
    return SecretBytes(value.to_bytes(-(-value.bit_length() // 8), "big"))


def _set_check_value(given: Given, computed: bytes) -> None:
    """Set CKA_CHECK_VALUE, unless the caller left it empty on purpose; a wrong one is refused (section 4.10.2)."""
    claimed = given.setdefault(CKA.CHECK_VALUE, computed)
    if claimed and claimed != computed:
        raise Pkcs11Error(CKR.ATTRIBUTE_VALUE_INVALID, f"{attribute_name(CKA.CHECK_VALUE)} does not fit the value")


def _sha1(value: bytes | bytearray) -> bytes:
    return hashlib.sha1(value, usedforsecurity=False).digest()[:_CHECK_VALUE_SIZE]


def _aes_of_zeros(key: bytes | bytearray) -> bytes:
    encryptor = Cipher(AES(key), modes.ECB()).encryptor()  # noqa: S305 - one block, as the standard defines it
    return encryptor.update(bytes(16))[:_CHECK_VALUE_SIZE]
