# SPDX-License-Identifier: Apache-2.0
"""Diffie-Hellman on curves: NIST's with and without a KDF, RFC 7027's and RFC 7748's, X9.63's KDF, Wycheproof's."""

import hashlib
from collections import Counter
from collections.abc import Iterator

import pytest

from softee.names import CKA, CKD, CKK, CKM, CKO, CKR
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.keys.curves import curve_name
from softee.pkcs11_ta.keys.ec import CURVES
from softee.pkcs11_ta.keys.material import KeyMaterial
from softee.pkcs11_ta.mechanisms.ec.ecdh import KDFS
from support import keys
from support import mechanism_runs as run
from support.samples.ec import CURVE448, CURVE25519, ecdh_params
from vectors.reading import Record, records, wycheproof

MECHANISMS = (CKM.ECDH1_DERIVE, CKM.ECDH1_COFACTOR_DERIVE)
SETS = {"EA": "secp192r1", "EB": "secp224r1", "EC": "secp256r1", "ED": "secp384r1", "EE": "secp521r1"}
NIST = "asymmetric/ECDH/KASValidityTest_ECCStaticUnified_"


def ec_key(curve: str, value: int) -> KeyMaterial:
    return keys.key_of(
        CKO.PRIVATE_KEY, CKK.EC, {CKA.EC_PARAMS: curve_name(curve), CKA.VALUE: value.to_bytes(66, "big")}
    )


def octet_key(ec_params: bytes, value: bytes) -> KeyMaterial:
    return keys.key_of(CKO.PRIVATE_KEY, CKK.EC_MONTGOMERY, {CKA.EC_PARAMS: ec_params, CKA.VALUE: value})


def point(curve: str, x: str, y: str) -> bytes:
    size = -(-CURVES.find(curve_name(curve)).key_size // 8)
    return b"\x04" + b"".join(int(number, 16).to_bytes(size, "big") for number in (x, y))


def exchanges(path: str, last: str) -> Iterator[tuple[str, str, Record, bytes]]:
    """Yield curve, hash function, record and the other party's point of each of NIST's key agreements."""
    for record in records(path, last):
        section = record["section"].split(" - ")
        curve = SETS[section[0]]
        yield curve, section[1], record, point(curve, record["QsCAVSx"], record["QsCAVSy"])


OTHERS_POINT_IS_BAD = ("F (1 ", "F (2 ")
OURS_IS_BAD = ("F (5 ", "F (6 ", "F (7 ")
"""Our own point and private value, in the record: what the token has is the value alone, from which the point comes."""


@pytest.mark.parametrize("side", ["init", "resp"])
def test_secrets_of_nist_without_a_kdf(side: str) -> None:
    seen = Counter[str]()
    for curve, hash_name, record, public in exchanges(f"{NIST}NOKC_ZZOnly_{side}.fax", last="Result"):
        result = record["Result"]
        if result.startswith(OURS_IS_BAD):
            continue
        key = ec_key(curve, int(record["dsIUT"], 16))
        for mechanism in MECHANISMS:
            if result.startswith(OTHERS_POINT_IS_BAD):
                with pytest.raises(Pkcs11Error, match="PUBLIC_KEY_INVALID"):
                    run.derive(mechanism, key, ecdh_params(public))
                continue
            secret = run.derive(mechanism, key, ecdh_params(public))
            digest = hashlib.new(hash_name.lower(), secret).hexdigest()
            assert (digest == record["CAVSHashZZ"]) is result.startswith("P")
        seen[result[:3]] += 1
    assert seen == {"P (": 90, "F (": 30}


@pytest.mark.parametrize("side", ["init", "resp"])
def test_keys_of_nist_by_the_concatenation_kdf(side: str) -> None:
    seen = Counter[str]()
    for curve, hash_name, record, public in exchanges(f"{NIST}KDFConcat_NOKC_{side}.fax", last="Result"):
        result = record["Result"]
        if result.startswith(OURS_IS_BAD):
            continue
        key = ec_key(curve, int(record["dsIUT"], 16))
        kdf = CKD[f"{hash_name.replace('-', '')}_KDF_SP800"]
        wanted = bytes.fromhex(record["DKM"])
        parameter = ecdh_params(public, kdf, bytes.fromhex(record["OI"]))
        if result.startswith(OTHERS_POINT_IS_BAD):
            with pytest.raises(Pkcs11Error, match="PUBLIC_KEY_INVALID"):
                run.derive(CKM.ECDH1_DERIVE, key, parameter, len(wanted))
        else:
            derived = run.derive(CKM.ECDH1_DERIVE, key, parameter, len(wanted))
            altered = result.startswith(("F (8 ", "F (9 ", "F (10"))
            assert (derived == wanted) is not altered, result
        seen[result[:3]] += 1
    assert seen["P ("]
    assert seen["F ("]


def test_secrets_of_rfc_7027_on_brainpool_curves() -> None:
    found = list(records("asymmetric/ECDH/brainpool.txt", last="y_Z"))
    for record in found:
        curve = record["curve"]
        wanted = bytes.fromhex(record["x_Z"])
        for ours, other in (("A", "B"), ("B", "A")):
            key = ec_key(curve, int(record[f"d{ours}"], 16))
            public = point(curve, record[f"x_q{other}"], record[f"y_q{other}"])
            assert run.derive(CKM.ECDH1_DERIVE, key, ecdh_params(public)) == wanted
    assert {record["curve"] for record in found} == {"brainpoolP256r1", "brainpoolP384r1", "brainpoolP512r1"}


@pytest.mark.parametrize(("name", "ec_params"), [("X25519", CURVE25519), ("X448", CURVE448)])
def test_secrets_of_rfc_7748(name: str, ec_params: bytes) -> None:
    found = list(records(f"asymmetric/{name}/rfc7748.txt", last="OUTPUT_U"))
    for record in found:
        scalar, public, secret = (bytes.fromhex(record[part]) for part in ("INPUT_SCALAR", "INPUT_U", "OUTPUT_U"))
        for given in (public, bytes([4, len(public)]) + public):
            assert run.derive(CKM.ECDH1_DERIVE, octet_key(ec_params, scalar), ecdh_params(given)) == secret
    assert found


X963 = {KDFS[kdf].hash.size: KDFS[kdf] for kdf in (CKD[f"SHA{bits}_KDF"] for bits in (1, 224, 256, 384, 512))}
"""By size of a digest."""


def test_keys_by_the_kdf_of_x963() -> None:
    """NIST gives secrets for it, but no keys that share them: the function alone."""
    seen = Counter[int]()
    for record in records("KDF/ansx963_2001.txt", last="key_data"):
        secret, shared, wanted = (bytes.fromhex(record[name]) for name in ("Z", "SharedInfo", "key_data"))
        size = len(record["K1"]) // 2
        kdf = X963[size]
        assert kdf.make(kdf.hash.algorithm, len(wanted), shared).derive(secret) == wanted
        seen[size] += 1
    assert seen.keys() == X963.keys()


def test_secrets_of_wycheproof_on_p256() -> None:
    counts = Counter[str]()
    for _, test in wycheproof("ecdh_secp256r1_ecpoint"):
        key, public = ec_key("secp256r1", int(test["private"], 16)), bytes.fromhex(test["public"])
        counts[test["result"]] += 1
        for mechanism in MECHANISMS:
            if test["result"] == "valid":
                assert run.derive(mechanism, key, ecdh_params(public)) == bytes.fromhex(test["shared"])
                continue
            with pytest.raises(Pkcs11Error) as refused:
                run.derive(mechanism, key, ecdh_params(public))
            assert refused.value.rv is CKR.PUBLIC_KEY_INVALID, test["comment"]
    assert counts == {"valid": 330, "acceptable": 1, "invalid": 24}, "a compressed point is acceptable"


@pytest.mark.parametrize(("name", "ec_params", "size"), [("x25519", CURVE25519, 32), ("x448", CURVE448, 56)])
def test_secrets_of_wycheproof_on_montgomery_curves(name: str, ec_params: bytes, size: int) -> None:
    """What is acceptable is refused where the secret would be zero, which anybody knows."""
    refusals = 0
    for _, test in wycheproof(name):
        key, public = octet_key(ec_params, bytes.fromhex(test["private"])), bytes.fromhex(test["public"])
        shared = bytes.fromhex(test["shared"])
        if any(shared) and len(public) == size:
            assert run.derive(CKM.ECDH1_DERIVE, key, ecdh_params(public)) == shared, test["comment"]
            continue
        assert test["result"] != "valid"
        with pytest.raises(Pkcs11Error) as refused:
            run.derive(CKM.ECDH1_DERIVE, key, ecdh_params(public))
        assert refused.value.rv is CKR.PUBLIC_KEY_INVALID, test["comment"]
        refusals += 1
    assert refusals == {"x25519": 31, "x448": 23}[name]
