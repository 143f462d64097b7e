# SPDX-License-Identifier: Apache-2.0
"""AES-GCM by whichever library takes the initialization vector: `cryptography` those of 8 to 128 bytes.

The standard allows others, of one byte or of hundreds; `pycryptodome` takes them all.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, modes

from softee.pkcs11_ta.mechanisms.aes.cipher import BLOCK, block_cipher
from softee.tee.keys import wipe
from softee.tee.late import LateModule

if TYPE_CHECKING:
    from Crypto.Cipher import AES
    from Crypto.Cipher._mode_gcm import GcmMode
else:
    AES = LateModule("Crypto.Cipher.AES")

_USUAL_IVS = range(8, 128 + 1)
"""Bytes of initialization vectors that `cryptography` takes."""


@dataclass(frozen=True, slots=True)
class GcmParams:
    """CK_GCM_PARAMS: initialization vector, additional authenticated data, and the bytes of a tag."""

    iv: bytes
    aad: bytes
    tag_size: int


class WrongTagError(Exception):
    """The tag is another one; nothing of what was decrypted is left."""


class Encryptor(Protocol):
    """Encrypts data as it comes, or authenticates more of it beforehand."""

    def authenticate(self, data: bytes | bytearray) -> None:
        """Take more additional authenticated data, while nothing is encrypted."""
        ...

    def update(self, data: bytes | bytearray) -> bytes:
        """Return as many bytes as are taken."""
        ...

    def end(self) -> bytes:
        """Return the tag."""
        ...

    def whole(self, data: bytes | bytearray) -> bytearray:
        """Return all of the data encrypted, and the tag."""
        ...


class Decryptor(Protocol):
    """Decrypts data at once."""

    def open(self, encrypted: memoryview, tag: bytes) -> bytearray:
        """Return what was encrypted. Raises WrongTagError."""
        ...


def encryptor(key: bytes | bytearray, params: GcmParams) -> Encryptor:
    """Return what encrypts under an AES key."""
    return (_Encryptor if len(params.iv) in _USUAL_IVS else _AnyIvEncryptor)(key, params)


def decryptor(key: bytes | bytearray, params: GcmParams) -> Decryptor:
    """Return what decrypts under an AES key."""
    return (_Decryptor if len(params.iv) in _USUAL_IVS else _AnyIvDecryptor)(key, params)


class _Encryptor:
    __slots__ = ("_context", "_tag_size")

    def __init__(self, key: bytes | bytearray, params: GcmParams) -> None:
        self._context = Cipher(block_cipher(key), modes.GCM(params.iv)).encryptor()
        self._context.authenticate_additional_data(params.aad)
        self._tag_size = params.tag_size

    def authenticate(self, data: bytes | bytearray) -> None:
        self._context.authenticate_additional_data(data)

    def update(self, data: bytes | bytearray) -> bytes:
        return self._context.update(data)

    def end(self) -> bytes:
        return self._context.finalize() + self._context.tag[: self._tag_size]

    def whole(self, data: bytes | bytearray) -> bytearray:
        sealed = bytearray(len(data) + BLOCK - 1)  # written to in place: ``update`` would copy, and to add the tag, too
        size = self._context.update_into(data, sealed)
        sealed[size:] = self.end()
        return sealed


def _any_iv_cipher(key: bytes | bytearray, params: GcmParams) -> "GcmMode":
    block_cipher(key)  # refuses a key of a wrong size as elsewhere
    cipher = AES.new(key, AES.MODE_GCM, nonce=params.iv, mac_len=params.tag_size)
    cipher.update(params.aad)
    return cipher


class _AnyIvEncryptor:
    __slots__ = ("_cipher",)

    def __init__(self, key: bytes | bytearray, params: GcmParams) -> None:
        self._cipher = _any_iv_cipher(key, params)

    def authenticate(self, data: bytes | bytearray) -> None:
        self._cipher.update(data)

    def update(self, data: bytes | bytearray) -> bytes:
        return self._cipher.encrypt(data)

    def end(self) -> bytes:
        return self._cipher.digest()

    def whole(self, data: bytes | bytearray) -> bytearray:
        return bytearray(self.update(data) + self.end())


class _Decryptor:
    __slots__ = ("_context",)

    def __init__(self, key: bytes | bytearray, params: GcmParams) -> None:
        self._context = Cipher(block_cipher(key), modes.GCM(params.iv, min_tag_length=params.tag_size)).decryptor()
        self._context.authenticate_additional_data(params.aad)

    def open(self, encrypted: memoryview, tag: bytes) -> bytearray:
        plain = bytearray(len(encrypted) + BLOCK - 1)  # the library wants room for a block that it does not write
        self._context.update_into(encrypted, plain)
        del plain[len(encrypted) :]
        try:
            self._context.finalize_with_tag(tag)
        except InvalidTag:
            wipe(plain)
            raise WrongTagError from None
        return plain


class _AnyIvDecryptor:
    __slots__ = ("_cipher",)

    def __init__(self, key: bytes | bytearray, params: GcmParams) -> None:
        self._cipher = _any_iv_cipher(key, params)

    def open(self, encrypted: memoryview, tag: bytes) -> bytearray:
        plain = bytearray(len(encrypted))
        try:
            self._cipher.decrypt_and_verify(encrypted, tag, output=plain)
        except ValueError:
            wipe(plain)
            raise WrongTagError from None
        return plain
