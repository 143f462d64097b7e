# SPDX-License-Identifier: Apache-2.0
"""HKDF (RFC 5869, Wycheproof), NIST SP 800-108 (CAVS, three modes), PBKDF2 (RFC 6070, Wycheproof)."""

import pytest

from softee.names import CKM, CKR, Pbkd2Prf, PrfDataType
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.keys.view import KeyView
from support import keys
from support import mechanism_runs as run
from support.mechanism_runs import counted, u32
from support.samples.derivation import ITERATION, hkdf, pbkdf2, pieces
from vectors.reading import records, wycheproof

PRFS = {
    "CMAC_AES128": CKM.AES_CMAC,
    "CMAC_AES192": CKM.AES_CMAC,
    "CMAC_AES256": CKM.AES_CMAC,
    "HMAC_SHA1": CKM.SHA_1_HMAC,
    "HMAC_SHA224": CKM.SHA224_HMAC,
    "HMAC_SHA256": CKM.SHA256_HMAC,
    "HMAC_SHA384": CKM.SHA384_HMAC,
    "HMAC_SHA512": CKM.SHA512_HMAC,
}


def test_hkdf_of_wycheproof() -> None:
    refused = 0
    for _, test in wycheproof("hkdf_sha256"):
        key = keys.secret_key(bytes.fromhex(test["ikm"]))
        parameter = hkdf(CKM.SHA256, bytes.fromhex(test["salt"]), bytes.fromhex(test["info"]))
        if test["result"] == "valid":
            assert run.derive(CKM.HKDF_DERIVE, key, parameter, test["size"]).hex() == test["okm"], test["comment"]
            continue
        with pytest.raises(Pkcs11Error) as caught:
            run.derive(CKM.HKDF_DERIVE, key, parameter, test["size"])
        assert caught.value.rv is CKR.ATTRIBUTE_VALUE_INVALID
        refused += 1
    assert refused == 3


@pytest.mark.parametrize(("file", "mechanism"), [("SHA256", CKM.SHA256), ("SHA1", CKM.SHA_1)])
def test_hkdf_of_rfc_5869_at_once_and_in_two_steps(file: str, mechanism: CKM) -> None:
    found = list(records(f"KDF/rfc-5869-HKDF-{file}.txt", last="OKM"))
    assert len(found) >= 3
    for record in found:
        ikm, salt, info = (bytes.fromhex(record.get(name, "")) for name in ("IKM", "salt", "info"))
        size, okm, key = int(record["L"]), record["OKM"], keys.secret_key(ikm)
        assert run.derive(CKM.HKDF_DERIVE, key, hkdf(mechanism, salt, info), size).hex() == okm
        extracted = run.derive(CKM.HKDF_DERIVE, key, hkdf(mechanism, salt or None, expand=False))
        assert extracted.hex() == record["PRK"]
        expanding = hkdf(mechanism, None, info, extract=False)
        assert run.derive(CKM.HKDF_DERIVE, keys.secret_key(extracted), expanding, size).hex() == okm


def base(name: str, value: str) -> KeyView:
    made = bytes.fromhex(value)
    return keys.aes_key(made) if "CMAC" in name else keys.secret_key(made)


def test_counter_mode_of_nist_with_the_counter_anywhere() -> None:
    """Every fifth of CAVS's, less those with Triple DES."""
    found = [one for one in records("KDF/nist-800-108-KBKDF-CTR.txt", last="KO") if one["PRF"] in PRFS]
    assert len(found) == 3840
    for record in found[::5]:
        before, after = _around(record)
        parameter = u32(PRFS[record["PRF"]]) + pieces(
            (PrfDataType.SP800_108_BYTE_ARRAY, before),
            (PrfDataType.SP800_108_ITERATION_VARIABLE, u32(0, int(record["RLEN"].removesuffix("_BITS")))),
            (PrfDataType.SP800_108_BYTE_ARRAY, after),
        )
        key, size = base(record["PRF"], record["KI"]), int(record["L"]) // 8
        assert run.derive(CKM.SP800_108_COUNTER_KDF, key, parameter + u32(0), size).hex() == record["KO"]


def _around(record: dict[str, str]) -> tuple[bytes, bytes]:
    if record["CTRLOCATION"] == "MIDDLE_FIXED":
        return bytes.fromhex(record["DataBeforeCtrData"]), bytes.fromhex(record["DataAfterCtrData"])
    fixed = bytes.fromhex(record["FixedInputData"])
    return (b"", fixed) if record["CTRLOCATION"] == "BEFORE_FIXED" else (fixed, b"")


FEEDBACK = [
    (
        "CMAC_AES128",
        16,
        "d7f5fa7551645de0b36aecd46565f954",
        "",
        "fb5294ed40a0e4aa70a7be13913070a4c5cfc05f89b9f7dd26a493b8c63889c7c3b0b60dd6d598ffa296a426224c727a501946",
        (
            "7164471f559812581a53aaf7fb6d6c53a1293115cda873887efcc7ce6b3a026b"
            "2d19f0d38db8590e218a2676df88f53cab3313ed63bd1e4828f3c066ea5eb1fd"
        ),
    ),
    (
        "CMAC_AES128",
        None,
        "5c996c922f65de97d4408373229814c6",
        "28dc945cb8337ab5336c3e9b5bad21c7",
        "62afe5fed91e797221a854336b0aadd8a05ad0e3c8345729897b2efcec5a1178a2fa4c063007b67a7015e0d6b7271ea8d86b44",
        (
            "88a9aae193abdd3fe8143bab66014ae41dc2d12ea9d08f5871588fc5d827924e"
            "b9942989d7a36d4b3b107997566472cad5942bd13cb5cff32b9dae30f1bb6300"
        ),
    ),
    (
        "HMAC_SHA256",
        32,
        "93f698e842eed75394d629d957e2e89c6e741f810b623c8b901e38376d068e7b",
        "9f575d9059d3e0c0803f08112f8a806de3c3471912cdf42b095388b14b33508e",
        "53b89c18690e2057a1d167822e636de50be0018532c431f7f5e37f77139220d5e042599ebe266af5767ee18cd2c5c19a1f0f80",
        (
            "bd1476f43a4e315747cf5918e0ea5bc0d98769457477c3ab18b742def0e079a9"
            "33b756365afb5541f253fee43c6fd788a44041038509e9eeb68f7d65ffbb5f95"
        ),
    ),
]
DOUBLE_PIPELINE = [
    (
        "CMAC_AES128",
        8,
        "08a5a251b8e4826fbf73292f4cd6c790",
        "aa5acbce73a98d4c4f361d5c22a2cc6f6bdc30027aa31af1ba8b15a5bd5b6a34d133519ad1a82483c2d2a6dd9a97273a780421",
        (
            "ff1c72ec38b8968a1ce0942a571a1f522ddd2a1c6ffc2b60c90bb54a5c0e9de4"
            "0d289686cbff127b408ec64ef615b18c1abc0736ae4c94e33e54d832e686276e"
        ),
    ),
    (
        "CMAC_AES256",
        32,
        "2451975a33ab0c7535e00abe7b57982335b0471ad857a093c6765e6c58443852",
        "fb95eb3c47dcad3b783b045b29bcb6f5aefc0389735843b92b4d8fab97d61350b76b2a83442d7c5aa497aa1cf441760281a08b",
        (
            "2f157687f782c8b64325826e3c755194c70abffd9d78c4678924b9d73dcced86"
            "dcaf7dfa3bf56cf03fa45c7fca05ca1092c41bbd934131e95db2b204241a9d02"
        ),
    ),
    (
        "CMAC_AES128",
        None,
        "ada2452f1f141a82c7a1b7d3e09ffed1",
        "335660eb265d2044efa06eacd848d3f9f57d219011343318f3a964df4a6fb1bf6cbdee711c7fcbe73b8f257f992e47e8b065af",
        (
            "a73bd29176e38e761222ae07d639181f4b2c555a3b261815cde5d88a67c8b95c"
            "58b6b66ea4f10608c6d799b051519fc8e89de00cdc556350a7d966475086f9af"
        ),
    ),
]
"""CAVS's first records of their kinds: function, bits of the counter that stands after the iteration, KI, …, KO."""


def _after_iteration(prf: str, bits: int | None, fixed: str) -> bytes:
    counter = () if bits is None else ((PrfDataType.SP800_108_COUNTER, u32(0, bits)),)
    data = (ITERATION, *counter, (PrfDataType.SP800_108_BYTE_ARRAY, bytes.fromhex(fixed)))
    return u32(PRFS[prf]) + pieces(*data)


@pytest.mark.parametrize(("prf", "bits", "ki", "initial", "fixed", "expected"), FEEDBACK)
def test_feedback_mode_of_nist(  # noqa: PLR0917 - a vector has so many parts
    prf: str, bits: int | None, ki: str, initial: str, fixed: str, expected: str
) -> None:
    parameter = _after_iteration(prf, bits, fixed) + counted(bytes.fromhex(initial)) + u32(0)
    for size in (64, 33, 1):
        made = run.derive(CKM.SP800_108_FEEDBACK_KDF, base(prf, ki), parameter, size)
        assert made.hex() == expected[: 2 * size]


@pytest.mark.parametrize(("prf", "bits", "ki", "fixed", "expected"), DOUBLE_PIPELINE)
def test_double_pipeline_mode_of_nist(prf: str, bits: int | None, ki: str, fixed: str, expected: str) -> None:
    parameter = _after_iteration(prf, bits, fixed) + u32(0)
    for size in (64, 33, 1):
        made = run.derive(CKM.SP800_108_DOUBLE_PIPELINE_KDF, base(prf, ki), parameter, size)
        assert made.hex() == expected[: 2 * size]


def test_pbkdf2_of_rfc_6070() -> None:
    tried = 0
    for record in records("KDF/rfc-6070-PBKDF2-SHA1.txt", last="DERIVED_KEY"):
        iterations, size = int(record["ITERATIONS"]), int(record["LENGTH"])
        salt, password = (record[part].replace("\\0", "\0").encode() for part in ("SALT", "PASSWORD"))
        parameter = pbkdf2(salt, iterations, password, Pbkd2Prf.PKCS5_PBKD2_HMAC_SHA1)
        if iterations > 1 << 20:
            with pytest.raises(Pkcs11Error, match="MECHANISM_PARAM_INVALID"):
                run.generate(CKM.PKCS5_PBKD2, parameter, size)
            continue
        assert run.generate(CKM.PKCS5_PBKD2, parameter, size).hex() == record["DERIVED_KEY"]
        tried += 1
    assert tried == 5


def test_pbkdf2_of_wycheproof() -> None:
    for _, test in wycheproof("pbkdf2_hmacsha256"):
        parameter = pbkdf2(bytes.fromhex(test["salt"]), test["iterationCount"], bytes.fromhex(test["password"]))
        assert run.generate(CKM.PKCS5_PBKD2, parameter, test["dkLen"]).hex() == test["dk"], test["comment"]
