# SPDX-License-Identifier: Apache-2.0
"""AES-CCM (PKCS#11 3.2, section 6, AES-CCM; NIST SP 800-38C, RFC 3610).

The MAC follows the ciphertext. All data are held until their end, for the library acts on them at once; so decryption
gives nothing before the MAC is found right. One that is not has one error, whatever is wrong. C_WrapKey does not
wrap with it: by the nonce, which the caller chooses there, one wrapped key tells another (docs/vulnerabilities.md).
"""

from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESCCM

from softee.names import CKM, CKR
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.keys.view import KeyView
from softee.pkcs11_ta.mechanisms.aes.cipher import BLOCK, KEY_SIZE, KEY_TYPES, check_key
from softee.pkcs11_ta.mechanisms.functions import AuthenticatedWrapping, Ciphering, Message, Messaging
from softee.pkcs11_ta.mechanisms.params import invalid
from softee.pkcs11_ta.mechanisms.shapes.ciphering import BufferedCipher, wrong_length
from softee.pkcs11_ta.mechanisms.shapes.nonces import nonce_of_message
from softee.pkcs11_ta.mechanisms.spec import MechanismSpec
from softee.tee.keys import wipe

LARGEST_MESSAGE = 1 << 20
"""Bytes of data, MAC included: they stay in memory until the end, and a client may have thousands of operations."""

LARGEST_AAD = 1 << 16
"""Bytes of additional authenticated data, which stay in memory as long as their operation."""

_RANDOM_BITS = 56
"""Of a nonce that is made at random: the shortest nonce there is (SP 800-38C, appendix A.1)."""

_NONCE_SIZES = range(7, 13 + 1)
_MAC_SIZES = range(4, 16 + 1, 2)
_ANOTHER_MAC = "the MAC is another one"


@dataclass(frozen=True, slots=True)
class CcmParams:
    """CK_CCM_PARAMS: bytes of data without the MAC, nonce, additional authenticated data, bytes of the MAC."""

    data_size: int
    nonce: bytes
    aad: bytes
    mac_size: int


def ccm(data_size: int, nonce: bytes, aad: bytes, mac_size: int) -> CcmParams:
    """Check CK_CCM_PARAMS."""
    if len(nonce) not in _NONCE_SIZES:
        raise invalid(f"ulNonceLen {len(nonce)} is not {_NONCE_SIZES[0]} to {_NONCE_SIZES[-1]}")
    if mac_size not in _MAC_SIZES:
        raise invalid(f"ulMACLen {mac_size} is none of {list(_MAC_SIZES)}")
    if len(aad) > LARGEST_AAD:
        raise invalid(f"ulAADLen {len(aad)}; {LARGEST_AAD} are allowed")
    longest = min(LARGEST_MESSAGE - mac_size, (1 << 8 * (BLOCK - 1 - len(nonce))) - 1)
    if data_size > longest:
        raise invalid(f"ulDataLen {data_size}; with this nonce and MAC {longest} are allowed")
    return CcmParams(data_size, nonce, aad, mac_size)


def _message(data_size: int, nonce: bytes, fixed_bits: int, generator: int, mac_size: int) -> Message:
    """Check CK_CCM_MESSAGE_PARAMS."""
    ccm(data_size, nonce, b"", mac_size)
    return nonce_of_message(nonce, fixed_bits, generator, tag_size=mac_size, data_size=data_size)


def _of_message(message: Message, aad: bytes) -> CcmParams:
    return ccm(message.data_size, message.nonce, aad, message.tag_size)


def _cipher(key: KeyView, params: CcmParams) -> AESCCM:
    check_key(key)
    return AESCCM(key.secret(), params.mac_size)


def _encrypt(key: KeyView, params: CcmParams) -> BufferedCipher:
    cipher = _cipher(key, params)

    def encrypt(data: memoryview) -> bytes:
        if len(data) != params.data_size:
            raise wrong_length(CKR.DATA_LEN_RANGE, len(data), f"ulDataLen, {params.data_size},")
        return cipher.encrypt(params.nonce, data, params.aad)

    return BufferedCipher(encrypt, lambda count: count + params.mac_size, limit=LARGEST_MESSAGE)


def _decrypt(key: KeyView, params: CcmParams) -> BufferedCipher:
    cipher, size = _cipher(key, params), params.data_size + params.mac_size

    def decrypt(sealed: memoryview) -> bytes:
        if len(sealed) != size:
            raise wrong_length(CKR.ENCRYPTED_DATA_LEN_RANGE, len(sealed), f"{size}, ulDataLen and ulMACLen,")
        try:
            return cipher.decrypt(params.nonce, sealed, params.aad)
        except InvalidTag:
            raise Pkcs11Error(CKR.ENCRYPTED_DATA_INVALID, _ANOTHER_MAC) from None

    return BufferedCipher(decrypt, lambda count: max(0, count - params.mac_size), limit=LARGEST_MESSAGE)


def _wrap(key: KeyView, params: CcmParams, value: bytes | bytearray) -> bytes:
    if len(value) != params.data_size:
        raise wrong_length(CKR.KEY_SIZE_RANGE, len(value), f"ulDataLen, {params.data_size},")
    return _cipher(key, params).encrypt(params.nonce, value, params.aad)


def _unwrap(key: KeyView, params: CcmParams, wrapped: bytes) -> bytearray:
    """Decrypt a wrapped key. Raises CKR_WRAPPED_KEY_LEN_RANGE for another size than it has, CKR_WRAPPED_KEY_INVALID."""
    size = params.data_size + params.mac_size
    if len(wrapped) != size or not params.data_size:
        raise wrong_length(CKR.WRAPPED_KEY_LEN_RANGE, len(wrapped), f"{size}, ulDataLen and ulMACLen,")
    value = bytearray(params.data_size)
    try:
        _cipher(key, params).decrypt_into(params.nonce, wrapped, params.aad, value)
    except InvalidTag:
        wipe(value)
        raise Pkcs11Error(CKR.WRAPPED_KEY_INVALID, _ANOTHER_MAC) from None
    return value


SPECS = (
    MechanismSpec(
        mechanism=CKM.AES_CCM,
        key_types=KEY_TYPES,
        key_size=KEY_SIZE,
        params=ccm,
        functions=(
            Ciphering(encrypt=_encrypt, decrypt=_decrypt),
            Messaging(message=_message, parameter=_of_message, random_bits=_RANDOM_BITS),
            AuthenticatedWrapping(wrap=_wrap, unwrap=_unwrap),
        ),
    ),
)
