# SPDX-License-Identifier: Apache-2.0
"""EdDSA at its edges, and through a token: the five schemes, parts up to a limit, one key used again and again."""

from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from softee.names import CKA, CKK, CKM, CKO, CKR
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.keys.edwards import CURVES
from softee.pkcs11_ta.keys.material import KeyMaterial
from softee.pkcs11_ta.mechanisms.ec.eddsa import LARGEST_MESSAGE
from softee.pkcs11_ta.mechanisms.functions import Signing
from softee.pkcs11_ta.mechanisms.table import MECHANISMS
from softee.pkcs11_ta.token.profiles import OPTEE
from support import keys
from support import mechanism_runs as run
from support.commands import c
from support.mechanism_runs import u32
from support.object_calls import create, get, pair
from support.samples.ec import EDWARDS448, EDWARDS25519, eddsa_params, octet_key
from support.token_world import Caller, make_application

PURE = eddsa_params()
EDDSA = MECHANISMS[CKM.EDDSA]
SCHEMES = {
    "pure": PURE,
    "context": eddsa_params(b"context"),
    "longest context": eddsa_params(bytes(255)),
    "pre-hashed": eddsa_params(prehash=True),
    "pre-hashed with context": eddsa_params(b"context", prehash=True),
}
every_scheme = pytest.mark.parametrize("parameter", SCHEMES.values(), ids=SCHEMES)
every_kind = pytest.mark.parametrize("kind", [Ed25519PrivateKey, Ed448PrivateKey])
NAMES = [name for curve in CURVES for name in curve.params]

Kind = type[Ed25519PrivateKey | Ed448PrivateKey]


@pytest.fixture(scope="module")
def caller() -> Caller:
    """Return a client of tokens that have every mechanism, logged in."""
    caller = Caller(make_application(policy=replace(OPTEE, mechanisms=MECHANISMS, curves=None)))
    caller.set_up()
    return caller


@pytest.fixture
def session(caller: Caller) -> int:
    return caller.open()


def key_of(kind: Kind) -> KeyMaterial:
    return keys.private_key(octet_key(kind))


def signing_pair(caller: Caller, session: int, ec_params: bytes) -> tuple[int, int]:
    """Generate a pair that signs and verifies; return the public and the private handle."""
    public = ((CKA.EC_PARAMS, ec_params), (CKA.VERIFY, True))
    return pair(caller, session, CKM.EC_EDWARDS_KEY_PAIR_GEN, public, ((CKA.SIGN, True), (CKA.EXTRACTABLE, True)))


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "parameter of 0 bytes"),
        (u32(2, 0), "phFlag 2 is no CK_BBOOL"),
        (u32(0xFF, 0), "phFlag 255 is no CK_BBOOL"),
        (eddsa_params(bytes(256)), "a context of 256 bytes; 255 are allowed"),
        (eddsa_params(bytes(256), prehash=True), "a context of 256 bytes"),
        (u32(0, 3) + b"ab", "parameter of 10 bytes"),
        (u32(0, 2**32 - 1), "parameter of 8 bytes"),
    ],
)
def test_a_parameter_that_means_nothing_is_refused(raw: bytes, reason: str) -> None:
    with pytest.raises(Pkcs11Error, match=f"MECHANISM_PARAM_INVALID: {reason}"):
        EDDSA.parameter(raw)


@every_kind
@every_scheme
def test_a_signature_is_of_its_scheme_and_context_alone(kind: Kind, parameter: bytes) -> None:
    key = key_of(kind)
    signature = run.sign(CKM.EDDSA, key, parameter, [b"da", b"ta"])
    size = 64 if kind is Ed25519PrivateKey else 114
    assert len(signature) == EDDSA.of(Signing).size(key, EDDSA.parameter(parameter)) == size
    run.verify(CKM.EDDSA, key, parameter, [b"data"], signature)
    for other in {*SCHEMES.values(), eddsa_params(b"other")} - {parameter}:
        with pytest.raises(Pkcs11Error, match="SIGNATURE_INVALID"):
            run.verify(CKM.EDDSA, key, other, [b"data"], signature)


@every_kind
@every_scheme
def test_no_data_can_be_signed(kind: Kind, parameter: bytes) -> None:
    run.verify(CKM.EDDSA, key_of(kind), parameter, [], run.sign(CKM.EDDSA, key_of(kind), parameter, []))


@every_scheme
@pytest.mark.parametrize("size", [0, 1, 63, 65, 114, 128])
def test_signature_of_another_size_is_refused(parameter: bytes, size: int) -> None:
    with pytest.raises(Pkcs11Error, match=f"SIGNATURE_LEN_RANGE: signature of {size} bytes where the key makes 64"):
        run.verify(CKM.EDDSA, key_of(Ed25519PrivateKey), parameter, [b"data"], bytes(size))


@every_scheme
def test_a_public_key_that_is_no_point_verifies_nothing(parameter: bytes) -> None:
    """The library takes it: which bytes are a point is found out when it is used."""
    point = Ed25519PublicKey.from_public_bytes(b"\x02" + bytes(31)).public_bytes_raw()
    no_point = keys.key_of(CKO.PUBLIC_KEY, CKK.EC_EDWARDS, {CKA.EC_PARAMS: EDWARDS25519, CKA.EC_POINT: point})
    with pytest.raises(Pkcs11Error, match="SIGNATURE_INVALID"):
        run.verify(CKM.EDDSA, no_point, parameter, [b"data"], bytes(64))


@pytest.mark.parametrize("ec_params", NAMES, ids=bytes.hex)
def test_a_generated_pair_shows_the_curves_name_and_the_bare_point(
    caller: Caller, session: int, ec_params: bytes
) -> None:
    public, private = signing_pair(caller, session, ec_params)
    for handle in (public, private):
        assert get(caller, session, handle, CKA.KEY_TYPE) == u32(CKK.EC_EDWARDS)
        assert get(caller, session, handle, CKA.EC_PARAMS) == ec_params
    point, value = get(caller, session, public, CKA.EC_POINT), get(caller, session, private, CKA.VALUE)
    assert isinstance(point, bytes)
    assert isinstance(value, bytes)
    assert len(point) == len(value) == CURVES.find(ec_params).size
    assert CURVES.find(ec_params).private.from_private_bytes(value).public_key().public_bytes_raw() == point


@pytest.mark.parametrize("ec_params", [EDWARDS25519, EDWARDS448])
@every_scheme
def test_one_key_signs_twice_in_a_session_and_what_it_signs_in_one_part_verifies_in_several(
    caller: Caller, session: int, ec_params: bytes, parameter: bytes
) -> None:
    public, private = signing_pair(caller, session, ec_params)
    signatures = set()
    for _ in range(2):
        caller.ok(c.SIGN_INIT, session, private, CKM.EDDSA, parameter)
        signatures.add(caller.ok(c.SIGN_ONESHOT, session, data=b"the data").output)
    caller.ok(c.SIGN_INIT, session, private, CKM.EDDSA, parameter)
    caller.ok(c.SIGN_UPDATE, session, data=b"the da")
    caller.ok(c.SIGN_UPDATE, session, data=b"ta")
    signatures.add(caller.ok(c.SIGN_FINAL, session).output)
    (signature,) = signatures
    for _ in range(2):
        caller.ok(c.VERIFY_INIT, session, public, CKM.EDDSA, parameter)
        caller.ok(c.VERIFY_UPDATE, session, data=b"the ")
        caller.ok(c.VERIFY_UPDATE, session, data=b"data")
        caller.ok(c.VERIFY_FINAL, session, second=signature)


def test_edwards_keys_and_others_are_not_mixed_up(caller: Caller, session: int) -> None:
    for kind, mechanism, parameter in (
        ("Edwards private key", CKM.ECDSA, b""),
        ("EC private key", CKM.EDDSA, PURE),
        ("Montgomery private key", CKM.EDDSA, PURE),
    ):
        key = create(caller, session, kind, SIGN=True)
        assert caller.call(c.SIGN_INIT, session, key, mechanism, parameter).rv is CKR.KEY_TYPE_INCONSISTENT


def test_invariant_3_data_that_would_stay_in_memory_is_limited_in_one_part_or_in_several(
    caller: Caller, session: int
) -> None:
    public, private = signing_pair(caller, session, EDWARDS25519)
    caller.ok(c.SIGN_INIT, session, private, CKM.EDDSA, PURE)
    signature = caller.ok(c.SIGN_ONESHOT, session, data=bytes(LARGEST_MESSAGE)).output
    caller.ok(c.VERIFY_INIT, session, public, CKM.EDDSA, PURE)
    caller.ok(c.VERIFY_UPDATE, session, data=bytes(LARGEST_MESSAGE))
    caller.ok(c.VERIFY_FINAL, session, second=signature)
    for init, handle, update in ((c.SIGN_INIT, private, c.SIGN_UPDATE), (c.VERIFY_INIT, public, c.VERIFY_UPDATE)):
        caller.ok(init, session, handle, CKM.EDDSA, PURE)
        caller.ok(update, session, data=bytes(LARGEST_MESSAGE))
        assert caller.call(update, session, data=b"\0").rv is CKR.DEVICE_MEMORY
        assert caller.call(update, session, data=b"\0").rv is CKR.OPERATION_NOT_INITIALIZED


def test_a_pre_hashed_scheme_signs_more_than_is_held(caller: Caller, session: int) -> None:
    public, private = signing_pair(caller, session, EDWARDS448)
    parameter, data = eddsa_params(prehash=True), bytes(LARGEST_MESSAGE)
    caller.ok(c.SIGN_INIT, session, private, CKM.EDDSA, parameter)
    caller.ok(c.SIGN_UPDATE, session, data=data)
    caller.ok(c.SIGN_UPDATE, session, data=data)
    signature = caller.ok(c.SIGN_FINAL, session).output
    caller.ok(c.VERIFY_INIT, session, public, CKM.EDDSA, parameter)
    caller.ok(c.VERIFY_UPDATE, session, data=data)
    caller.ok(c.VERIFY_UPDATE, session, data=data)
    caller.ok(c.VERIFY_FINAL, session, second=signature)
