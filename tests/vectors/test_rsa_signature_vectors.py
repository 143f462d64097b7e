# SPDX-License-Identifier: Apache-2.0
"""RSA signatures: RSA Laboratories' PKCS#1 v1.5 and PSS examples, FIPS 186 good and bad ones, Wycheproof's."""

from hashlib import new as hashlib_new

import pytest
from Crypto.Hash import SHA3_224, SHA3_256, SHA3_384, SHA3_512
from Crypto.PublicKey import RSA
from Crypto.Signature import pss
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from softee.names import CKG, CKM, CKR
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.keys.rsa import private_key
from softee.pkcs11_ta.keys.view import KeyView
from support import keys
from support import mechanism_runs as run
from support.mechanism_runs import u32
from vectors.reading import headed, private_pem, records, rsa_private, wycheproof

PKCS1 = {
    "SHA1": CKM.SHA1_RSA_PKCS,
    "SHA224": CKM.SHA224_RSA_PKCS,
    "SHA256": CKM.SHA256_RSA_PKCS,
    "SHA384": CKM.SHA384_RSA_PKCS,
    "SHA512": CKM.SHA512_RSA_PKCS,
}
PSS = {
    "SHA1": (CKM.SHA1_RSA_PKCS_PSS, CKM.SHA_1, CKG.MGF1_SHA1),
    "SHA224": (CKM.SHA224_RSA_PKCS_PSS, CKM.SHA224, CKG.MGF1_SHA224),
    "SHA256": (CKM.SHA256_RSA_PKCS_PSS, CKM.SHA256, CKG.MGF1_SHA256),
    "SHA384": (CKM.SHA384_RSA_PKCS_PSS, CKM.SHA384, CKG.MGF1_SHA384),
    "SHA512": (CKM.SHA512_RSA_PKCS_PSS, CKM.SHA512, CKG.MGF1_SHA512),
}
DIGEST_INFO = {
    "SHA1": "3021300906052b0e03021a05000414",
    "SHA224": "302d300d06096086480165030402040500041c",
    "SHA256": "3031300d060960864801650304020105000420",
    "SHA384": "3041300d060960864801650304020205000430",
    "SHA512": "3051300d060960864801650304020305000440",
}
"""What comes before the digest in a DigestInfo (RFC 8017, 9.2)."""


def digest(name: str, message: bytes) -> bytes:
    return hashlib_new(name.lower(), message).digest()


def pkcs1_block(info: bytes, size: int) -> bytes:
    """Return what RSA itself is applied to (RFC 8017, 9.2)."""
    return b"\0\x01" + b"\xff" * (size - len(info) - 3) + b"\0" + info


def test_pkcs1_examples_of_rsa_laboratories_are_reproduced() -> None:
    """Hashed by the token, as a DigestInfo made by the caller, and as a block that the caller has padded."""
    count = 0
    for record in headed("asymmetric/RSA/pkcs1v15sign-vectors.txt", last="Signature"):
        message, signature = bytes.fromhex(record["Message to be signed"]), bytes.fromhex(record["Signature"])
        key = keys.private_key(rsa_private(record))
        info = bytes.fromhex(DIGEST_INFO["SHA1"]) + digest("SHA1", message)
        assert run.sign(CKM.SHA1_RSA_PKCS, key, b"", [message]) == signature
        assert run.sign(CKM.RSA_PKCS, key, b"", [info]) == signature
        run.verify(CKM.SHA1_RSA_PKCS, key, b"", [message], signature)
        run.verify(CKM.RSA_PKCS, key, b"", [info], signature)
        assert run.sign_recover(CKM.RSA_PKCS, key, b"", info) == signature
        assert run.recover(CKM.RSA_PKCS, key, b"", signature) == info
        padded = pkcs1_block(info, len(signature))
        assert run.sign(CKM.RSA_X_509, key, b"", [padded]) == signature
        run.verify(CKM.RSA_X_509, key, b"", [padded], signature)
        count += 1
    assert count == 300


def test_pss_examples_of_rsa_laboratories_verify() -> None:
    count = 0
    for record in headed("asymmetric/RSA/pkcs-1v2-1d2-vec/pss-vect.txt", last="Signature"):
        key = keys.private_key(rsa_private(record))
        parameter = u32(CKM.SHA_1, CKG.MGF1_SHA1, len(record["Salt"]) // 2)
        message, signature = bytes.fromhex(record["Message to be signed"]), bytes.fromhex(record["Signature"])
        run.verify(CKM.SHA1_RSA_PKCS_PSS, key, parameter, [message], signature)
        run.verify(CKM.RSA_PKCS_PSS, key, parameter, [digest("SHA1", message)], signature)
        count += 1
    assert count == 60


@pytest.mark.parametrize("kind", ["SigVer15_186-3.rsp", "SigVerPSS_186-3.rsp"])
def test_good_and_changed_signatures_of_fips_186_are_told_apart(kind: str) -> None:
    counts = {"P": 0, "F": 0}
    for record in records(f"asymmetric/RSA/FIPS_186-2/{kind}", last="Result"):
        numbers = rsa.RSAPublicNumbers(int(record["e"], 16), int(record["n"], 16))
        key, name = keys.rsa_public_key(numbers.public_key()), record["SHAAlg"]
        message, signature = bytes.fromhex(record["Msg"]), bytes.fromhex(record["S"])
        if kind.startswith("SigVer15"):
            info = bytes.fromhex(DIGEST_INFO[name]) + digest(name, message)
            padded = pkcs1_block(info, len(signature))
            ways = [(PKCS1[name], b"", message), (CKM.RSA_PKCS, b"", info), (CKM.RSA_X_509, b"", padded)]
        else:
            mechanism, hash_mechanism, mgf = PSS[name]
            parameter = u32(hash_mechanism, mgf, len(record["SaltVal"]) // 2)
            ways = [(mechanism, parameter, message), (CKM.RSA_PKCS_PSS, parameter, digest(name, message))]
        counts[record["Result"][0]] += 1
        for mechanism, parameter, data in ways:
            if record["Result"].startswith("P"):
                run.verify(mechanism, key, parameter, [data], signature)
                continue
            with pytest.raises(Pkcs11Error) as caught:
                run.verify(mechanism, key, parameter, [data], signature)
            assert caught.value.rv is CKR.SIGNATURE_INVALID, record["Result"]
    assert counts["P"] >= 25
    assert counts["F"] >= 75


def test_pkcs1_signatures_of_wycheproof_are_reproduced() -> None:
    seen = set()
    for group, test in wycheproof("rsa_pkcs1_2048_sig_gen"):
        name = group["sha"].replace("-", "")
        if name not in PKCS1:
            continue
        key, message = keys.private_key(private_pem(group["privateKeyPem"])), bytes.fromhex(test["msg"])
        if not run.takes(PKCS1[name], key):
            continue
        assert run.sign(PKCS1[name], key, b"", [message]).hex() == test["sig"]
        seen.add(name)
    assert seen == set(PKCS1)


def public_pem(pem: str) -> KeyView:
    key = serialization.load_pem_public_key(pem.encode())
    assert isinstance(key, rsa.RSAPublicKey)
    return keys.rsa_public_key(key)


@pytest.mark.parametrize(
    ("name", "mechanism", "parameter"),
    [
        ("rsa_signature_2048_sha256", CKM.SHA256_RSA_PKCS, b""),
        ("rsa_signature_2048_sha3_224", CKM.SHA3_224_RSA_PKCS, b""),
        ("rsa_signature_2048_sha3_256", CKM.SHA3_256_RSA_PKCS, b""),
        ("rsa_signature_2048_sha3_384", CKM.SHA3_384_RSA_PKCS, b""),
        ("rsa_signature_2048_sha3_512", CKM.SHA3_512_RSA_PKCS, b""),
        ("rsa_pss_2048_sha256_mgf1_32", CKM.SHA256_RSA_PKCS_PSS, u32(CKM.SHA256, CKG.MGF1_SHA256, 32)),
    ],
)
def test_good_and_bad_signatures_of_wycheproof_are_told_apart(name: str, mechanism: CKM, parameter: bytes) -> None:
    """One that Wycheproof calls acceptable (a DigestInfo without NULL) is refused too."""
    counts = {"valid": 0, "invalid": 0, "acceptable": 0}
    for group, test in wycheproof(name):
        key, message, signature = (
            public_pem(group["publicKeyPem"]),
            bytes.fromhex(test["msg"]),
            bytes.fromhex(test["sig"]),
        )
        counts[test["result"]] += 1
        if test["result"] == "valid":
            run.verify(mechanism, key, parameter, [message], signature)
            continue
        with pytest.raises(Pkcs11Error) as caught:
            run.verify(mechanism, key, parameter, [message], signature)
        expected = CKR.SIGNATURE_INVALID if len(signature) == 256 else CKR.SIGNATURE_LEN_RANGE
        assert caught.value.rv is expected, test["comment"]
    assert counts["valid"] >= 5
    assert counts["invalid"] >= 20


SHA3 = {
    224: (CKM.SHA3_224_RSA_PKCS_PSS, SHA3_224),
    256: (CKM.SHA3_256_RSA_PKCS_PSS, SHA3_256),
    384: (CKM.SHA3_384_RSA_PKCS_PSS, SHA3_384),
    512: (CKM.SHA3_512_RSA_PKCS_PSS, SHA3_512),
}
"""By bits, with `pycryptodome`'s hash, whose RSA shares nothing with the token's. Nobody has published vectors."""


@pytest.mark.parametrize("bits", SHA3)
def test_pss_signatures_with_sha3_are_those_of_another_library(bits: int) -> None:
    """Each verifies the other's, by the token's hash and by the caller's; a changed one is none."""
    (hashing, algorithm), message = SHA3[bits], b"what is signed"
    key = keys.rsa_pair()
    theirs = RSA.import_key(private_key(key).private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()))
    parameter = u32(CKM[f"SHA3_{bits}"], CKG[f"MGF1_SHA3_{bits}"], bits // 8)
    for mechanism, data in (
        (hashing, message),
        (CKM.RSA_PKCS_PSS, digest(f"SHA3_{bits}", message)),
    ):
        pss.new(theirs).verify(algorithm.new(message), run.sign(mechanism, key, parameter, [data]))
        signature = pss.new(theirs).sign(algorithm.new(message))
        run.verify(mechanism, key, parameter, [data], signature)
        changed = bytes([signature[0] ^ 1]) + signature[1:]
        with pytest.raises(Pkcs11Error) as caught:
            run.verify(mechanism, key, parameter, [data], changed)
        assert caught.value.rv is CKR.SIGNATURE_INVALID
