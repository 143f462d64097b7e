# SPDX-License-Identifier: Apache-2.0
"""HKDF: keys, data, and keys to begin with (PKCS#11 3.2, section 6, HKDF; RFC 5869).

Extraction alone makes a key as long as a digest, which may be cut. A key that is expanded alone is taken as extracted,
however long it is.
"""

from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives.kdf.hkdf import HKDF, HKDFExpand

from softee.names import CKA, CKK, CKM, CKO, HkdfSalt
from softee.pkcs11_ta.attributes.secret_bytes import SecretBytes
from softee.pkcs11_ta.attributes.values import Attributes, Parts
from softee.pkcs11_ta.keys.table import SECRET_KEY_TYPES
from softee.pkcs11_ta.keys.view import KeyView
from softee.pkcs11_ta.mechanisms.functions import Deriving
from softee.pkcs11_ta.mechanisms.params import invalid
from softee.pkcs11_ta.mechanisms.shapes.deriving import key_size
from softee.pkcs11_ta.mechanisms.shapes.generating import secret_of_any_size
from softee.pkcs11_ta.mechanisms.shapes.hash_functions import HASH_FUNCTIONS, HashFunction, hash_in
from softee.pkcs11_ta.mechanisms.spec import AnyMechanism, MechanismSpec

_MOST_BLOCKS: Final = 255
_BY_MECHANISM: Final = {int(function.mechanism): function for function in HASH_FUNCTIONS}


@dataclass(frozen=True, slots=True)
class HkdfParams:
    """CK_HKDF_PARAMS. ``salt_key`` is a handle, None where the salt is ``salt``."""

    extract: bool
    expand: bool
    hash: HashFunction
    salt: bytes
    salt_key: int | None
    info: bytes


def _params(  # noqa: PLR0917 - the structure has so many members
    extract: int,
    expand: int,
    hash_function: int,
    salt_type: int,
    salt: bytes,
    salt_key: int,
    info: bytes,
) -> HkdfParams:
    if not extract and not expand:
        raise invalid("neither bExtract nor bExpand: nothing is to be done")
    if hash_function not in _BY_MECHANISM:
        raise invalid(f"prfHashMechanism {hash_function:#x} is no hash function that HKDF has here")
    if extract and salt_type not in set(HkdfSalt):
        raise invalid(f"ulSaltType {salt_type} is none of CKF_HKDF_SALT_NULL, CKF_HKDF_SALT_DATA and CKF_HKDF_SALT_KEY")
    return HkdfParams(
        extract=bool(extract),
        expand=bool(expand),
        hash=_BY_MECHANISM[hash_function],
        salt=salt if salt_type == HkdfSalt.HKDF_SALT_DATA else b"",
        salt_key=salt_key if extract and salt_type == HkdfSalt.HKDF_SALT_KEY else None,
        info=info,
    )


def _keys_in(params: HkdfParams) -> tuple[int, ...]:
    return () if params.salt_key is None else (params.salt_key,)


def _derive(base: KeyView, params: HkdfParams, others: tuple[KeyView, ...], template: Attributes) -> Parts:
    algorithm, size = params.hash.algorithm, params.hash.size
    length = key_size(template, _MOST_BLOCKS * size) if params.expand else key_size(template, size)
    secret = base.secret()
    if params.extract:
        salt = others[0].secret() if others else params.salt
        secret = HKDF.extract(algorithm, bytes(salt) or None, secret)
    if params.expand:
        secret = HKDFExpand(algorithm, length, params.info).derive(secret)
    return {CKA.VALUE: SecretBytes(secret[:length])}


def _derive_data(base: KeyView, params: HkdfParams, others: tuple[KeyView, ...], template: Attributes) -> Parts:
    return {attribute: bytes(value) for attribute, value in _derive(base, params, others, template).items()}


SPECS: tuple[AnyMechanism, ...] = (
    *(
        MechanismSpec(
            mechanism=mechanism,
            key_types=SECRET_KEY_TYPES,
            params=_params,
            hashes_in=hash_in,
            functions=(Deriving(derive=derive, keys_in=_keys_in, makes=makes),),
        )
        for mechanism, derive, makes in (
            (CKM.HKDF_DERIVE, _derive, CKO.SECRET_KEY),
            (CKM.HKDF_DATA, _derive_data, CKO.DATA),
        )
    ),
    secret_of_any_size(CKM.HKDF_KEY_GEN, CKK.HKDF),
)
