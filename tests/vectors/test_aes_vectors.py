# SPDX-License-Identifier: Apache-2.0
"""AES: NIST's ECB and CBC known answers, RFC 3686 counters, RFC 3962 ciphertext stealing, Wycheproof's padding."""

import pytest

from softee.names import CKM, CKR
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from support import keys
from support import mechanism_runs as run
from support.mechanism_runs import u32
from vectors.reading import records, wycheproof

KINDS = ("GFSbox", "KeySbox", "VarKey", "VarTxt", "MMT")


def check_both_ways(mechanism: CKM, key: bytes, parameter: bytes, plain: bytes, encrypted: bytes) -> None:
    """Whole, and cut into bytes."""
    for pieces in ([plain], [plain[i : i + 1] for i in range(len(plain))]):
        assert run.encrypt(mechanism, keys.aes_key(key), parameter, *pieces) == encrypted
    for pieces in ([encrypted], [encrypted[i : i + 1] for i in range(len(encrypted))]):
        assert run.decrypt(mechanism, keys.aes_key(key), parameter, *pieces) == plain


@pytest.mark.parametrize("bits", [128, 192, 256])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mode", ["ECB", "CBC"])
def test_known_answers_of_nist(mode: str, kind: str, bits: int) -> None:
    found = [
        record
        for record in records(f"ciphers/AES/{mode}/{mode}{kind}{bits}.rsp", last="CIPHERTEXT")
        if record["section"] == "ENCRYPT"
    ]
    assert len(found) >= 4
    for record in found:
        key, iv, plain, encrypted = (
            bytes.fromhex(record.get(name, "")) for name in ("KEY", "IV", "PLAINTEXT", "CIPHERTEXT")
        )
        mechanism = CKM.AES_ECB if mode == "ECB" else CKM.AES_CBC
        check_both_ways(mechanism, key, iv if mode == "CBC" else b"", plain, encrypted)


@pytest.mark.parametrize("bits", [128, 192, 256])
@pytest.mark.parametrize(("mode", "mechanism"), [("ECB", CKM.AES_ECB_ENCRYPT_DATA), ("CBC", CKM.AES_CBC_ENCRYPT_DATA)])
def test_a_key_derived_by_encryption_is_the_known_answer_of_nist(mode: str, mechanism: CKM, bits: int) -> None:
    every = records(f"ciphers/AES/{mode}/{mode}MMT{bits}.rsp", last="CIPHERTEXT")
    found = [record for record in every if record["section"] == "ENCRYPT"]
    for record in found:
        key, iv, plain, encrypted = (
            bytes.fromhex(record.get(name, "")) for name in ("KEY", "IV", "PLAINTEXT", "CIPHERTEXT")
        )
        parameter = iv + u32(len(plain)) + plain
        assert run.derive(mechanism, keys.aes_key(key), parameter) == encrypted
    assert len(found) == 10


@pytest.mark.parametrize("counter_bits", [1, 32, 128])
@pytest.mark.parametrize("bits", [128, 192, 256])
def test_counter_mode_of_rfc_3686(bits: int, counter_bits: int) -> None:
    found = list(records(f"ciphers/AES/CTR/aes-{bits}-ctr.txt", last="CIPHERTEXT"))
    assert len(found) >= 3
    for record in found:
        key, counter, plain, encrypted = (
            bytes.fromhex(record[name]) for name in ("KEY", "IV", "PLAINTEXT", "CIPHERTEXT")
        )
        check_both_ways(CKM.AES_CTR, key, u32(counter_bits) + counter, plain, encrypted)


CHICKEN = b"chicken teriyaki"
GENERAL_GAU = b"I would like the General Gau's Chicken, please, and wonton soup."
RFC_3962 = {
    17: "c6353568f2bf8cb4d8a580362da7ff7f97",
    31: "fc00783e0efdb2c1d445d4c8eff7ed2297687268d6ecccc0c07b25e25ecfe5",
    32: "39312523a78662d5be7fcbcc98ebf5a897687268d6ecccc0c07b25e25ecfe584",
    47: "97687268d6ecccc0c07b25e25ecfe584b3fffd940c16a18c1b5549d2f838029e39312523a78662d5be7fcbcc98ebf5",
    48: "97687268d6ecccc0c07b25e25ecfe5849dad8bbb96c4cdc03bc103e1a194bbd839312523a78662d5be7fcbcc98ebf5a8",
    64: "97687268d6ecccc0c07b25e25ecfe58439312523a78662d5be7fcbcc98ebf5a84807efe836ee89a526730dbc2f7bc840"
    "9dad8bbb96c4cdc03bc103e1a194bbd8",
}
"""Appendix B: by size of the input, which is the beginning of one sentence. The initialization vector is zero."""


@pytest.mark.parametrize("size", RFC_3962)
def test_ciphertext_stealing_of_rfc_3962(size: int) -> None:
    check_both_ways(CKM.AES_CTS, CHICKEN, bytes(16), GENERAL_GAU[:size], bytes.fromhex(RFC_3962[size]))


def test_ciphertext_stealing_of_one_block_is_plain_cbc() -> None:
    check_both_ways(
        CKM.AES_CTS,
        CHICKEN,
        bytes(16),
        GENERAL_GAU[:16],
        run.encrypt(CKM.AES_CBC, keys.aes_key(CHICKEN), bytes(16), GENERAL_GAU[:16]),
    )


def test_padded_cbc_of_wycheproof() -> None:
    counts = {"valid": 0, "invalid": 0}
    for _, test in wycheproof("aes_cbc_pkcs5"):
        key, iv, plain, encrypted = (bytes.fromhex(test[name]) for name in ("key", "iv", "msg", "ct"))
        counts[test["result"]] += 1
        if test["result"] == "valid":
            check_both_ways(CKM.AES_CBC_PAD, key, iv, plain, encrypted)
            continue
        with pytest.raises(Pkcs11Error) as caught:
            run.decrypt(CKM.AES_CBC_PAD, keys.aes_key(key), iv, encrypted)
        expected = CKR.ENCRYPTED_DATA_INVALID if encrypted else CKR.ENCRYPTED_DATA_LEN_RANGE
        assert caught.value.rv is expected, test["comment"]
    assert counts == {"valid": 72, "invalid": 144}
