# SPDX-License-Identifier: Apache-2.0
"""ChaCha20-Poly1305 (PKCS#11 3.2, section 6, ChaCha20/Poly1305 and Salsa20/Poly1305; RFC 8439, 2.8).

The tag of 16 bytes follows the ciphertext. Decryption gives nothing until the tag is found right: the ciphertext waits
until then, up to a limit. A tag that is not right has one error, whatever is wrong. Nonces have RFC 8439's 96 bits.
`pycryptodome` encrypts data as they come, `cryptography` only all at once.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from softee.names import CKM, CKR
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.keys.view import KeyView
from softee.pkcs11_ta.mechanisms.chacha20.stream import BLOCK, KEY_SIZE, KEY_TYPES
from softee.pkcs11_ta.mechanisms.functions import Ciphering, Message, Messaging
from softee.pkcs11_ta.mechanisms.params import invalid
from softee.pkcs11_ta.mechanisms.shapes.ciphering import BufferedCipher, ByteStream, wrong_length
from softee.pkcs11_ta.mechanisms.spec import QUICK_BULK, MechanismSpec
from softee.tee.late import LateModule

if TYPE_CHECKING:
    from Crypto.Cipher import ChaCha20_Poly1305
else:
    ChaCha20_Poly1305 = LateModule("Crypto.Cipher.ChaCha20_Poly1305")

LARGEST_CIPHERTEXT = 1 << 20
"""Bytes to decrypt in parts, tag included, which stay in memory until the end, as with AES-GCM."""

LARGEST_AAD = 1 << 16
"""Bytes of additional authenticated data, as with AES-GCM."""

_TAG_SIZE = 16
_NONCE_SIZE = 12
_LONGEST_MESSAGE = BLOCK * ((1 << 32) - 1)
"""Bytes that one nonce may encrypt: the counter has 32 bits, and its first block makes the key of the tag."""


@dataclass(frozen=True, slots=True)
class AeadParams:
    """CK_SALSA20_CHACHA20_POLY1305_PARAMS: nonce and additional authenticated data."""

    nonce: bytes
    aad: bytes


def aead(nonce: bytes, aad: bytes) -> AeadParams:
    """Check CK_SALSA20_CHACHA20_POLY1305_PARAMS."""
    if len(nonce) != _NONCE_SIZE:
        raise invalid(f"a nonce of {len(nonce)} bytes, not {_NONCE_SIZE}")
    if len(aad) > LARGEST_AAD:
        raise invalid(f"ulAADLen {len(aad)}; {LARGEST_AAD} are allowed")
    return AeadParams(nonce, aad)


def _message(nonce: bytes) -> Message:
    """Check CK_SALSA20_CHACHA20_POLY1305_MSG_PARAMS, whose nonces are always the caller's."""
    aead(nonce, b"")
    return Message(nonce=nonce, tag_size=_TAG_SIZE)


def _of_message(message: Message, aad: bytes) -> AeadParams:
    return aead(message.nonce, aad)


def _cipher(key: KeyView, params: AeadParams) -> "ChaCha20_Poly1305.ChaCha20Poly1305Cipher":
    cipher = ChaCha20_Poly1305.new(key=key.secret(), nonce=params.nonce)
    cipher.update(params.aad)
    return cipher


def _encrypt(key: KeyView, params: AeadParams) -> ByteStream:
    cipher = _cipher(key, params)
    return ByteStream(cipher.encrypt, cipher.digest, longest=_LONGEST_MESSAGE, tag_size=_TAG_SIZE)


def _decrypt(key: KeyView, params: AeadParams) -> BufferedCipher:
    cipher = _cipher(key, params)

    def decrypt(sealed: memoryview) -> bytes:
        size = len(sealed) - _TAG_SIZE
        if size < 0:
            raise wrong_length(CKR.ENCRYPTED_DATA_LEN_RANGE, len(sealed), f"at least {_TAG_SIZE}")
        try:
            return cipher.decrypt_and_verify(sealed[:size], sealed[size:])
        except ValueError:
            raise Pkcs11Error(CKR.ENCRYPTED_DATA_INVALID, "the tag is another one") from None

    return BufferedCipher(decrypt, lambda count: max(0, count - _TAG_SIZE), limit=LARGEST_CIPHERTEXT)


SPECS = (
    MechanismSpec(
        mechanism=CKM.CHACHA20_POLY1305,
        key_types=KEY_TYPES,
        key_size=KEY_SIZE,
        params=aead,
        quick_bytes=QUICK_BULK,
        functions=(
            Ciphering(encrypt=_encrypt, decrypt=_decrypt),
            Messaging(message=_message, parameter=_of_message, random_bits=8 * _NONCE_SIZE),
        ),
    ),
)
