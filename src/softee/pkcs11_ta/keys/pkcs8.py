# SPDX-License-Identifier: Apache-2.0
"""Private keys as PKCS#8 PrivateKeyInfo, and public keys as SubjectPublicKeyInfo.

The first is how C_WrapKey and C_UnwrapKey carry private keys (PKCS#11 3.2, section 6.7), the second is
CKA_PUBLIC_KEY_INFO.
"""

from typing import Protocol, cast, runtime_checkable

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
)

from softee.names import CKO, CKR
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.attributes.secret_bytes import SecretBytes
from softee.pkcs11_ta.attributes.values import Parts
from softee.pkcs11_ta.keys.table import find_key_type
from softee.pkcs11_ta.keys.view import KeyView, PrivateKey, PublicKey

LARGEST_KEY = 8192
"""Bytes of a PrivateKeyInfo that is looked at: more than three times the largest RSA key's."""

_SEQUENCE = 0x30
_LONG_FORM = 0x80


@runtime_checkable
class _PrivateKey(Protocol):
    """What the library's private keys have in common, and no public key has."""

    def public_key(self) -> PublicKey: ...

    def private_bytes(
        self, encoding: Encoding, form: PrivateFormat, encryption_algorithm: KeySerializationEncryption, /
    ) -> bytes: ...


def export_private_key(key: KeyView) -> SecretBytes:
    """Return a private key as a DER PrivateKeyInfo. Raises CKR_KEY_NOT_WRAPPABLE for another kind of key."""
    native, key_type = key.native(), find_key_type(key.key_type)
    if key_type is not None and key_type.from_native is None:
        raise Pkcs11Error(CKR.KEY_NOT_WRAPPABLE, f"private keys of type {key_type.name} are not wrapped")
    if isinstance(native, _PrivateKey):
        return SecretBytes(native.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()))
    raise Pkcs11Error(CKR.KEY_NOT_WRAPPABLE, "only secret and private keys can be wrapped")


def export_public_key(key: KeyView) -> bytes:
    """Return the public key of a public or private key as a DER SubjectPublicKeyInfo."""
    return public_half_of(key).public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def public_half_of(key: KeyView) -> PublicKey:
    """Return the library's public key of a public or private key."""
    native = key.native()
    if key.key_class is CKO.PRIVATE_KEY:
        return cast("PrivateKey", native).public_key()
    return cast("PublicKey", native)


def import_private_key(data: bytes | bytearray, key_type: int, *, proven: bool = False) -> Parts:
    """Return the attributes that a PrivateKeyInfo holds; zeros after it are padding.

    With ``proven`` it must hold its public half too, where the private value alone could be any number: else somebody
    could put blocks of another wrapped key in that number's place, and find them by the point that belongs to it.

    The key is not tested here: that takes very long for numbers of hostile sizes, and holds up all other threads. Its
    type's ``complete`` does it, sizes first.

    Raises:
        Pkcs11Error: CKR_WRAPPED_KEY_INVALID: it does not decode, or is not a key of this type that the token takes.

    """
    wanted = find_key_type(key_type)
    try:
        encoded = _without_padding(data)
        native = (wanted.read_info if wanted and wanted.read_info else _read_info)(encoded)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise _invalid("not a PKCS#8 private key") from None
    try:
        parts = wanted.from_native(native) if wanted and wanted.from_native else None
    except ValueError as error:
        raise _invalid(str(error)) from None
    if wanted is None or parts is None:
        raise _invalid("a key of another type than CKA_KEY_TYPE says")
    if proven and wanted.public_half and not _holds(encoded, wanted.public_half(native)):
        raise _invalid("a protected key without its public half")
    return parts


def _read_info(encoded: bytes) -> PrivateKey:
    return load_der_private_key(encoded, password=None, unsafe_skip_rsa_key_validation=True)


def _holds(encoded: bytes, half: bytes | None) -> bool:
    return half is not None and half in encoded


def _without_padding(data: bytes | bytearray) -> bytes:
    """Cut the zeros that filled the last cipher block: the DER's own length says where it ends."""
    end = _der_end(data)
    if end > LARGEST_KEY:
        raise ValueError("too long for a key that the token takes")
    if any(data[end:]):
        raise ValueError("bytes after the key")
    return bytes(data[:end])


def _der_end(data: bytes | bytearray) -> int:
    if len(data) < 2 or data[0] != _SEQUENCE:
        raise ValueError("no DER sequence")
    if data[1] < _LONG_FORM:
        return 2 + data[1]
    count = data[1] - _LONG_FORM
    return 2 + count + int.from_bytes(data[2 : 2 + count], "big")


def _invalid(what: str) -> Pkcs11Error:
    return Pkcs11Error(CKR.WRAPPED_KEY_INVALID, f"the unwrapped bytes are {what}")
