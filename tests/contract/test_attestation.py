# SPDX-License-Identifier: Apache-2.0
"""Private keys of every type are attested, and what is stated of them is what C_GetAttributeValue shows."""

from typing import NamedTuple

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from softee.names import CKA, CKK, CKM, CKO, CKR, UNAVAILABLE_INFORMATION
from softee.pkcs11_ta.attestation.claims import ATTESTED
from softee.pkcs11_ta.keys.table import KEY_TYPES
from softee.pkcs11_ta.token.profiles import PORTABLE
from support.attestations import attest, certificates, stated
from support.commands import c
from support.object_calls import Values, create, fresh_caller, get, pair
from support.samples import OBJECT_SAMPLES
from support.token_world import Caller

NO_CERTIFICATES = ("DH private key", "SLH-DSA private key", "ML-KEM private key of ML-KEM-512")
"""What the names of those begin with for which the library makes none."""

PRIVATE = [name for name, sample in OBJECT_SAMPLES.items() if sample[CKA.CLASS] == CKO.PRIVATE_KEY]


class Pair(NamedTuple):
    """How a pair is generated."""

    mechanism: CKM
    key_type: CKK
    public: Values


_ON_CURVES = {
    CKK.EC: CKM.EC_KEY_PAIR_GEN,
    CKK.EC_EDWARDS: CKM.EC_EDWARDS_KEY_PAIR_GEN,
    CKK.EC_MONTGOMERY: CKM.EC_MONTGOMERY_KEY_PAIR_GEN,
}
PAIRS = {
    "RSA": Pair(CKM.RSA_PKCS_KEY_PAIR_GEN, CKK.RSA, ((CKA.MODULUS_BITS, 2048),)),
    **{
        name: Pair(mechanism, number, ((CKA.EC_PARAMS, min(params)),))
        for number, mechanism in _ON_CURVES.items()
        for key_type in KEY_TYPES
        if number in key_type.numbers
        for name, params in key_type.curves.items()
    },
    **{
        f"ML-DSA {number}": Pair(CKM.ML_DSA_KEY_PAIR_GEN, CKK.ML_DSA, ((CKA.PARAMETER_SET, number),))
        for number in (1, 2, 3)
    },
    **{
        f"ML-KEM {number}": Pair(CKM.ML_KEM_KEY_PAIR_GEN, CKK.ML_KEM, ((CKA.PARAMETER_SET, number),))
        for number in (2, 3)
    },
}


@pytest.mark.parametrize("name", PAIRS)
def test_a_generated_key_of_every_sort_is_stated_to_be_made_here(name: str) -> None:
    caller, session = fresh_caller(policy=PORTABLE)
    how = PAIRS[name]
    public, private = pair(caller, session, how.mechanism, how.public, ((CKA.LABEL, b"made here"),))
    pem = attest(caller, session, private)
    key = stated(pem).key
    assert key["CKA_KEY_TYPE"] == f"CKK_{how.key_type.name}"
    assert key["CKA_KEY_GEN_MECHANISM"] == f"CKM_{how.mechanism.name}"
    assert key["CKA_LABEL"] == "made here"
    for attribute in ("CKA_LOCAL", "CKA_SENSITIVE", "CKA_ALWAYS_SENSITIVE", "CKA_NEVER_EXTRACTABLE", "CKA_PRIVATE"):
        assert key[attribute] is True
    assert key["CKA_EXTRACTABLE"] is False
    assert public_key(pem) == get(caller, session, public, CKA.PUBLIC_KEY_INFO)


@pytest.mark.parametrize("kind", PRIVATE)
def test_what_is_stated_of_an_imported_key_of_every_sort_is_what_it_shows(kind: str) -> None:
    caller, session = fresh_caller(policy=PORTABLE)
    handle = create(caller, session, kind)
    if kind.startswith(NO_CERTIFICATES):
        assert caller.call(c.ATTEST_KEY, session, handle, b"").rv is CKR.KEY_TYPE_INCONSISTENT
        return
    pem = attest(caller, session, handle)
    key = stated(pem).key
    assert key["CKA_LOCAL"] is key["CKA_ALWAYS_SENSITIVE"] is key["CKA_NEVER_EXTRACTABLE"] is False
    assert key["CKA_KEY_GEN_MECHANISM"] == "CK_UNAVAILABLE_INFORMATION"
    assert public_key(pem) == get(caller, session, handle, CKA.PUBLIC_KEY_INFO)
    for attribute in ATTESTED:
        assert_shown(caller, session, handle, attribute, key.get(f"CKA_{attribute.name}"))


def assert_shown(caller: Caller, session: int, handle: int, attribute: CKA, claim: bool | str | None) -> None:  # noqa: FBT001 - one of three
    shown = get(caller, session, handle, attribute)
    if claim is None:
        assert shown is CKR.ATTRIBUTE_TYPE_INVALID
    elif isinstance(claim, bool):
        assert shown == bytes([claim])
    elif attribute is CKA.KEY_TYPE:
        assert isinstance(shown, bytes)
        assert f"CKK_{CKK(int.from_bytes(shown, 'little')).name}" == claim
    elif attribute is CKA.KEY_GEN_MECHANISM:
        assert shown == UNAVAILABLE_INFORMATION.to_bytes(4, "little")
    else:
        assert shown == (bytes.fromhex(claim) if attribute is CKA.ID else claim.encode())


def public_key(pem: bytes) -> bytes:
    return certificates(pem)[0].public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
