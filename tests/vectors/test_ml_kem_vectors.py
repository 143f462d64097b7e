# SPDX-License-Identifier: Apache-2.0
"""ML-KEM: the known answers of its three parameter sets, Wycheproof's, and kyber-py's, which is in Python."""

import itertools

import kyber_py.ml_kem as independent
import pytest

from softee.names import CKA, CKK, CKM, CKO, CKR, MlKemParameterSet
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.attributes.values import Attributes, Given
from softee.pkcs11_ta.keys.material import KeyMaterial
from softee.pkcs11_ta.keys.parts import octets
from support import keys
from support import mechanism_runs as run
from support.importing import imported
from support.samples.lattice import pair
from vectors.reading import records, wycheproof

KNOWN_ANSWERS = 150
"""Of the thousand in each file, which are all alike."""


def private_key(number: int, **parts: bytes) -> KeyMaterial:
    return key(CKO.PRIVATE_KEY, {CKA.PARAMETER_SET: number, **{int(CKA[part]): value for part, value in parts.items()}})


def public_key(number: int, value: bytes) -> KeyMaterial:
    return key(CKO.PUBLIC_KEY, {CKA.PARAMETER_SET: number, CKA.VALUE: value})


def key(key_class: CKO, parts: Attributes) -> KeyMaterial:
    return keys.key_of(key_class, CKK.ML_KEM, parts)


@pytest.mark.parametrize("number", MlKemParameterSet, ids=lambda number: number.name)
def test_known_answers_by_seed_and_by_expanded_key(number: MlKemParameterSet) -> None:
    """``ct_n`` is a ciphertext that is not right, and ``ss_n`` the secret which that gives."""
    path = f"asymmetric/MLKEM/kat_{number.name.replace('_', '', 1)}.rsp"
    count = 0
    for record in itertools.islice(records(path, last="ss"), KNOWN_ANSWERS):
        d, z, value, expanded, bad, of_bad, ciphertext, secret = (
            bytes.fromhex(record[name]) for name in ("d", "z", "pk", "sk", "ct_n", "ss_n", "ct", "ss")
        )
        made: Given = {
            CKA.CLASS: int(CKO.PRIVATE_KEY),
            CKA.KEY_TYPE: int(CKK.ML_KEM),
            CKA.PARAMETER_SET: int(number),
        }
        assert imported({**made, CKA.SEED: d + z})[CKA.VALUE] == expanded
        by_seed = private_key(number, SEED=d + z, VALUE=expanded)
        for private in (by_seed, private_key(number, VALUE=expanded)):
            assert run.decapsulate(CKM.ML_KEM, private, ciphertext) == secret
            assert run.decapsulate(CKM.ML_KEM, private, bad) == of_bad
        own, sent = run.encapsulate(CKM.ML_KEM, public_key(number, value))
        assert run.decapsulate(CKM.ML_KEM, by_seed, sent) == own
        count += 1
    assert count == KNOWN_ANSWERS


def test_ciphertexts_of_wycheproof() -> None:
    counts = {"valid": 0, "invalid": 0}
    for _, test in wycheproof("mlkem_768"):
        counts[test["result"]] += 1
        if test["result"] == "valid":
            assert decapsulated(test) == bytes.fromhex(test["K"])
            continue
        with pytest.raises(Pkcs11Error) as caught:
            decapsulated(test)
        assert caught.value.rv in {CKR.WRAPPED_KEY_LEN_RANGE, CKR.ATTRIBUTE_VALUE_INVALID}, test["comment"]
    assert counts == {"valid": 153, "invalid": 40}


def decapsulated(test: dict[str, str]) -> bytes:
    made: Given = {CKA.CLASS: int(CKO.PRIVATE_KEY), CKA.KEY_TYPE: int(CKK.ML_KEM), CKA.PARAMETER_SET: 2}
    parts = imported({**made, CKA.SEED: bytes.fromhex(test["seed"])})
    value = bytes(octets(parts, CKA.VALUE))
    return run.decapsulate(CKM.ML_KEM, private_key(2, VALUE=value), bytes.fromhex(test["c"]))


INDEPENDENT = {
    MlKemParameterSet.ML_KEM_512: independent.ML_KEM_512,
    MlKemParameterSet.ML_KEM_768: independent.ML_KEM_768,
    MlKemParameterSet.ML_KEM_1024: independent.ML_KEM_1024,
}


@pytest.mark.parametrize("number", MlKemParameterSet, ids=lambda number: number.name)
def test_an_independent_implementation_makes_the_same_keys_and_secrets(number: MlKemParameterSet) -> None:
    other = INDEPENDENT[number]
    public, private = pair(CKK.ML_KEM, number)
    seed, expanded = private[CKA.SEED], private[CKA.VALUE]
    assert other.key_derive(seed) == (public[CKA.VALUE], expanded)
    secret, ciphertext = run.encapsulate(CKM.ML_KEM, key(CKO.PUBLIC_KEY, public))
    assert other.decaps(expanded, ciphertext) == secret
    secret, ciphertext = other.encaps(public[CKA.VALUE])
    for by in (private, {part: value for part, value in private.items() if part != CKA.SEED}):
        assert run.decapsulate(CKM.ML_KEM, key(CKO.PRIVATE_KEY, by), ciphertext) == secret
        broken = ciphertext[:-1] + bytes([ciphertext[-1] ^ 1])
        assert run.decapsulate(CKM.ML_KEM, key(CKO.PRIVATE_KEY, by), broken) == other.decaps(expanded, broken) != secret
