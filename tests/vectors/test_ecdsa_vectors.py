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
