# SPDX-License-Identifier: Apache-2.0
"""Key derivation functions, and the parameters that they take."""

from softee.names import CKK, CKM, HkdfSalt, Pbkd2Prf, Pbkd2Salt, PrfDataType
from softee.pkcs11_ta.keys.view import KeyView
from support import keys
from support.mechanism_runs import counted, u32
from support.samples.sample import MechanismSample, ObjectSample


def _key() -> KeyView:
    return keys.secret_key(bytes(range(32)), CKK.GENERIC_SECRET)


def _others() -> tuple[KeyView, ...]:
    return (keys.secret_key(b"another key"),)


def hkdf(
    hash_function: CKM,
    salt: bytes | int | None,
    info: bytes = b"",
    *,
    extract: bool = True,
    expand: bool = True,
) -> bytes:
    """Return CK_HKDF_PARAMS as it travels; a salt that is a number is a key's handle."""
    kind = HkdfSalt.HKDF_SALT_KEY if isinstance(salt, int) else HkdfSalt.HKDF_SALT_DATA
    data, handle = (b"", salt) if isinstance(salt, int) else (salt or b"", 0)
    source = HkdfSalt.HKDF_SALT_NULL if salt is None else kind
    return u32(extract, expand, hash_function, source) + counted(data) + u32(handle) + counted(info)


Pieces = tuple[tuple[PrfDataType, bytes], ...]


def pieces(*data: tuple[PrfDataType, bytes]) -> bytes:
    """Return an array of CK_PRF_DATA_PARAM as it travels."""
    return u32(len(data)) + b"".join(u32(kind) + counted(value) for kind, value in data)


COUNTER = (PrfDataType.SP800_108_ITERATION_VARIABLE, u32(0, 32))
ITERATION = (PrfDataType.SP800_108_ITERATION_VARIABLE, b"")
OPTIONAL_COUNTER = (PrfDataType.SP800_108_COUNTER, u32(1, 16))
LENGTH = (PrfDataType.SP800_108_DKM_LENGTH, u32(1, 0, 32))
LABEL = (PrfDataType.SP800_108_BYTE_ARRAY, b"label")
OF_KEY = (PrfDataType.SP800_108_KEY_HANDLE, u32(7))


def pbkdf2(salt: bytes, iterations: int, password: bytes, prf: int = Pbkd2Prf.PKCS5_PBKD2_HMAC_SHA256) -> bytes:
    """Return CK_PKCS5_PBKD2_PARAMS2 as it travels."""
    head = u32(Pbkd2Salt.SALT_SPECIFIED) + counted(salt) + u32(iterations, prf)
    return head + counted(b"") + counted(password)


_AES = MechanismSample(
    lambda: keys.aes_key(bytes(range(16))), u32(CKM.AES_CMAC) + pieces(LABEL, COUNTER, LENGTH) + u32(0)
)
_HKDFS = (
    MechanismSample(_key, hkdf(CKM.SHA256, b"salt", b"info")),
    MechanismSample(_key, hkdf(CKM.SHA3_512, None, extract=True, expand=False)),
    MechanismSample(_key, hkdf(CKM.SHA_1, None, b"info", extract=False)),
    MechanismSample(_key, hkdf(CKM.SHA256, 7, b"info"), others=_others),
)

MECHANISMS = {
    CKM.HKDF_DERIVE: _HKDFS,
    CKM.HKDF_DATA: _HKDFS,
    CKM.HKDF_KEY_GEN: MechanismSample(),
    CKM.SP800_108_COUNTER_KDF: (
        MechanismSample(_key, u32(CKM.SHA256_HMAC) + pieces(COUNTER, LABEL, OF_KEY) + u32(0), others=_others),
        _AES,
    ),
    CKM.SP800_108_FEEDBACK_KDF: MechanismSample(
        _key, u32(CKM.SHA_1_HMAC) + pieces(ITERATION, OPTIONAL_COUNTER, LABEL) + counted(b"first") + u32(0)
    ),
    CKM.SP800_108_DOUBLE_PIPELINE_KDF: MechanismSample(
        _key, u32(CKM.SHA3_256_HMAC) + pieces(ITERATION, LABEL, LENGTH) + u32(0)
    ),
    CKM.PUB_KEY_FROM_PRIV_KEY: MechanismSample(keys.ec_pair),
    CKM.CONCATENATE_BASE_AND_KEY: MechanismSample(_key, u32(7), others=_others),
    CKM.CONCATENATE_BASE_AND_DATA: MechanismSample(_key, counted(b"data")),
    CKM.CONCATENATE_DATA_AND_BASE: MechanismSample(_key, counted(b"data")),
    CKM.XOR_BASE_AND_DATA: MechanismSample(_key, counted(bytes(range(20)))),
    CKM.EXTRACT_KEY_FROM_KEY: MechanismSample(lambda: keys.shown_key(bytes(range(32))), u32(21)),
    CKM.PKCS5_PBKD2: MechanismSample(parameter=pbkdf2(b"salt", 2, b"password")),
}

OBJECTS: dict[str, ObjectSample] = {}
