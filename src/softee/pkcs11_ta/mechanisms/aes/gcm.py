# SPDX-License-Identifier: Apache-2.0
"""AES-GCM, which also wraps keys (PKCS#11 3.2, section 6, AES-GCM; NIST SP 800-38D).

The tag follows the ciphertext. Decryption gives nothing until the tag is found right: the ciphertext is held back until
then, up to a limit, and decrypted at the end. A tag that is not right has one error, whatever is wrong:
CKR_ENCRYPTED_DATA_INVALID, or CKR_WRAPPED_KEY_INVALID for a wrapped key. These are what the standard lists for
C_Decrypt* and C_UnwrapKey; CKR_AEAD_DECRYPT_FAILED belongs to the functions on messages (sections 5.10, 5.11, 5.18).
OP-TEE answers CKR_SIGNATURE_INVALID to C_Decrypt*, and its own tests ask for that.
"""

from softee.names import CKM, CKR
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.keys.view import KeyView
from softee.pkcs11_ta.mechanisms.aes.cipher import KEY_SIZE, KEY_TYPES
from softee.pkcs11_ta.mechanisms.aes.gcm_library import (
    Decryptor,
    Encryptor,
    GcmParams,
    WrongTagError,
    decryptor,
    encryptor,
)
from softee.pkcs11_ta.mechanisms.functions import AuthenticatedWrapping, Ciphering, Message, Messaging, Wrapping
from softee.pkcs11_ta.mechanisms.params import invalid
from softee.pkcs11_ta.mechanisms.shapes.ciphering import BufferedCipher, ByteStream, wrong_length
from softee.pkcs11_ta.mechanisms.shapes.nonces import nonce_of_message
from softee.pkcs11_ta.mechanisms.spec import QUICK_BULK, MechanismSpec

LARGEST_CIPHERTEXT = 1 << 20
"""Bytes to decrypt in parts, tag included: they stay in memory until the end, and a client may have thousands of
operations. C_Decrypt, which gets them all at once, takes as many as a request has."""

LARGEST_AAD = 1 << 16
"""Bytes of additional authenticated data, which stay in memory as long as their operation."""

_LONGEST_MESSAGE = (1 << 36) - 32
"""Bytes that one initialization vector may encrypt (SP 800-38D, 5.2.1.1): the counter has 32 bits."""

LARGEST_IV = 1 << 10
"""Bytes of an initialization vector. The standard has none of no bytes, and sets no bound that matters."""

_TAG_BITS = frozenset({32, 64, 96, 104, 112, 120, 128})
"""Those of SP 800-38D, 5.2.1.2."""

_RANDOM_BITS = 96
"""Of an initialization vector that is made at random (SP 800-38D, 8.2.2)."""

_ANOTHER_TAG = "the tag is another one"


def check_iv(iv: bytes) -> bytes:
    """Take an initialization vector."""
    if not 1 <= len(iv) <= LARGEST_IV:
        raise invalid(f"ulIvLen {len(iv)} is not 1 to {LARGEST_IV}")
    return iv


def gcm(iv: bytes, aad: bytes, tag_bits: int) -> GcmParams:
    """Check CK_GCM_PARAMS."""
    check_iv(iv)
    if len(aad) > LARGEST_AAD:
        raise invalid(f"ulAADLen {len(aad)}; {LARGEST_AAD} are allowed")
    if tag_bits not in _TAG_BITS:
        raise invalid(f"ulTagBits {tag_bits} is none of {sorted(_TAG_BITS)}")
    return GcmParams(iv, aad, tag_bits // 8)


def _message(iv: bytes, fixed_bits: int, generator: int, tag_bits: int) -> Message:
    """Check CK_GCM_MESSAGE_PARAMS."""
    params = gcm(iv, b"", tag_bits)
    return nonce_of_message(iv, fixed_bits, generator, tag_size=params.tag_size)


def _of_message(message: Message, aad: bytes) -> GcmParams:
    return gcm(message.nonce, aad, message.tag_size * 8)


def _open(opening: Decryptor, sealed: memoryview, tag_size: int, bad_tag: Pkcs11Error) -> bytearray:
    """Return what was encrypted. Raises ``bad_tag`` where the tag is not right; then nothing of it is left."""
    size = len(sealed) - tag_size
    try:
        return opening.open(sealed[:size], bytes(sealed[size:]))
    except WrongTagError:
        raise bad_tag from None


class _Encrypt(ByteStream):
    """Encrypts the data as it comes, and ends with the tag."""

    __slots__ = ("_encrypting",)

    def __init__(self, encrypting: Encryptor, tag_size: int) -> None:
        super().__init__(encrypting.update, encrypting.end, longest=_LONGEST_MESSAGE, tag_size=tag_size)
        self._encrypting = encrypting

    def whole(self, data: bytes | bytearray) -> bytearray:
        """Return all of the data encrypted, and the tag. No request is as large as the longest message."""
        return self._encrypting.whole(data)


def _encrypt(key: KeyView, params: GcmParams) -> _Encrypt:
    return _Encrypt(encryptor(key.secret(), params), params.tag_size)


def _decrypt(key: KeyView, params: GcmParams) -> BufferedCipher:
    """Hold what comes in parts back until its end, and give nothing unless the tag there is right."""
    opening = decryptor(key.secret(), params)

    def decrypt(sealed: memoryview) -> bytearray:
        if len(sealed) < params.tag_size:
            raise wrong_length(CKR.ENCRYPTED_DATA_LEN_RANGE, len(sealed), f"at least {params.tag_size}")
        bad_tag = Pkcs11Error(CKR.ENCRYPTED_DATA_INVALID, _ANOTHER_TAG, optee=CKR.SIGNATURE_INVALID)
        return _open(opening, sealed, params.tag_size, bad_tag)

    return BufferedCipher(decrypt, lambda count: max(0, count - params.tag_size), limit=LARGEST_CIPHERTEXT)


def _wrap(key: KeyView, params: GcmParams, value: bytes | bytearray) -> bytes:
    wrapping = encryptor(key.secret(), params)
    return wrapping.update(value) + wrapping.end()


def _unwrap(key: KeyView, params: GcmParams, wrapped: bytes) -> bytearray:
    """Decrypt a wrapped key. Raises CKR_WRAPPED_KEY_LEN_RANGE for no more than a tag, CKR_WRAPPED_KEY_INVALID."""
    if len(wrapped) <= params.tag_size:
        raise wrong_length(CKR.WRAPPED_KEY_LEN_RANGE, len(wrapped), f"more than {params.tag_size}")
    bad_tag = Pkcs11Error(CKR.WRAPPED_KEY_INVALID, _ANOTHER_TAG)
    return _open(decryptor(key.secret(), params), memoryview(wrapped), params.tag_size, bad_tag)


SPECS = (
    MechanismSpec(
        mechanism=CKM.AES_GCM,
        key_types=KEY_TYPES,
        key_size=KEY_SIZE,
        params=gcm,
        quick_bytes=QUICK_BULK,
        functions=(
            Ciphering(encrypt=_encrypt, decrypt=_decrypt),
            Wrapping(wrap=_wrap, unwrap=_unwrap),
            Messaging(message=_message, parameter=_of_message, random_bits=_RANDOM_BITS),
            AuthenticatedWrapping(wrap=_wrap, unwrap=_unwrap),
        ),
    ),
)
