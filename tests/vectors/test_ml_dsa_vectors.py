# SPDX-License-Identifier: Apache-2.0
"""ML-DSA: the known answers of its three parameter sets, Wycheproof's signatures, and those of another implementation.

The other one is dilithium-py. It is in Python, so that it has nothing in common with what softee uses.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

import dilithium_py.ml_dsa as independent
import pytest

from softee.names import CKA, CKK, CKM, CKO, CKR, HedgeType, MlDsaParameterSet
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.attributes.values import AttributeValue
from softee.pkcs11_ta.keys.material import KeyMaterial
from support import keys
from support import mechanism_runs as run
from support.samples.lattice import hash_sign_params, pair, sign_params
from vectors.reading import records, wycheproof

ML_DSA_65 = MlDsaParameterSet.ML_DSA_65
SIGNATURE_SIZE = 3309
DETERMINISTIC = HedgeType.DETERMINISTIC_REQUIRED


def private_key(number: int, **parts: bytes) -> KeyMaterial:
    own = {int(CKA[part]): value for part, value in parts.items()}
    return keys.key_of(CKO.PRIVATE_KEY, CKK.ML_DSA, {CKA.PARAMETER_SET: number, **own})


def public_key(number: int, value: AttributeValue) -> KeyMaterial:
    return keys.key_of(CKO.PUBLIC_KEY, CKK.ML_DSA, {CKA.PARAMETER_SET: number, CKA.VALUE: value})


@pytest.mark.parametrize("number", MlDsaParameterSet, ids=lambda number: number.name)
def test_known_answers_by_seed_and_by_expanded_key(number: MlDsaParameterSet) -> None:
    count = 0
    for record in records(f"asymmetric/MLDSA/kat_MLDSA_{number.name[-2:]}_det_pure.rsp", last="ctx"):
        seed, value, expanded, message, signed, context = (
            bytes.fromhex(record[name]) for name in ("xi", "pk", "sk", "msg", "sm", "ctx")
        )
        signature = signed[: len(signed) - len(message)]
        parameter = sign_params(context, DETERMINISTIC)
        by = private_key(number, VALUE=expanded) if count % 2 else private_key(number, SEED=seed, VALUE=expanded)
        assert run.sign(CKM.ML_DSA, by, parameter, [message]) == signature
        public = public_key(number, value)
        run.verify(CKM.ML_DSA, public, sign_params(context), [message], signature)
        for other, data in ((parameter, message + b"\0"), (sign_params(context + b"\0"), message)):
            with pytest.raises(Pkcs11Error, match="SIGNATURE_INVALID"):
                run.verify(CKM.ML_DSA, public, other, [data], signature)
        count += 1
    assert count == 100


def test_signatures_of_wycheproof() -> None:
    counts = {"valid": 0, "invalid": 0}
    for group, test in wycheproof("mldsa_65_verify"):
        counts[test["result"]] += 1
        if test["result"] == "valid":
            verify(group, test)
            continue
        with pytest.raises(Pkcs11Error) as caught:
            verify(group, test)
        assert caught.value.rv in refusals(test), test["comment"]
    assert counts == {"valid": 79, "invalid": 131}


def verify(group: Mapping[str, Any], test: Mapping[str, str]) -> None:
    message, signature, context = (bytes.fromhex(test.get(name, "")) for name in ("msg", "sig", "ctx"))
    public = public_key(ML_DSA_65, bytes.fromhex(group["publicKey"]))
    run.verify(CKM.ML_DSA, public, sign_params(context), [message], signature)


def refusals(test: Mapping[str, Any]) -> set[CKR]:
    """Return what an invalid test may be refused with. Keys that are made here were not checked."""
    if "InvalidContext" in test["flags"]:
        return {CKR.MECHANISM_PARAM_INVALID}
    if "IncorrectPublicKeyLength" in test["flags"]:
        return {CKR.ATTRIBUTE_VALUE_INVALID, CKR.GENERAL_ERROR}
    return {CKR.SIGNATURE_INVALID if len(test["sig"]) == 2 * SIGNATURE_SIZE else CKR.SIGNATURE_LEN_RANGE}


INDEPENDENT = {
    MlDsaParameterSet.ML_DSA_44: (independent.ML_DSA_44, independent.HASH_ML_DSA_44_WITH_SHA512),
    MlDsaParameterSet.ML_DSA_65: (independent.ML_DSA_65, independent.HASH_ML_DSA_65_WITH_SHA512),
    MlDsaParameterSet.ML_DSA_87: (independent.ML_DSA_87, independent.HASH_ML_DSA_87_WITH_SHA512),
}


@pytest.mark.parametrize("number", MlDsaParameterSet, ids=lambda number: number.name)
def test_an_independent_implementation_makes_the_same_keys_and_signatures(number: MlDsaParameterSet) -> None:
    other, _ = INDEPENDENT[number]
    public, private = pair(CKK.ML_DSA, number)
    assert other.key_derive(private[CKA.SEED]) == (public[CKA.VALUE], private[CKA.VALUE])
    theirs = other.sign(private[CKA.VALUE], b"message", ctx=b"context", deterministic=True)
    ours = run.sign(CKM.ML_DSA, key(private), sign_params(b"context", DETERMINISTIC), [b"mess", b"age"])
    assert ours == theirs


@pytest.mark.parametrize("number", MlDsaParameterSet, ids=lambda number: number.name)
def test_an_independent_implementation_verifies_what_is_signed_and_is_verified(number: MlDsaParameterSet) -> None:
    pure, prehashed = INDEPENDENT[number]
    public, private = pair(CKK.ML_DSA, number)
    value, expanded = public[CKA.VALUE], private[CKA.VALUE]
    parameter = sign_params(b"context")
    for mechanism, other in ((CKM.ML_DSA, pure), (CKM.HASH_ML_DSA_SHA512, prehashed)):
        signature = run.sign(mechanism, key(private), parameter, [b"message"])
        assert other.verify(value, b"message", signature, ctx=b"context")
        assert not other.verify(value, b"message", signature, ctx=b"other")
        theirs = other.sign(expanded, b"message", ctx=b"context")
        run.verify(mechanism, public_key(number, value), parameter, [b"message"], theirs)


OIDS = {
    CKM.SHA256: (1, CKM.HASH_ML_DSA_SHA256),
    CKM.SHA384: (2, CKM.HASH_ML_DSA_SHA384),
    CKM.SHA512: (3, CKM.HASH_ML_DSA_SHA512),
    CKM.SHA224: (4, CKM.HASH_ML_DSA_SHA224),
    CKM.SHA512_224: (5, None),
    CKM.SHA512_256: (6, None),
    CKM.SHA3_224: (7, CKM.HASH_ML_DSA_SHA3_224),
    CKM.SHA3_256: (8, CKM.HASH_ML_DSA_SHA3_256),
    CKM.SHA3_384: (9, CKM.HASH_ML_DSA_SHA3_384),
    CKM.SHA3_512: (10, CKM.HASH_ML_DSA_SHA3_512),
}
"""By digest mechanism: the last arc of the hash function's object identifier, and the mechanism that hashes, too."""


def signed_message(arc: int, digest: bytes) -> bytes:
    """Return M' of FIPS 204, algorithm 4, with the context b"c"."""
    return b"\x01\x01c" + bytes.fromhex("0609608648016503040200")[:-1] + bytes([arc]) + digest


@pytest.mark.parametrize("hash_mechanism", OIDS, ids=lambda mechanism: mechanism.name)
def test_an_independent_implementation_verifies_signatures_of_every_digest(hash_mechanism: CKM) -> None:
    arc, hashing = OIDS[hash_mechanism]
    public, private = pair(CKK.ML_DSA, 1)
    digest = run.digest(hash_mechanism, [b"message"])
    signatures = [run.sign(CKM.HASH_ML_DSA, key(private), hash_sign_params(hash_mechanism, b"c"), [digest])]
    if hashing:
        signatures.append(run.sign(hashing, key(private), sign_params(b"c"), [b"mess", b"age"]))
    for signature in signatures:
        assert independent.ML_DSA_44._verify_internal(public[CKA.VALUE], signed_message(arc, digest), signature)


SHAKES = {CKM.HASH_ML_DSA_SHAKE128: (11, "shake_128", 32), CKM.HASH_ML_DSA_SHAKE256: (12, "shake_256", 64)}


@pytest.mark.parametrize("mechanism", SHAKES, ids=lambda mechanism: mechanism.name)
def test_an_independent_implementation_verifies_signatures_by_shake(mechanism: CKM) -> None:
    arc, name, size = SHAKES[mechanism]
    public, private = pair(CKK.ML_DSA, 1)
    signature = run.sign(mechanism, key(private), sign_params(b"c"), [b"message"])
    digest = hashlib.new(name, b"message").digest(size)  # type: ignore[call-arg] # which SHAKE's takes
    assert independent.ML_DSA_44._verify_internal(public[CKA.VALUE], signed_message(arc, digest), signature)


def key(parts: Mapping[int, Any]) -> KeyMaterial:
    return keys.key_of(CKO.PRIVATE_KEY, CKK.ML_DSA, parts)
