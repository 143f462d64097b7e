# SPDX-License-Identifier: Apache-2.0
"""AES-GCM: NIST's known answers, and Wycheproof's odd parameters, counters that wrap and tags that are not right."""

import pytest

from softee.names import CKM, CKR
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.keys.view import KeyView
from softee.pkcs11_ta.mechanisms.functions import Wrapping
from softee.pkcs11_ta.mechanisms.table import MECHANISMS
from support import keys
from support import mechanism_runs as run
from support.mechanism_runs import gcm_params
from vectors.reading import Record, records, sample, wycheproof

FOLDER = "ciphers/AES/GCM"
WRAPPING = MECHANISMS[CKM.AES_GCM].of(Wrapping)


def of_nist(record: Record) -> tuple[KeyView, bytes, bytes]:
    """Return a record's key, parameter, and ciphertext with its tag."""
    key, iv, aad, encrypted, tag = (bytes.fromhex(record[name]) for name in ("Key", "IV", "AAD", "CT", "Tag"))
    return keys.aes_key(key), gcm_params(iv, aad, 8 * len(tag)), encrypted + tag


def refused(key: KeyView, parameter: bytes, sealed: bytes) -> None:
    """Check that nothing comes of a ciphertext, nor of a wrapped key, whose tag is not right."""
    with pytest.raises(Pkcs11Error, match="ENCRYPTED_DATA_INVALID"):
        run.decrypt(CKM.AES_GCM, key, parameter, sealed)
    if len(sealed) > 16:
        with pytest.raises(Pkcs11Error, match="WRAPPED_KEY_INVALID: the tag is another one"):
            WRAPPING.unwrap(key, MECHANISMS[CKM.AES_GCM].parameter(parameter), sealed)


@pytest.mark.parametrize("bits", [128, 192, 256])
def test_encryption_of_nist(bits: int) -> None:
    found = list(records(f"{FOLDER}/gcmEncryptExtIV{bits}.rsp", last="Tag"))
    assert len(found) == 7875
    for record in sample(found, 8):
        key, parameter, sealed = of_nist(record)
        assert run.encrypt(CKM.AES_GCM, key, parameter, bytes.fromhex(record["PT"])) == sealed


@pytest.mark.parametrize("bits", [128, 192, 256])
def test_decryption_of_nist(bits: int) -> None:
    """A record that NIST ends with FAIL instead of PT has a tag that is not right."""
    path = f"{FOLDER}/gcmDecrypt{bits}.rsp"
    plain = {(one["Key"], one["Tag"]): bytes.fromhex(one["PT"]) for one in records(path, last="PT")}
    found = list(records(path, last="Tag"))
    assert len(found) == 7875
    for record in sample(found, 8):
        expected = plain.get((record["Key"], record["Tag"]))
        key, parameter, sealed = of_nist(record)
        if expected is None:
            refused(key, parameter, sealed)
        else:
            assert run.decrypt(CKM.AES_GCM, key, parameter, sealed) == expected


def check_all_ways(key: KeyView, parameter: bytes, plain: bytes, sealed: bytes) -> None:
    """Whole, cut into bytes, and as a wrapped key."""
    for pieces in ([plain], [plain[i : i + 1] for i in range(len(plain))]):
        assert run.encrypt(CKM.AES_GCM, key, parameter, *pieces) == sealed
    for pieces in ([sealed], [sealed[i : i + 1] for i in range(len(sealed))]):
        assert run.decrypt(CKM.AES_GCM, key, parameter, *pieces) == plain
    if plain:
        params = MECHANISMS[CKM.AES_GCM].parameter(parameter)
        assert WRAPPING.wrap(key, params, plain) == sealed
        assert WRAPPING.unwrap(key, params, sealed) == plain


def test_gcm_of_wycheproof() -> None:
    counts = {"valid": 0, "invalid": 0, "no initialization vector": 0}
    for _, test in wycheproof("aes_gcm"):
        key, iv, aad, plain, encrypted, tag = (
            bytes.fromhex(test[name]) for name in ("key", "iv", "aad", "msg", "ct", "tag")
        )
        secret, parameter = keys.aes_key(key), gcm_params(iv, aad)
        counts[test["result"] if iv else "no initialization vector"] += 1
        if not iv:
            with pytest.raises(Pkcs11Error) as caught:
                MECHANISMS[CKM.AES_GCM].parameter(parameter)
            assert caught.value.rv is CKR.MECHANISM_PARAM_INVALID, test["comment"]
        elif test["result"] == "valid":
            check_all_ways(secret, parameter, plain, encrypted + tag)
        else:
            refused(secret, parameter, encrypted + tag)
    assert counts == {"valid": 229, "invalid": 81, "no initialization vector": 6}
