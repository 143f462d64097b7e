# SPDX-License-Identifier: Apache-2.0
"""Edwards and Montgomery keys: the forms in which points are taken, the one in which they are kept, what is no key."""

from collections.abc import Iterator

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from softee.names import CKA, CKK, CKM, CKO, CKR
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.attributes.secret_bytes import SecretBytes
from softee.pkcs11_ta.keys import edwards, montgomery
from softee.pkcs11_ta.keys.curves import Curve, Curves
from softee.pkcs11_ta.keys.material import KeyMaterial
from softee.pkcs11_ta.keys.octet_keys import Algorithm, OctetPrivateKey
from softee.pkcs11_ta.keys.pkcs8 import import_private_key
from softee.pkcs11_ta.token.profiles import OPTEE, PORTABLE
from support.commands import c
from support.importing import imported, refusal
from support.mechanism_runs import gcm_params
from support.object_calls import create, fresh_caller, get, pair
from support.samples import as_template, sample
from support.token_world import template

TYPES = {"Edwards": (CKK.EC_EDWARDS, edwards.CURVES), "Montgomery": (CKK.EC_MONTGOMERY, montgomery.CURVES)}
EVERY_NAME = [(kind, curve, name) for kind, (_, curves) in TYPES.items() for curve in curves for name in curve.params]
every_name = pytest.mark.parametrize(("kind", "curve", "ec_params"), EVERY_NAME)
every_curve = pytest.mark.parametrize(
    ("kind", "curve"), [(kind, curve) for kind, (_, curves) in TYPES.items() for curve in curves]
)
KEYS = {curve.name: curve.native.private.generate() for _, curves in TYPES.values() for curve in curves}
T = True


def private_key_info(key: OctetPrivateKey) -> bytes:
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def test_the_names_of_the_curves_are_those_of_the_standard_and_those_from_before_it() -> None:
    assert {curve.name: [name.hex() for name in curve.params] for _, curves in TYPES.values() for curve in curves} == {
        "Ed25519": [b"\x13\x0cedwards25519".hex(), "06032b6570", "06092b06010401da470f01"],
        "Ed448": [b"\x13\x0aedwards448".hex(), "06032b6571"],
        "X25519": [b"\x13\x0acurve25519".hex(), "06032b656e", "060a2b060104019755010501", b"\x13\x0bcurve25519".hex()],
        "X448": [b"\x13\x08curve448".hex(), "06032b656f"],
    }


@every_name
def test_a_public_point_may_be_wrapped_and_is_kept_bare(kind: str, curve: Curve[Algorithm], ec_params: bytes) -> None:
    """PKCS#11 3.2 §6.3, and OP-TEE's walkthrough."""
    bare = KEYS[curve.name].public_key().public_bytes_raw()
    for given in (bare, bytes([4, len(bare)]) + bare):
        made = imported(sample(f"{kind} public key", EC_PARAMS=ec_params, EC_POINT=given))
        assert made[CKA.EC_POINT] == bare
        assert made[CKA.EC_PARAMS] == ec_params


@every_name
def test_a_private_key_is_its_octets(kind: str, curve: Curve[Algorithm], ec_params: bytes) -> None:
    native = KEYS[curve.name]
    made = imported(sample(f"{kind} private key", EC_PARAMS=ec_params, VALUE=native.private_bytes_raw()))
    assert isinstance(made[CKA.VALUE], SecretBytes)
    key = KeyMaterial(made)
    assert (key.key_class, key.key_type, key.size) == (
        CKO.PRIVATE_KEY,
        TYPES[kind][0],
        448 if "448" in curve.name else 256,
    )
    loaded = key.native()
    assert isinstance(loaded, OctetPrivateKey)
    assert loaded.private_bytes_raw() == native.private_bytes_raw()


@every_curve
def test_a_private_key_tells_its_public_one(kind: str, curve: Curve[Algorithm]) -> None:
    native = KEYS[curve.name]
    parts = {"EC_PARAMS": curve.params[0], "VALUE": native.private_bytes_raw()}
    bare = native.public_key().public_bytes_raw()
    assert imported(sample(f"{kind} private key", **parts))[CKA.EC_POINT] == bare
    for point in (bare, bytes([4, len(bare)]) + bare):
        assert imported(sample(f"{kind} private key", **parts, EC_POINT=point))[CKA.EC_POINT] == bare
    for other in (bare[:-1] + bytes([bare[-1] ^ 1]), bare[:-1], b""):
        assert refusal(sample(f"{kind} private key", **parts, EC_POINT=other)) is CKR.ATTRIBUTE_VALUE_INVALID
    assert import_private_key(private_key_info(native), TYPES[kind][0])[CKA.EC_POINT] == bare


def test_a_pair_that_is_made_has_one_point() -> None:
    for policy in (OPTEE, PORTABLE):
        caller, session = fresh_caller(policy=policy)
        public, private = pair(caller, session, CKM.EC_EDWARDS_KEY_PAIR_GEN, ((CKA.EC_PARAMS, edwards.OPTEE_ED25519),))
        point = get(caller, session, private, CKA.EC_POINT)
        assert point == get(caller, session, public, CKA.EC_POINT)
        assert isinstance(point, bytes)
        assert len(point) == (32 if policy is OPTEE else 34)


def test_as_optee_an_edwards_private_key_without_a_curve_is_on_ed25519() -> None:
    attributes = {one: value for one, value in sample("Edwards private key").items() if one is not CKA.EC_PARAMS}
    caller, session = fresh_caller(policy=OPTEE)
    made = caller.ok(c.CREATE_OBJECT, session, as_template(attributes)).handle
    assert get(caller, session, made, CKA.EC_PARAMS) == edwards.OPTEE_ED25519
    caller, session = fresh_caller(policy=PORTABLE)
    assert caller.call(c.CREATE_OBJECT, session, as_template(attributes)).rv is CKR.TEMPLATE_INCOMPLETE


@pytest.mark.parametrize("kind", TYPES)
def test_a_key_that_begins_like_an_octet_string_is_a_key(kind: str) -> None:
    bare = b"\x04\x1e" + bytes(30)
    assert imported(sample(f"{kind} public key", EC_POINT=bare))[CKA.EC_POINT] == bare


BAD_POINTS = (
    *(bytes(size) for size in (31, 33, 56, 57, 5000)),
    b"\x04",
    b"\x04\x1f" + bytes(31),
    b"\x04\x20" + bytes(31),
    b"\x04\x20" + bytes(33),
    b"\x04\x21" + bytes(33),
    b"\x04\x81\x20" + bytes(32),
    b"\x03\x21\0" + bytes(32),
)


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("point", BAD_POINTS)
def test_a_point_of_another_size_or_in_another_form_is_refused(kind: str, point: bytes) -> None:
    assert refusal(sample(f"{kind} public key", EC_POINT=point)) is CKR.ATTRIBUTE_VALUE_INVALID


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("size", [1, 31, 33, 56, 57, 64, 5000])
def test_a_private_key_of_another_size_is_refused(kind: str, size: int) -> None:
    assert refusal(sample(f"{kind} private key", VALUE=bytes(size))) is CKR.ATTRIBUTE_VALUE_INVALID


def other_curves() -> Iterator[tuple[str, bytes]]:
    for kind in TYPES:
        for other, curve, name in EVERY_NAME:
            if other != kind:
                yield f"{kind} {'public' if curve.name.endswith('448') else 'private'} key", name


@pytest.mark.parametrize(("kind", "ec_params"), list(other_curves()))
def test_a_key_to_sign_with_is_none_to_exchange_secrets_with(kind: str, ec_params: bytes) -> None:
    assert refusal(sample(kind, EC_PARAMS=ec_params)) in {CKR.CURVE_NOT_SUPPORTED, CKR.DOMAIN_PARAMS_INVALID}


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("part", ["EC_PARAMS", "EC_POINT"])
def test_an_empty_part_is_a_missing_one(kind: str, part: str) -> None:
    assert refusal(sample(f"{kind} public key", **{part: b""})) is CKR.TEMPLATE_INCOMPLETE


@every_curve
def test_an_unwrapped_key_has_its_curves_first_name(kind: str, curve: Curve[Algorithm]) -> None:
    native, number = KEYS[curve.name], TYPES[kind][0]
    parts = import_private_key(private_key_info(native), number)
    assert parts[CKA.EC_PARAMS] == curve.params[0]
    assert parts[CKA.VALUE] == native.private_bytes_raw()
    assert isinstance(parts[CKA.VALUE], SecretBytes)
    for other in {CKK.RSA, CKK.EC, CKK.EC_EDWARDS, CKK.EC_MONTGOMERY} - {number}:
        with pytest.raises(Pkcs11Error, match="another type"):
            import_private_key(private_key_info(native), other)


@every_curve
def test_invariant_1_a_protected_key_is_not_made_of_blocks_that_somebody_has_joined(
    kind: str, curve: Curve[Algorithm]
) -> None:
    """Its public key would tell a block of another key that was put there: its PrivateKeyInfo does not vouch for it."""
    caller, session = fresh_caller(policy=PORTABLE)
    kek = create(caller, session, "AES key", WRAP=T, UNWRAP=T)
    key = create(
        caller,
        session,
        f"{kind} private key",
        VALUE=KEYS[curve.name].private_bytes_raw(),
        EXTRACTABLE=T,
        EC_PARAMS=curve.params[0],
        SENSITIVE=T,
    )
    wanted = ((CKA.CLASS, CKO.PRIVATE_KEY), (CKA.KEY_TYPE, TYPES[kind][0]))
    gcm = gcm_params(bytes(12))
    for mechanism, parameter, protected, rv in (
        (CKM.AES_ECB, b"", True, CKR.WRAPPED_KEY_INVALID),
        (CKM.AES_CBC, bytes(16), True, CKR.WRAPPED_KEY_INVALID),
        (CKM.AES_ECB, b"", False, CKR.OK),
        (CKM.AES_GCM, gcm, True, CKR.OK),
        (CKM.AES_GCM, gcm, False, CKR.OK),
    ):
        wrapped = caller.ok(c.WRAP_KEY, session, kek, key, mechanism, parameter).output
        new = template(*wanted, (CKA.SENSITIVE, protected), (CKA.EXTRACTABLE, True))
        assert caller.call(c.UNWRAP_KEY, session, kek, mechanism, parameter, new, data=wrapped).rv is rv


def test_no_two_curves_have_a_name_in_common() -> None:
    for _, curves in TYPES.values():
        assert isinstance(curves, Curves)
        assert sum(len(names) for names in curves.names.values()) == len(frozenset().union(*curves.names.values()))
