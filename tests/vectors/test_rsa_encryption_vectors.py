# SPDX-License-Identifier: Apache-2.0
"""RSA decryption: RSA Laboratories' examples, OAEP with every pair of hashes, Wycheproof's good and bad ones."""

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from softee.names import CKG, CKM, CKR
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from support import keys
from support import mechanism_runs as run
from support.mechanism_runs import u32
from vectors.reading import headed, private_pem, records, rsa_private, sample, wycheproof

HASHES = {"sha1": CKM.SHA_1, "sha224": CKM.SHA224, "sha256": CKM.SHA256, "sha384": CKM.SHA384, "sha512": CKM.SHA512}
MASKS = {
    "sha1": CKG.MGF1_SHA1,
    "sha224": CKG.MGF1_SHA224,
    "sha256": CKG.MGF1_SHA256,
    "sha384": CKG.MGF1_SHA384,
    "sha512": CKG.MGF1_SHA512,
}
PAIRS = [(mask, hashed) for mask in MASKS for hashed in HASHES if (mask, hashed) != ("sha1", "sha1")]
REFUSALS = {CKR.ENCRYPTED_DATA_INVALID, CKR.ENCRYPTED_DATA_LEN_RANGE}


def oaep(hashed: str, mask: str, label: bytes = b"") -> bytes:
    return u32(HASHES[hashed], MASKS[mask], 1, len(label)) + label


def test_pkcs1_examples_of_rsa_laboratories_decrypt() -> None:
    """By the padding, and as the block with it."""
    count = 0
    for record in headed("asymmetric/RSA/pkcs1v15crypt-vectors.txt", last="Encryption"):
        key = keys.private_key(rsa_private(record))
        encrypted = bytes.fromhex(record["Encryption"])
        assert run.decrypt(CKM.RSA_PKCS, key, b"", encrypted).hex() == record["Message"]
        padded = bytes.fromhex(f"0002{record['Seed']}00{record['Message']}")
        assert run.decrypt(CKM.RSA_X_509, key, b"", encrypted) == padded
        assert run.encrypt(CKM.RSA_X_509, key, b"", padded) == encrypted
        count += 1
    assert count == 300


@pytest.mark.parametrize(
    ("path", "mask", "hashed"),
    [("pkcs-1v2-1d2-vec/oaep-vect.txt", "sha1", "sha1")]
    + [(f"oaep-custom/oaep-{mask}-{hashed}.txt", mask, hashed) for mask, hashed in PAIRS],
)
def test_oaep_examples_decrypt(path: str, mask: str, hashed: str) -> None:
    found = list(headed(f"asymmetric/RSA/{path}", last="Encryption"))
    assert len(found) >= 5
    for record in sample(found, 5):
        key = keys.private_key(rsa_private(record))
        encrypted = bytes.fromhex(record["Encryption"])
        assert run.decrypt(CKM.RSA_PKCS_OAEP, key, oaep(hashed, mask), encrypted).hex() == record["Message"]


def test_oaep_label_is_part_of_the_padding() -> None:
    (record,) = records("asymmetric/RSA/oaep-label.txt", last="Output")
    private = serialization.load_der_private_key(bytes.fromhex(record["KEY"]), None)
    assert isinstance(private, rsa.RSAPrivateKey)
    key, encrypted = keys.private_key(private), bytes.fromhex(record["Input"])
    label = bytes.fromhex(record["OAEPLabel"])
    assert run.decrypt(CKM.RSA_PKCS_OAEP, key, oaep("sha512", "sha512", label), encrypted) == b"Hello World"
    for other in (b"", label[:-1], label + b"\0"):
        with pytest.raises(Pkcs11Error) as caught:
            run.decrypt(CKM.RSA_PKCS_OAEP, key, oaep("sha512", "sha512", other), encrypted)
        assert caught.value.rv is CKR.ENCRYPTED_DATA_INVALID


def test_oaep_of_wycheproof() -> None:
    counts = {"valid": 0, "invalid": 0, "acceptable": 0}
    for group, test in wycheproof("rsa_oaep_2048_sha256_mgf1sha256"):
        key, encrypted = keys.private_key(private_pem(group["privateKeyPem"])), bytes.fromhex(test["ct"])
        parameter = oaep("sha256", "sha256", bytes.fromhex(test["label"]))
        counts[test["result"]] += 1
        if test["result"] != "invalid":
            assert run.decrypt(CKM.RSA_PKCS_OAEP, key, parameter, encrypted).hex() == test["msg"]
            continue
        with pytest.raises(Pkcs11Error) as caught:
            run.decrypt(CKM.RSA_PKCS_OAEP, key, parameter, encrypted)
        assert caught.value.rv in REFUSALS, test["comment"]
    assert counts["valid"] >= 10
    assert counts["invalid"] >= 10


def test_pkcs1_of_wycheproof_never_says_that_a_padding_is_bad() -> None:
    """Bad ciphertexts of the right size decrypt to other bytes; the same bytes each time, so that nothing is learnt."""
    counts = {"valid": 0, "invalid": 0, "acceptable": 0}
    for group, test in wycheproof("rsa_pkcs1_2048"):
        key, encrypted = keys.private_key(private_pem(group["privateKeyPem"])), bytes.fromhex(test["ct"])
        counts[test["result"]] += 1
        try:
            plain = run.decrypt(CKM.RSA_PKCS, key, b"", encrypted)
        except Pkcs11Error as error:
            assert test["result"] == "invalid"
            assert error.rv in REFUSALS  # noqa: PT017 - likewise
            assert len(encrypted) != 256 or encrypted >= modulus(group["privateKeyPem"])
            continue
        assert (plain.hex() == test["msg"]) == (test["result"] == "valid"), test["comment"]
        assert run.decrypt(CKM.RSA_PKCS, key, b"", encrypted) == plain
    assert counts["valid"] >= 10
    assert counts["invalid"] >= 10


def modulus(pem: str) -> bytes:
    return private_pem(pem).public_key().public_numbers().n.to_bytes(256, "big")


def test_oaep_of_wycheproof_unwraps_keys() -> None:
    counts = {"valid": 0, "invalid": 0}
    for group, test in wycheproof("rsa_oaep_2048_sha256_mgf1sha256"):
        key = keys.private_key(private_pem(group["privateKeyPem"]))
        parameter, wrapped = oaep("sha256", "sha256", bytes.fromhex(test["label"])), bytes.fromhex(test["ct"])
        if test["result"] == "invalid":
            with pytest.raises(Pkcs11Error) as caught:
                run.unwrap(CKM.RSA_PKCS_OAEP, key, parameter, wrapped)
            assert caught.value.rv in {CKR.WRAPPED_KEY_INVALID, CKR.WRAPPED_KEY_LEN_RANGE}
        elif test["msg"]:
            assert run.unwrap(CKM.RSA_PKCS_OAEP, key, parameter, wrapped).hex() == test["msg"]
        counts[test["result"]] += 1
    assert counts == {"valid": 18, "invalid": 19}


def test_rsa_aes_key_wrap_is_oaep_of_wycheproof_before_kwp_of_wycheproof() -> None:
    """Neither publishes vectors of the two together: OAEP's of 32 bytes is the key by which KWP's data are wrapped."""
    ((group, test),) = (one for one in wycheproof("rsa_oaep_2048_sha256_mgf1sha256") if len(one[1]["msg"]) == 2 * 32)
    key, parameter = keys.private_key(private_pem(group["privateKeyPem"])), u32(256) + oaep("sha256", "sha256")
    inner, first = keys.aes_key(bytes.fromhex(test["msg"])), bytes.fromhex(test["ct"])
    for _, other in wycheproof("aes_kwp"):
        if other["result"] == "valid":
            plain = bytes.fromhex(other["msg"])
            wrapped = first + run.wrap(CKM.AES_KEY_WRAP_KWP, inner, b"", plain)
            assert run.unwrap(CKM.RSA_AES_KEY_WRAP, key, parameter, wrapped) == plain
            with pytest.raises(Pkcs11Error, match="WRAPPED_KEY_INVALID"):
                run.unwrap(CKM.RSA_AES_KEY_WRAP, key, parameter, wrapped[:-1] + bytes([wrapped[-1] ^ 1]))
