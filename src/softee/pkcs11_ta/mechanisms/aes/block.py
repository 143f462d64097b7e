# SPDX-License-Identifier: Apache-2.0
"""AES-ECB, AES-CBC, and AES-CBC with PKCS#7 padding, which also wrap keys (PKCS#11 3.2, section 6, AES).

ECB and CBC take whole blocks. A wrapped key is filled up with zero bytes to whole blocks, as the standard says;
unwrapping gives them back, and who unwraps cuts the value to its length. None of them vouches for a wrapped key.
"""

from collections.abc import Callable
from typing import TypeVar

from cryptography.hazmat.primitives.ciphers import CipherContext, modes
from cryptography.hazmat.primitives.padding import PKCS7

from softee.names import CKM, CKR
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.mechanisms.aes.cipher import BLOCK, KEY_SIZE, KEY_TYPES, Mode, decryptor, encryptor
from softee.pkcs11_ta.mechanisms.functions import Ciphering, Wrapping
from softee.pkcs11_ta.mechanisms.params import initialization_vector, no_params
from softee.pkcs11_ta.mechanisms.shapes.block_modes import PaddingDecrypt, PaddingEncrypt, WholeBlocks, end_padded
from softee.pkcs11_ta.mechanisms.shapes.ciphering import wrong_length
from softee.pkcs11_ta.mechanisms.spec import QUICK_BULK, AnyMechanism, MechanismSpec
from softee.tee.keys import wipe

P = TypeVar("P")

_PADDING = PKCS7(8 * BLOCK)


def _ecb_mode(_: None) -> Mode:
    return modes.ECB()  # noqa: S305 - a token offers what the standard names; callers choose


def _wrap(context: CipherContext, value: bytes | bytearray) -> bytes:
    """Encrypt a key's value, filled up with zeros to whole blocks."""
    filled = bytearray(value) + bytes(-len(value) % BLOCK)
    wrapped = context.update(filled) + context.finalize()
    wipe(filled)
    return wrapped


def _unwrap(context: CipherContext, wrapped: bytes) -> bytearray:
    """Decrypt a wrapped key. Raises CKR_WRAPPED_KEY_LEN_RANGE where it is not one or more whole blocks."""
    if not wrapped or len(wrapped) % BLOCK:
        raise wrong_length(CKR.WRAPPED_KEY_LEN_RANGE, len(wrapped), f"a multiple of {BLOCK}")
    value = bytearray(len(wrapped) + BLOCK - 1)  # the library wants room for a block that it does not write
    del value[context.update_into(wrapped, value) :]
    return value


def _wrap_padded(context: CipherContext, value: bytes | bytearray) -> bytes:
    return context.update(value) + end_padded(context, BLOCK, len(value))


def _unwrap_padded(context: CipherContext, wrapped: bytes) -> bytearray:
    """Decrypt a wrapped key. Raises CKR_WRAPPED_KEY_INVALID where the padding is bad, else as :func:`_unwrap`."""
    padded = _unwrap(context, wrapped)
    unpadder = _PADDING.unpadder()
    try:
        return bytearray(unpadder.update(padded) + unpadder.finalize())
    except ValueError:
        raise Pkcs11Error(CKR.WRAPPED_KEY_INVALID, "the padding is not PKCS#7's") from None
    finally:
        wipe(padded)


def _whole_blocks(mechanism: CKM, params: Callable[..., P], mode: Callable[[P], Mode]) -> MechanismSpec[P]:
    """Describe a mode that takes whole blocks of data, and keys."""
    return MechanismSpec(
        mechanism=mechanism,
        key_types=KEY_TYPES,
        key_size=KEY_SIZE,
        params=params,
        quick_bytes=QUICK_BULK,
        functions=(
            Ciphering(
                encrypt=lambda key, p: WholeBlocks(encryptor(key, mode(p)), BLOCK, CKR.DATA_LEN_RANGE),
                decrypt=lambda key, p: WholeBlocks(decryptor(key, mode(p)), BLOCK, CKR.ENCRYPTED_DATA_LEN_RANGE),
            ),
            Wrapping(
                wrap=lambda key, p, value: _wrap(encryptor(key, mode(p)), value),
                unwrap=lambda key, p, wrapped: _unwrap(decryptor(key, mode(p)), wrapped),
                malleable=True,
            ),
        ),
    )


SPECS: tuple[AnyMechanism, ...] = (
    MechanismSpec(
        mechanism=CKM.AES_CBC_PAD,
        key_types=KEY_TYPES,
        key_size=KEY_SIZE,
        params=initialization_vector,
        quick_bytes=QUICK_BULK,
        functions=(
            Ciphering(
                encrypt=lambda key, iv: PaddingEncrypt(encryptor(key, modes.CBC(iv)), BLOCK, CKR.DATA_LEN_RANGE),
                decrypt=lambda key, iv: PaddingDecrypt(decryptor(key, modes.CBC(iv)), BLOCK),
            ),
            Wrapping(
                wrap=lambda key, iv, value: _wrap_padded(encryptor(key, modes.CBC(iv)), value),
                unwrap=lambda key, iv, wrapped: _unwrap_padded(decryptor(key, modes.CBC(iv)), wrapped),
                padded=True,
                malleable=True,
            ),
        ),
    ),
    _whole_blocks(CKM.AES_CBC, initialization_vector, modes.CBC),
    _whole_blocks(CKM.AES_ECB, no_params, _ecb_mode),
)
