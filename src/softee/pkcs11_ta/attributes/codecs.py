# SPDX-License-Identifier: Apache-2.0
"""What an attribute's bytes mean, wherever it appears: one codec per attribute (PKCS#11 3.2, section 4).

On the wire and in a template a value is bytes; in an object it is a bool, an int, bytes, secret bytes, or a tuple.
CK_ULONG travels as 32 bits; 64 bits are taken too, since OP-TEE's client library sends some attributes as the
application's machine has them.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from softee.names import CKA, CKR, CKT, UNAVAILABLE_INFORMATION
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.abi.template import Template, decode_template, encode_template
from softee.pkcs11_ta.attributes.secret_bytes import SecretBytes
from softee.pkcs11_ta.attributes.values import AttributeValue
from softee.wire.codec import WireError

NESTING_LIMIT = 4
"""How deep templates may stand within templates."""

_ULONG_SIZES = (4, 8)
_MECHANISM_SIZE = 4
_LAST_CHOICE = 3
_DATE = re.compile(rb"(\d{4}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01]))?")


@dataclass(frozen=True, slots=True)
class Codec:
    """How one kind of value is written. ``decode`` raises ValueError with what is wrong, and never shows the bytes."""

    name: str
    decode: Callable[[bytes], AttributeValue]
    encode: Callable[[Any], bytes | bytearray]


def _decode_bool(raw: bytes) -> bool:
    if raw not in {b"\0", b"\1"}:
        raise ValueError("not a CK_BBOOL (one byte, 0 or 1)")
    return raw == b"\1"


def _decode_ulong(raw: bytes) -> int:
    if len(raw) not in _ULONG_SIZES:
        raise ValueError(f"not a CK_ULONG (4 bytes, {len(raw)} given)")
    value = int.from_bytes(raw, "little")
    if value == (1 << 64) - 1:
        return UNAVAILABLE_INFORMATION
    if value > UNAVAILABLE_INFORMATION:
        raise ValueError("a CK_ULONG beyond 32 bits")
    return value


def _decode_choice(raw: bytes) -> int:
    value = _decode_ulong(raw)
    if value > _LAST_CHOICE:
        raise ValueError(f"not one of 0 to {_LAST_CHOICE} ({value} given)")
    return value


def _decode_trust(raw: bytes) -> int:
    value = _decode_ulong(raw)
    if value not in set(CKT):
        raise ValueError(f"not a CK_TRUST ({value} given)")
    return value


def _decode_date(raw: bytes) -> bytes:
    if not _DATE.fullmatch(raw):
        raise ValueError("not a CK_DATE (empty, or eight digits YYYYMMDD)")
    return raw


def _decode_mechanisms(raw: bytes) -> tuple[int, ...]:
    if len(raw) % _MECHANISM_SIZE:
        raise ValueError(f"not a list of mechanisms (4 bytes each, {len(raw)} given)")
    return tuple(int.from_bytes(raw[at : at + 4], "little") for at in range(0, len(raw), _MECHANISM_SIZE))


def _encode_mechanisms(mechanisms: tuple[int, ...]) -> bytes:
    return b"".join(mechanism.to_bytes(4, "little") for mechanism in mechanisms)


def _decode_nested(raw: bytes, depth: int = 1) -> Template:
    """Check a template and all those within it; it is kept as the caller ordered it."""
    if not raw:
        return ()
    if depth > NESTING_LIMIT:
        raise ValueError(f"templates are nested more than {NESTING_LIMIT} deep")
    try:
        template = decode_template(raw)
    except WireError as error:
        raise ValueError(f"not a template: {error}") from None
    for attribute, value in template:
        codec = CODECS.get(attribute)
        if codec is None:
            raise ValueError(f"it holds {attribute_name(attribute)}, which is not known here")
        if codec is NESTED:
            _decode_nested(value, depth + 1)
        else:
            codec.decode(value)
    return template


BOOL = Codec("CK_BBOOL", _decode_bool, lambda value: b"\1" if value else b"\0")
ULONG = Codec("CK_ULONG", _decode_ulong, lambda value: value.to_bytes(4, "little"))
CHOICE = Codec("CK_ULONG, 0 to 3", _decode_choice, ULONG.encode)
TRUST = Codec("CK_TRUST", _decode_trust, ULONG.encode)
BYTES = Codec("bytes", bytes, bytes)
SECRET = Codec("secret bytes", SecretBytes, SecretBytes)
DATE = Codec("CK_DATE", _decode_date, bytes)
MECHANISM_LIST = Codec("mechanisms", _decode_mechanisms, _encode_mechanisms)
NESTED = Codec("template", _decode_nested, lambda value: encode_template(value) if value else b"")


def _table(*rows: tuple[Codec, tuple[CKA, ...]]) -> Mapping[int, Codec]:
    return MappingProxyType({int(attribute): codec for codec, types in rows for attribute in types})


CODECS: Mapping[int, Codec] = _table(
    (
        BOOL,
        (
            CKA.TOKEN,
            CKA.PRIVATE,
            CKA.TRUSTED,
            CKA.SENSITIVE,
            CKA.ENCRYPT,
            CKA.DECRYPT,
            CKA.WRAP,
            CKA.UNWRAP,
            CKA.SIGN,
            CKA.SIGN_RECOVER,
            CKA.VERIFY,
            CKA.VERIFY_RECOVER,
            CKA.DERIVE,
            CKA.ENCAPSULATE,
            CKA.DECAPSULATE,
            CKA.EXTRACTABLE,
            CKA.LOCAL,
            CKA.NEVER_EXTRACTABLE,
            CKA.ALWAYS_SENSITIVE,
            CKA.MODIFIABLE,
            CKA.COPYABLE,
            CKA.DESTROYABLE,
            CKA.ALWAYS_AUTHENTICATE,
            CKA.WRAP_WITH_TRUSTED,
        ),
    ),
    (
        ULONG,
        (
            CKA.CLASS,
            CKA.CERTIFICATE_TYPE,
            CKA.NAME_HASH_ALGORITHM,
            CKA.KEY_TYPE,
            CKA.MODULUS_BITS,
            CKA.VALUE_BITS,
            CKA.VALUE_LEN,
            CKA.KEY_GEN_MECHANISM,
            CKA.PARAMETER_SET,
            CKA.PROFILE_ID,
        ),
    ),
    (CHOICE, (CKA.CERTIFICATE_CATEGORY, CKA.JAVA_MIDP_SECURITY_DOMAIN)),
    (
        TRUST,
        (
            CKA.TRUST_SERVER_AUTH,
            CKA.TRUST_CLIENT_AUTH,
            CKA.TRUST_CODE_SIGNING,
            CKA.TRUST_EMAIL_PROTECTION,
            CKA.TRUST_IPSEC_IKE,
            CKA.TRUST_TIME_STAMPING,
            CKA.TRUST_OCSP_SIGNING,
        ),
    ),
    (
        BYTES,
        (
            CKA.UNIQUE_ID,
            CKA.LABEL,
            CKA.APPLICATION,
            CKA.OBJECT_ID,
            CKA.ISSUER,
            CKA.SERIAL_NUMBER,
            CKA.URL,
            CKA.HASH_OF_SUBJECT_PUBLIC_KEY,
            CKA.HASH_OF_ISSUER_PUBLIC_KEY,
            CKA.HASH_OF_CERTIFICATE,
            CKA.CHECK_VALUE,
            CKA.SUBJECT,
            CKA.ID,
            CKA.MODULUS,
            CKA.PRIME,
            CKA.BASE,
            CKA.PUBLIC_EXPONENT,
            CKA.PUBLIC_KEY_INFO,
            CKA.EC_PARAMS,
            CKA.EC_POINT,
        ),
    ),
    (
        SECRET,
        (
            CKA.VALUE,
            CKA.SEED,
            CKA.PRIVATE_EXPONENT,
            CKA.PRIME_1,
            CKA.PRIME_2,
            CKA.EXPONENT_1,
            CKA.EXPONENT_2,
            CKA.COEFFICIENT,
        ),
    ),
    (DATE, (CKA.START_DATE, CKA.END_DATE)),
    (MECHANISM_LIST, (CKA.ALLOWED_MECHANISMS,)),
    (
        NESTED,
        (
            CKA.WRAP_TEMPLATE,
            CKA.UNWRAP_TEMPLATE,
            CKA.DERIVE_TEMPLATE,
            CKA.ENCAPSULATE_TEMPLATE,
            CKA.DECAPSULATE_TEMPLATE,
        ),
    ),
)
"""The codec of each attribute that an object of this application can have."""


def attribute_name(attribute: int) -> str:
    """Return an attribute type as people write it: CKA_LABEL, or its number where it has no name."""
    try:
        return f"CKA_{CKA(attribute).name}"
    except ValueError:
        return f"attribute {attribute:#x}"


def decode_value(attribute: int, raw: bytes) -> AttributeValue:
    """Decode one attribute.

    Raises:
        Pkcs11Error: CKR_ATTRIBUTE_TYPE_INVALID: no object has such an attribute; CKR_ATTRIBUTE_VALUE_INVALID: the
            bytes are not a value of this type.

    """
    codec = CODECS.get(attribute)
    if codec is None:
        raise Pkcs11Error(CKR.ATTRIBUTE_TYPE_INVALID, f"{attribute_name(attribute)} is not known here")
    try:
        return codec.decode(raw)
    except ValueError as error:
        raise Pkcs11Error(CKR.ATTRIBUTE_VALUE_INVALID, f"{attribute_name(attribute)}: {error}") from None


_SIZES: Mapping[type, int] = {bool: 1, int: 4}


def size_of_value(attribute: int, value: AttributeValue) -> int:
    """Return how many bytes ``encode_value`` would give, where possible without making them: some are secret."""
    size = _SIZES.get(type(value))
    if size is not None:
        return size
    return len(value if isinstance(value, bytes | bytearray) else encode_value(attribute, value))


def encode_value(attribute: int, value: AttributeValue) -> bytes | bytearray:
    """Return the bytes of a decoded value."""
    return CODECS[attribute].encode(value)
