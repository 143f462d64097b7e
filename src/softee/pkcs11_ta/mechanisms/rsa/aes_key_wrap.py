# SPDX-License-Identifier: Apache-2.0
"""RSA AES key wrap: a key of any size under an RSA key (PKCS#11 3.2, section 6.1, RSA AES KEY WRAP).

An AES key that is made for it alone wraps the key by KWP, and is itself encrypted by OAEP, which comes first. Whatever
is wrong behind a right size has one error. OP-TEE encrypts and decrypts data so, too.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from cryptography.hazmat.primitives.keywrap import (
    InvalidUnwrap,
    aes_key_unwrap_with_padding,
    aes_key_wrap_with_padding,
)

from softee.names import CKM, CKR
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.keys.rsa import KEY_TYPES, private_key, public_key
from softee.pkcs11_ta.keys.secret import AES_SIZES
from softee.pkcs11_ta.keys.view import KeyView
from softee.pkcs11_ta.mechanisms.functions import Ciphering, Wrapping
from softee.pkcs11_ta.mechanisms.params import invalid
from softee.pkcs11_ta.mechanisms.rsa.oaep import OaepParams, hashes_in, largest_message, oaep, padding_of
from softee.pkcs11_ta.mechanisms.rsa.sizes import BITS_PER_BYTE, modulus_size, not_unwrapped
from softee.pkcs11_ta.mechanisms.shapes.ciphering import BufferedCipher
from softee.pkcs11_ta.mechanisms.spec import MechanismSpec

_SEMIBLOCK = 8
_LEAST = 2 * _SEMIBLOCK
"""Bytes of what KWP makes, at least."""


@dataclass(frozen=True, slots=True)
class RsaAesParams:
    """CK_RSA_AES_KEY_WRAP_PARAMS: the bytes of the AES key, and how it is encrypted."""

    aes_size: int
    oaep: OaepParams


def rsa_aes(aes_bits: int, hash_alg: int, mgf: int, source: int, label: bytes) -> RsaAesParams:
    """Check CK_RSA_AES_KEY_WRAP_PARAMS."""
    size, rest = divmod(aes_bits, BITS_PER_BYTE)
    if rest or size not in AES_SIZES:
        raise invalid(f"ulAESKeyBits {aes_bits} is none of 128, 192 and 256")
    return RsaAesParams(size, oaep(hash_alg, mgf, source, label))


def _wrap(key: KeyView, params: RsaAesParams, value: bytes | bytearray) -> bytes:
    """Wrap a key. Raises CKR_WRAPPING_KEY_SIZE_RANGE for an RSA key that the AES key does not fit into."""
    if not value:
        raise Pkcs11Error(CKR.KEY_SIZE_RANGE, "there are no bytes to wrap")
    if params.aes_size > largest_message(key, params.oaep):
        raise Pkcs11Error(CKR.WRAPPING_KEY_SIZE_RANGE, f"a modulus of {key.size} bits has no room for the AES key")
    aes = os.urandom(params.aes_size)
    return public_key(key).encrypt(aes, padding_of(params.oaep)) + aes_key_wrap_with_padding(aes, value)


def _unwrap(key: KeyView, params: RsaAesParams, wrapped: bytes) -> bytearray:
    size = modulus_size(key)
    encrypted, rest = wrapped[:size], wrapped[size:]
    if len(rest) < _LEAST or len(rest) % _SEMIBLOCK:
        detail = f"{len(wrapped)} bytes; {size} come before {_LEAST} or more, a multiple of {_SEMIBLOCK}"
        raise Pkcs11Error(CKR.WRAPPED_KEY_LEN_RANGE, detail)
    try:
        aes = private_key(key).decrypt(encrypted, padding_of(params.oaep))
        return bytearray(aes_key_unwrap_with_padding(aes, rest))
    except (ValueError, InvalidUnwrap):
        raise not_unwrapped() from None


_OF_DATA = {
    CKR.KEY_SIZE_RANGE: CKR.DATA_LEN_RANGE,
    CKR.WRAPPING_KEY_SIZE_RANGE: CKR.DATA_LEN_RANGE,
    CKR.WRAPPED_KEY_LEN_RANGE: CKR.ENCRYPTED_DATA_LEN_RANGE,
    CKR.WRAPPED_KEY_INVALID: CKR.ENCRYPTED_DATA_INVALID,
}
"""What C_Encrypt and C_Decrypt answer where C_WrapKey and C_UnwrapKey have an answer of their own."""


def _encrypt(key: KeyView, params: RsaAesParams) -> BufferedCipher:
    public_key(key)  # at once, where it is none
    most = modulus_size(key) + _LEAST
    return BufferedCipher(_on_data(partial(_wrap, key, params)), lambda count: most + count, limit=None)


def _decrypt(key: KeyView, params: RsaAesParams) -> BufferedCipher:
    private_key(key)
    return BufferedCipher(_on_data(partial(_unwrap, key, params)), lambda count: count, limit=None)


def _on_data(act: Callable[[bytes], bytes | bytearray]) -> Callable[[bytes], bytes]:
    """Have what wraps or unwraps a key encrypt or decrypt data."""

    def acting(data: bytes) -> bytes:
        try:
            return bytes(act(data))
        except Pkcs11Error as error:
            raise Pkcs11Error(_OF_DATA[error.rv], error.detail) from None

    return acting


_RSA_AES_KEY_WRAP = MechanismSpec(
    mechanism=CKM.RSA_AES_KEY_WRAP,
    key_types=KEY_TYPES,
    params=rsa_aes,
    hashes_in=lambda params: hashes_in(params.oaep),
    functions=(Wrapping(wrap=_wrap, unwrap=_unwrap),),
)

SPECS = (_RSA_AES_KEY_WRAP,)

AS_OPTEE = (
    replace(
        _RSA_AES_KEY_WRAP,
        multi_part=False,
        functions=(Ciphering(encrypt=_encrypt, decrypt=_decrypt), *_RSA_AES_KEY_WRAP.functions),
    ),
)
