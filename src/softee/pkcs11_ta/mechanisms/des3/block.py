# SPDX-License-Identifier: Apache-2.0
"""Triple DES in ECB and CBC, and in CBC with PKCS#7 padding (PKCS#11 3.2, section 6, Double and Triple-length DES).

Keys are not wrapped with it: pieces of eight bytes, which each block could be unwrapped as, are found by trying.
"""

from collections.abc import Callable
from typing import TypeVar

from cryptography.hazmat.primitives.ciphers import modes

from softee.names import CKM, CKR
from softee.pkcs11_ta.mechanisms.des3.cipher import BLOCK, KEY_SIZE, KEY_TYPES, Mode, decryptor, encryptor
from softee.pkcs11_ta.mechanisms.functions import Ciphering
from softee.pkcs11_ta.mechanisms.params import initialization_vector_of, no_params
from softee.pkcs11_ta.mechanisms.shapes.block_modes import PaddingDecrypt, PaddingEncrypt, WholeBlocks
from softee.pkcs11_ta.mechanisms.spec import AnyMechanism, MechanismSpec

P = TypeVar("P")

_initialization_vector = initialization_vector_of(BLOCK)


def _ecb_mode(_: None) -> Mode:
    return modes.ECB()  # noqa: S305 - a token offers what the standard names; callers choose


def _spec(mechanism: CKM, params: Callable[..., P], ciphering: Ciphering[P]) -> MechanismSpec[P]:
    return MechanismSpec(
        mechanism=mechanism, key_types=KEY_TYPES, key_size=KEY_SIZE, params=params, functions=(ciphering,)
    )


def _whole_blocks(mode: Callable[[P], Mode]) -> Ciphering[P]:
    return Ciphering(
        encrypt=lambda key, p: WholeBlocks(encryptor(key, mode(p)), BLOCK, CKR.DATA_LEN_RANGE),
        decrypt=lambda key, p: WholeBlocks(decryptor(key, mode(p)), BLOCK, CKR.ENCRYPTED_DATA_LEN_RANGE),
    )


_PADDED: Ciphering[bytes] = Ciphering(
    encrypt=lambda key, iv: PaddingEncrypt(encryptor(key, modes.CBC(iv)), BLOCK, CKR.DATA_LEN_RANGE),
    decrypt=lambda key, iv: PaddingDecrypt(decryptor(key, modes.CBC(iv)), BLOCK),
)

SPECS: tuple[AnyMechanism, ...] = (
    _spec(CKM.DES3_CBC_PAD, _initialization_vector, _PADDED),
    _spec(CKM.DES3_CBC, _initialization_vector, _whole_blocks(modes.CBC)),
    _spec(CKM.DES3_ECB, no_params, _whole_blocks(_ecb_mode)),
)
