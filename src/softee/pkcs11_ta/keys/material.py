# SPDX-License-Identifier: Apache-2.0
"""The keys behind key objects: what a mechanism sees of one, and the library's own key object, made when first needed.

The attributes were checked when the object was made and have been sealed since, so loading them here does not test
their primes again.
"""

from collections.abc import Callable, Mapping
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec, rsa

from softee.names import CKA, CKK, CKO, CKR
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.attributes.values import Attributes
from softee.pkcs11_ta.keys.curves import find_curve

NativeKey = rsa.RSAPublicKey | rsa.RSAPrivateKey | ec.EllipticCurvePublicKey | ec.EllipticCurvePrivateKey

_OCTET_STRING = 0x04
_LONG_FORM = 0x81


def number(attributes: Attributes, attribute: CKA) -> int:
    """Return an attribute that is a big integer (big-endian). Raises CKR_TEMPLATE_INCOMPLETE where it is missing."""
    return int.from_bytes(octets(attributes, attribute), "big")


def octets(attributes: Attributes, attribute: CKA) -> bytes | bytearray:
    """Return an attribute that is bytes. Raises CKR_TEMPLATE_INCOMPLETE where it is missing or empty."""
    value = attributes.get(attribute)
    if not isinstance(value, bytes | bytearray) or not value:
        raise Pkcs11Error(CKR.TEMPLATE_INCOMPLETE, f"CKA_{attribute.name} is missing or empty")
    return value


def point_of(ec_point: bytes | bytearray, curve: ec.EllipticCurve) -> bytes:
    """Return the X9.62 point in CKA_EC_POINT: a DER OCTET STRING, or (as some applications give it) the bare point.

    Raises ValueError where it is neither.
    """
    raw = bytes(ec_point)
    if len(raw) == 1 + 2 * -(-curve.key_size // 8):
        return raw
    for head in (bytes((_OCTET_STRING,)), bytes((_OCTET_STRING, _LONG_FORM))):
        start = len(head) + 1
        if raw.startswith(head) and raw[len(head) : start] == bytes((max(0, len(raw) - start) & 0xFF,)):
            return raw[start:]
    raise ValueError("CKA_EC_POINT is neither a DER OCTET STRING nor a bare point")


def load_rsa_public(attributes: Attributes) -> rsa.RSAPublicKey:
    """Return the RSA public key of a public or a private key's attributes. Raises ValueError."""
    return rsa.RSAPublicNumbers(number(attributes, CKA.PUBLIC_EXPONENT), number(attributes, CKA.MODULUS)).public_key()


def load_rsa_private(attributes: Attributes, *, checked: bool = True) -> rsa.RSAPrivateKey:
    """Return the RSA private key of complete attributes. Raises ValueError; all is tested unless ``checked``."""
    public = rsa.RSAPublicNumbers(number(attributes, CKA.PUBLIC_EXPONENT), number(attributes, CKA.MODULUS))
    numbers = rsa.RSAPrivateNumbers(
        p=number(attributes, CKA.PRIME_1),
        q=number(attributes, CKA.PRIME_2),
        d=number(attributes, CKA.PRIVATE_EXPONENT),
        dmp1=number(attributes, CKA.EXPONENT_1),
        dmq1=number(attributes, CKA.EXPONENT_2),
        iqmp=number(attributes, CKA.COEFFICIENT),
        public_numbers=public,
    )
    return numbers.private_key(unsafe_skip_rsa_key_validation=checked)


def load_ec_public(attributes: Attributes) -> ec.EllipticCurvePublicKey:
    """Return the EC public key of a public key's attributes. Raises ValueError for a point that is not on the curve."""
    curve = find_curve(bytes(octets(attributes, CKA.EC_PARAMS)))
    return ec.EllipticCurvePublicKey.from_encoded_point(curve, point_of(octets(attributes, CKA.EC_POINT), curve))


def load_ec_private(attributes: Attributes) -> ec.EllipticCurvePrivateKey:
    """Return the EC private key, whose point is computed. Raises ValueError for a value out of the curve's range."""
    curve = find_curve(bytes(octets(attributes, CKA.EC_PARAMS)))
    return ec.derive_private_key(number(attributes, CKA.VALUE), curve)


_LOADERS: Final[Mapping[tuple[int, int], Callable[[Attributes], NativeKey]]] = {
    (CKO.PUBLIC_KEY, CKK.RSA): load_rsa_public,
    (CKO.PRIVATE_KEY, CKK.RSA): load_rsa_private,
    (CKO.PUBLIC_KEY, CKK.EC): load_ec_public,
    (CKO.PRIVATE_KEY, CKK.EC): load_ec_private,
}


class KeyMaterial:
    """A mechanism's view of a key object (``KeyView``). Immutable, but for the native key that it makes once."""

    __slots__ = ("_attributes", "_native", "key_class", "key_type", "size")

    key_class: CKO
    key_type: int
    size: int

    def __init__(self, attributes: Attributes) -> None:
        """Take a key object's attributes. Raises CKR_KEY_HANDLE_INVALID where they are not a key's."""
        try:
            self.key_class = CKO(_integer(attributes, CKA.CLASS))
            self.key_type = _integer(attributes, CKA.KEY_TYPE)
            self._attributes = attributes
            self._native: NativeKey | None = None
            self.size = self._measure()
        except (KeyError, ValueError):
            raise Pkcs11Error(CKR.KEY_HANDLE_INVALID, "the object is not a key") from None

    def secret(self) -> bytes | bytearray:
        """Return a secret key's value. Raises CKR_KEY_TYPE_INCONSISTENT for another kind of key."""
        if self.key_class is not CKO.SECRET_KEY:
            raise _unfit("a secret key")
        return octets(self._attributes, CKA.VALUE)

    def rsa_public(self) -> rsa.RSAPublicKey:
        """Return the RSA public key, of a private key too. Raises CKR_KEY_TYPE_INCONSISTENT."""
        key = self.native()
        if isinstance(key, rsa.RSAPrivateKey):
            return key.public_key()
        if isinstance(key, rsa.RSAPublicKey):
            return key
        raise _unfit("an RSA key")

    def rsa_private(self) -> rsa.RSAPrivateKey:
        """Return the RSA private key. Raises CKR_KEY_TYPE_INCONSISTENT."""
        key = self.native()
        if isinstance(key, rsa.RSAPrivateKey):
            return key
        raise _unfit("an RSA private key")

    def ec_public(self) -> ec.EllipticCurvePublicKey:
        """Return the EC public key, of a private key too. Raises CKR_KEY_TYPE_INCONSISTENT."""
        key = self.native()
        if isinstance(key, ec.EllipticCurvePrivateKey):
            return key.public_key()
        if isinstance(key, ec.EllipticCurvePublicKey):
            return key
        raise _unfit("an EC key")

    def ec_private(self) -> ec.EllipticCurvePrivateKey:
        """Return the EC private key. Raises CKR_KEY_TYPE_INCONSISTENT."""
        key = self.native()
        if isinstance(key, ec.EllipticCurvePrivateKey):
            return key
        raise _unfit("an EC private key")

    def native(self) -> NativeKey:
        """Return the library's key object. Two threads may make it at the same time; both get a good one.

        Raises:
            Pkcs11Error: CKR_KEY_TYPE_INCONSISTENT for a secret key; CKR_GENERAL_ERROR where the parts, checked when the
                object was made, do not make a key.

        """
        if self._native is None:
            load = _LOADERS.get((self.key_class, self.key_type))
            if load is None:
                raise _unfit("an RSA or EC key")
            try:
                self._native = load(self._attributes)
            except ValueError:
                raise Pkcs11Error(CKR.GENERAL_ERROR, "the key's parts do not make a key") from None
        return self._native

    def _measure(self) -> int:
        """Return the size in the unit of C_GetMechanismInfo."""
        if self.key_type == CKK.RSA:
            return number(self._attributes, CKA.MODULUS).bit_length()
        if self.key_type == CKK.EC:
            return find_curve(bytes(octets(self._attributes, CKA.EC_PARAMS))).key_size
        return len(octets(self._attributes, CKA.VALUE))


def _integer(attributes: Attributes, attribute: CKA) -> int:
    value = attributes[attribute]
    if not isinstance(value, int):
        raise ValueError(f"CKA_{attribute.name} is not a number")  # noqa: TRY004 - one error for all that is not a key
    return value


def _unfit(wanted: str) -> Pkcs11Error:
    return Pkcs11Error(CKR.KEY_TYPE_INCONSISTENT, f"the key is not {wanted}")
