# SPDX-License-Identifier: Apache-2.0
"""EdDSA: 1024 signatures of Ed25519's authors, RFC 8032's by all five schemes, Wycheproof's of both curves."""

import pytest

from softee.names import CKA, CKK, CKM, CKO, CKR
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.keys.material import KeyMaterial
from support import keys
from support import mechanism_runs as run
from support.samples.ec import EDWARDS448, EDWARDS25519, eddsa_params
from vectors.reading import fields, records, wycheproof

PURE = eddsa_params()


def private_key(ec_params: bytes, seed: bytes) -> KeyMaterial:
    return keys.key_of(CKO.PRIVATE_KEY, CKK.EC_EDWARDS, {CKA.EC_PARAMS: ec_params, CKA.VALUE: seed})


def public_key(ec_params: bytes, point: bytes) -> KeyMaterial:
    return keys.key_of(CKO.PUBLIC_KEY, CKK.EC_EDWARDS, {CKA.EC_PARAMS: ec_params, CKA.EC_POINT: point})


Vector = tuple[bytes, bytes, bytes, bytes]
"""Private and public key, message, signature."""


def check(ec_params: bytes, vector: Vector, parameter: bytes = PURE) -> None:
    """Sign and verify; another message's signature must not verify."""
    seed, point, message, signature = vector
    public = public_key(ec_params, point)
    assert run.sign(CKM.EDDSA, private_key(ec_params, seed), parameter, [message]) == signature
    run.verify(CKM.EDDSA, public, parameter, [message], signature)
    with pytest.raises(Pkcs11Error, match="SIGNATURE_INVALID"):
        run.verify(CKM.EDDSA, public, parameter, [message + b"\0"], signature)


def test_signatures_of_ed25519s_authors() -> None:
    count = 0
    for seed_and_point, point, message, signed in fields("asymmetric/Ed25519/sign.input"):
        assert seed_and_point[32:] == point
        check(EDWARDS25519, (seed_and_point[:32], point, message, signed[:64]))
        count += 1
    assert count == 1024


def test_signatures_of_rfc_8032_by_ed448() -> None:
    found = list(records("asymmetric/Ed448/rfc8032.txt", last="SIGNATURE"))
    contexts = 0
    for record in found:
        names = ("SECRET", "PUBLIC", "MESSAGE", "SIGNATURE")
        seed, point, message, signature = (bytes.fromhex(record[name]) for name in names)
        context = bytes.fromhex(record["CONTEXT"]) if record["COUNT"] == "2" else b""
        contexts += bool(context)
        check(EDWARDS448, (seed, point, message, signature), eddsa_params(context))
    assert (len(found), contexts) == (9, 1)


CTX_SEED = "0305334e381af78f141cb666f6199f57bc3495335a256a95bd2a55bf546663f6"
CTX_POINT = "dfc9425e4f968f7f0c29f0259cf5f9aed6851c2bb4ad8bfb860cfee0ab248292"
CTX_MESSAGE = "f726936d19c800494e3fdaff20b276a8"
ED25519CTX = [
    (
        *(CTX_SEED, CTX_POINT, CTX_MESSAGE, b"foo"),
        (
            "55a4cc2f70a54e04288c5f4cd1e45a7bb520b36292911876cada7323198dd87a"
            "8b36950b95130022907a7fb7c4e9b2d5f6cca685a587b4b21f4b888e4e7edb0d"
        ),
    ),
    (
        *(CTX_SEED, CTX_POINT, CTX_MESSAGE, b"bar"),
        (
            "fc60d5872fc46b3aa69f8b5b4351d5808f92bcc044606db097abab6dbcb1aee3"
            "216c48e8b3b66431b5b186d1d28f8ee15a5ca2df6668346291c2043d4eb3e90d"
        ),
    ),
    (
        *(CTX_SEED, CTX_POINT, "508e9e6882b979fea900f62adceaca35", b"foo"),
        (
            "8b70c1cc8310e1de20ac53ce28ae6e7207f33c3295e03bb5c0732a1d20dc6490"
            "8922a8b052cf99b7c4fe107a5abb5b2c4085ae75890d02df26269d8945f84b0b"
        ),
    ),
    (
        "ab9c2853ce297ddab85c993b3ae14bcad39b2c682beabc27d6d4eb20711d6560",
        "0f1d1274943b91415889152e893d80e93275a1fc0b65fd71b4b0dda10ad7d772",
        *(CTX_MESSAGE, b"foo"),
        (
            "21655b5f1aa965996b3f97b3c849eafba922a0a62992f73b3d1b73106a84ad85"
            "e9b86a7b6005ea868337ff2d20a7f5fbd4cd10b0be49a68da2b2e0dc0ad8960f"
        ),
    ),
]
"""RFC 8032, section 7.2: private and public key, message, context, signature."""

ED25519PH = (
    "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
    "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
    *(b"abc".hex(), b""),
    (
        "98a70222f0b8121aa9d30f813d683f809e462b469c7ff87639499bb94e6dae41"
        "31f85042463c2a355a2003d062adf5aaa10b8c61e636062aaad11c2a26083406"
    ),
)
"""Section 7.3."""

PH_SEED = (
    "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42ef7822e0d5104127dc05d6dbefde69e3ab2cec7c867c6e2c49"
)
PH_POINT = (
    "259b71c19f83ef77a7abd26524cbdb3161b590a48f7d17de3ee0ba9c52beb743c09428a131d6b1b57303d90d8132c276d5ed3d5d01c0f53880"
)
ED448PH = [
    (
        *(PH_SEED, PH_POINT, b"abc".hex(), b""),
        (
            "822f6901f7480f3d5f562c592994d9693602875614483256505600bbc281ae381f54d6bce2ea911574932f52a4e6cadd78769375ec3ffd1b80"
            "1a0d9b3f4030cd433964b6457ea39476511214f97469b57dd32dbc560a9a94d00bff07620464a3ad203df7dc7ce360c3cd3696d9d9fab90f00"
        ),
    ),
    (
        *(PH_SEED, PH_POINT, b"abc".hex(), b"foo"),
        (
            "c32299d46ec8ff02b54540982814dce9a05812f81962b649d528095916a2aa481065b1580423ef927ecf0af5888f90da0f6a9a85ad5dc3f280"
            "d91224ba9911a3653d00e484e2ce232521481c8658df304bb7745a73514cdb9bf3e15784ab71284f8d0704a608c54a6b62d97beb511d132100"
        ),
    ),
]
"""Section 7.5."""


@pytest.mark.parametrize(
    ("ec_params", "prehash", "vector"),
    [
        *((EDWARDS25519, False, vector) for vector in ED25519CTX),
        (EDWARDS25519, True, ED25519PH),
        *((EDWARDS448, True, vector) for vector in ED448PH),
    ],
)
def test_signatures_of_rfc_8032_with_contexts_and_pre_hashed(
    ec_params: bytes, vector: tuple[str, str, str, bytes, str], *, prehash: bool
) -> None:
    seed, point, message, context, signature = vector
    in_bytes = (bytes.fromhex(seed), bytes.fromhex(point), bytes.fromhex(message), bytes.fromhex(signature))
    check(ec_params, in_bytes, eddsa_params(context, prehash=prehash))


@pytest.mark.parametrize(
    ("name", "ec_params", "size", "valid", "invalid"),
    [("ed25519", EDWARDS25519, 64, 88, 63), ("ed448", EDWARDS448, 114, 17, 70)],
)
def test_signatures_of_wycheproof(name: str, ec_params: bytes, size: int, valid: int, invalid: int) -> None:
    counts = {"valid": 0, "invalid": 0}
    for group, test in wycheproof(name):
        public = public_key(ec_params, bytes.fromhex(group["publicKey"]["pk"]))
        message, signature = bytes.fromhex(test["msg"]), bytes.fromhex(test["sig"])
        counts[test["result"]] += 1
        if test["result"] == "valid":
            run.verify(CKM.EDDSA, public, PURE, [message], signature)
            continue
        with pytest.raises(Pkcs11Error) as caught:
            run.verify(CKM.EDDSA, public, PURE, [message], signature)
        expected = CKR.SIGNATURE_INVALID if len(signature) == size else CKR.SIGNATURE_LEN_RANGE
        assert caught.value.rv is expected, test["comment"]
    assert counts == {"valid": valid, "invalid": invalid}
