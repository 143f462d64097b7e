# SPDX-License-Identifier: Apache-2.0
"""ECDSA: FIPS 186-3 signatures good and bad on every curve with every hash, Wycheproof's fixed-width signatures."""

from hashlib import new as hashlib_new

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from softee.names import CKM, CKR
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.keys.view import KeyView
from support import keys
from support import mechanism_runs as run
from vectors.reading import Record, records, wycheproof

CURVES: dict[str, ec.EllipticCurve] = {
    "P-192": ec.SECP192R1(),
    "P-224": ec.SECP224R1(),
    "P-256": ec.SECP256R1(),
    "P-384": ec.SECP384R1(),
    "P-521": ec.SECP521R1(),
}
HASHED = {
    "SHA-1": CKM.ECDSA_SHA1,
    "SHA-224": CKM.ECDSA_SHA224,
    "SHA-256": CKM.ECDSA_SHA256,
    "SHA-384": CKM.ECDSA_SHA384,
    "SHA-512": CKM.ECDSA_SHA512,
}
Case = tuple[CKM, KeyView, bytes, bytes, bytes]


def case(record: Record) -> Case | None:
    """Return mechanism, public key, message, digest, signature; None for a curve that is none of ours."""
    curve_name, hash_name = record["section"].split(",")
    curve = CURVES.get(curve_name)
    if curve is None or hash_name not in HASHED:
        return None
    width = -(-curve.key_size // 8)
    x, y, r, s = (int(record[name], 16) for name in ("Qx", "Qy", "R", "S"))
    message = bytes.fromhex(record["Msg"])
    digest = hashlib_new(hash_name.replace("-", "").lower(), message).digest()
    signature = r.to_bytes(width, "big") + s.to_bytes(width, "big")
    key = keys.ec_public_key(ec.EllipticCurvePublicNumbers(x, y, curve).public_key())
    return HASHED[hash_name], key, message, digest, signature


def test_signatures_of_fips_186_verify_hashed_and_raw() -> None:
    seen = set()
    for record in records("asymmetric/ECDSA/FIPS_186-3/SigGen.txt", last="S"):
        if (found := case(record)) is None:
            continue
        mechanism, key, message, digest, signature = found
        run.verify(mechanism, key, b"", [message], signature)
        run.verify(CKM.ECDSA, key, b"", [digest], signature)
        seen.add(record["section"])
    assert len(seen) >= 20


def test_changed_signatures_of_fips_186_are_refused() -> None:
    counts = {"P": 0, "F": 0}
    for record in records("asymmetric/ECDSA/FIPS_186-3/SigVer.rsp", last="Result"):
        try:
            found = case(record)
        except ValueError:
            assert record["Result"].startswith("F (4"), "Q changed: not a point of the curve, so no key"
            continue
        if found is None:
            continue
        mechanism, key, message, digest, signature = found
        counts[record["Result"][0]] += 1
        for arguments in ((mechanism, key, b"", [message]), (CKM.ECDSA, key, b"", [digest])):
            if record["Result"].startswith("P"):
                run.verify(*arguments, signature)
                continue
            with pytest.raises(Pkcs11Error) as caught:
                run.verify(*arguments, signature)
            assert caught.value.rv is CKR.SIGNATURE_INVALID
    assert counts["P"] > 50
    assert counts["F"] > 150


@pytest.mark.parametrize(
    ("name", "mechanism", "width"),
    [("ecdsa_secp256r1_sha256_p1363", CKM.ECDSA_SHA256, 32), ("ecdsa_secp384r1_sha384_p1363", CKM.ECDSA_SHA384, 48)],
)
def test_fixed_width_signatures_of_wycheproof(name: str, mechanism: CKM, width: int) -> None:
    counts = {"valid": 0, "invalid": 0}
    for group, test in wycheproof(name):
        public = serialization.load_pem_public_key(group["publicKeyPem"].encode())
        assert isinstance(public, ec.EllipticCurvePublicKey)
        message, signature = bytes.fromhex(test["msg"]), bytes.fromhex(test["sig"])
        counts[test["result"]] += 1
        if test["result"] == "valid":
            run.verify(mechanism, keys.ec_public_key(public), b"", [message], signature)
            continue
        with pytest.raises(Pkcs11Error) as caught:
            run.verify(mechanism, keys.ec_public_key(public), b"", [message], signature)
        expected = CKR.SIGNATURE_INVALID if len(signature) == 2 * width else CKR.SIGNATURE_LEN_RANGE
        assert caught.value.rv is expected, test["comment"]
    assert min(counts.values()) > 50


SHA3_256 = {
    "04aaec73635726f213fb8a9e64da3b8632e41495a944d0045b522eba7240fad587d9315798aaa3a5ba01775787ced05eaaf7b4e09fc81d6d1a"
    "a546e8365d525d": [
        (
            "",
            (
                "63f01899b4b0bfe9dc9929fd4526919b981acda781044ee3d2c337bf5fc74830"
                "591381bdf1b1a9b01020b87314a128d06e4833342bf232779f61480739613927"
            ),
        ),
        (
            "4d7367",
            (
                "10228beaf773caeff22a94602e9eff1923dcc51b277f64b482ea63218c350b0d"
                "2104c8343f8970a28c9eb221a63c857ef385e758eaccc5f7d2ae975553a1534b"
            ),
        ),
        (
            "313233343030",
            (
                "e6e1b8c20e9d00f0b6cf1b2c39cacd9c50ee3f990553250f074a4a3eed3afe43"
                "52f3be1ae2d2f9b2bfea8e8c22d95af4574581a9f4b09a89f7b6a4ad1c5b2776"
            ),
        ),
        (
            "00" * 20,
            (
                "20f6203e48fc4c66ae8a74ec61d5124772daad058a74b871914d37dfe9d409c1"
                "8b68de7a4786e29b3a726ea7fd8ef2a585b5c8dadf11281f2caa228eb3df3f96"
            ),
        ),
    ],
    "2927b10512bae3eddcfe467828128bad2903269919f7086069c8c4df6c732838c7787964eaac00e5921fb1498a60f4606766b3d9685001558d"
    "1a974e7341513e": [
        (
            "313233343030",
            (
                "8ab9effd6738803fd19b92d2e9fdea1293056b793e29542b3b224af53e10c36e"
                "9364745a6a2d69f2283698fdfbee7b13de20bc93deb0230a9af3bd9fddf04401"
            ),
        ),
        (
            "313233343030",
            (
                "8ab9effd6738803fd19b92d2e9fdea1293056b793e29542b3b224af53e10c36e"
                "6c9b8ba495d2960ed7c96702041184ebdec63e19c8677b7a58c60d231e72e150"
            ),
        ),
    ],
}
"""The first of Wycheproof's ecdsa_secp256r1_sha3_256_test.json: points, and messages with r and s."""


@pytest.mark.parametrize("point", SHA3_256)
def test_signatures_of_wycheproof_with_sha3_256(point: str) -> None:
    x, y = int(point[-128:-64], 16), int(point[-64:], 16)
    key = keys.ec_public_key(ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key())
    for message, signature in SHA3_256[point]:
        data, signed = bytes.fromhex(message), bytes.fromhex(signature)
        run.verify(CKM.ECDSA_SHA3_256, key, b"", [data], signed)
        for wrong in (data + b"\0", data[:-1] + b"\1"):
            with pytest.raises(Pkcs11Error, match="SIGNATURE_INVALID"):
                run.verify(CKM.ECDSA_SHA3_256, key, b"", [wrong], signed)


SHA3 = {bits: CKM[f"ECDSA_SHA3_{bits}"] for bits in (224, 256, 384, 512)}


@pytest.mark.parametrize("bits", SHA3)
@pytest.mark.parametrize("curve", [ec.SECP224R1, ec.SECP256R1, ec.SECP384R1, ec.SECP521R1, ec.BrainpoolP512R1])
def test_a_signature_with_sha3_is_one_of_its_digest(bits: int, curve: type[ec.EllipticCurve]) -> None:
    """CKM_ECDSA has NIST's vectors on all curves, the digests have NIST's too."""
    key, data = keys.ec_pair(curve), b"the data"
    digest = hashlib_new(f"sha3_{bits}", data).digest()
    run.verify(CKM.ECDSA, key, b"", [digest], run.sign(SHA3[bits], key, b"", [data]))
    run.verify(SHA3[bits], key, b"", [data], run.sign(CKM.ECDSA, key, b"", [digest]))
