# SPDX-License-Identifier: Apache-2.0
"""CKM_PUB_KEY_FROM_PRIV_KEY and CKA_PUBLIC_KEY_INFO: what an object tells of the public key of a private one."""

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

from softee.names import CKA, CKK, CKM, CKO, CKR
from softee.pkcs11_ta.keys.material import KeyMaterial
from softee.pkcs11_ta.keys.pkcs8 import export_public_key
from softee.pkcs11_ta.keys.table import KEY_PAIR_TYPES
from softee.pkcs11_ta.token.profiles import OPTEE, PORTABLE
from support.commands import c
from support.importing import imported
from support.object_calls import create, fresh_caller, get, pair
from support.samples import OBJECT_SAMPLES, sample
from support.samples.ec import EDWARDS25519, P256
from support.token_world import Attribute, Caller, template

T, F = True, False
PRIVATE = [name for name in OBJECT_SAMPLES if OBJECT_SAMPLES[name][CKA.CLASS] == CKO.PRIVATE_KEY]
PARTS = (
    *(CKA.KEY_TYPE, CKA.EC_PARAMS, CKA.EC_POINT, CKA.PRIME, CKA.BASE, CKA.VALUE, CKA.PARAMETER_SET),
    *(CKA.MODULUS, CKA.MODULUS_BITS, CKA.PUBLIC_EXPONENT),
)


@pytest.fixture(scope="module")
def world() -> tuple[Caller, int]:
    return fresh_caller(policy=PORTABLE)


def derive(world: tuple[Caller, int], key: int, *attributes: Attribute) -> int | CKR:
    caller, session = world
    answer = caller.call(c.DERIVE_KEY, session, key, CKM.PUB_KEY_FROM_PRIV_KEY, b"", template(*attributes))
    return answer.handle if answer.rv is CKR.OK else answer.rv


def test_every_type_of_key_pairs_has_a_sample() -> None:
    assert {sample(kind)[CKA.KEY_TYPE] for kind in PRIVATE} >= set(KEY_PAIR_TYPES)


@pytest.mark.parametrize("kind", PRIVATE)
def test_a_private_key_gives_the_public_key_that_its_own_template_makes(world: tuple[Caller, int], kind: str) -> None:
    """PKCS#11 3.2 §6.43."""
    private = create(*world, kind, ID=b"id", SUBJECT=b"subject", LABEL=b"label")
    public = create(*world, kind.replace("private", "public"))
    made = derive(world, private)
    assert isinstance(made, int)
    for part in PARTS:
        assert get(*world, made, part) == get(*world, public, part)
    assert get(*world, made, CKA.ID) == b"id"
    assert get(*world, made, CKA.SUBJECT) == b"subject"
    assert get(*world, made, CKA.LABEL) == b""
    assert get(*world, made, CKA.LOCAL) == b"\0"
    assert get(*world, made, CKA.TOKEN) == b"\0"


def test_usages_and_the_rest_come_from_the_private_key(world: tuple[Caller, int]) -> None:
    mechanisms = (int(CKM.PUB_KEY_FROM_PRIV_KEY), int(CKM.RSA_PKCS))
    private = create(
        *world, "RSA private key", SIGN=F, DECRYPT=T, UNWRAP=T, SIGN_RECOVER=F, DERIVE=F, ALLOWED_MECHANISMS=mechanisms
    )
    made = derive(world, private)
    assert isinstance(made, int)
    usages = {name: get(*world, made, CKA[name]) for name in ("VERIFY", "ENCRYPT", "WRAP", "VERIFY_RECOVER", "DERIVE")}
    assert usages == {"VERIFY": b"\0", "ENCRYPT": b"\1", "WRAP": b"\1", "VERIFY_RECOVER": b"\0", "DERIVE": b"\0"}
    assert get(*world, made, CKA.ALLOWED_MECHANISMS) == b"".join(number.to_bytes(4, "little") for number in mechanisms)
    own = derive(world, private, (CKA.VERIFY, T), (CKA.ENCRYPT, F), (CKA.LABEL, b"mine"))
    assert isinstance(own, int)
    assert [get(*world, own, CKA[name]) for name in ("VERIFY", "ENCRYPT", "LABEL")] == [b"\1", b"\0", b"mine"]


def test_a_public_key_says_how_its_private_key_was_made(world: tuple[Caller, int]) -> None:
    public, private = pair(*world, CKM.EC_KEY_PAIR_GEN, ((CKA.EC_PARAMS, P256),))
    made = derive(world, private)
    assert isinstance(made, int)
    for attribute in (CKA.KEY_GEN_MECHANISM, CKA.EC_POINT, CKA.EC_PARAMS, CKA.PUBLIC_KEY_INFO):
        assert get(*world, made, attribute) == get(*world, public, attribute)


@pytest.mark.parametrize(
    ("attribute", "rv"),
    [
        ((CKA.CLASS, CKO.PRIVATE_KEY), CKR.TEMPLATE_INCONSISTENT),
        ((CKA.CLASS, CKO.SECRET_KEY), CKR.TEMPLATE_INCONSISTENT),
        ((CKA.KEY_TYPE, CKK.RSA), CKR.TEMPLATE_INCONSISTENT),
        ((CKA.EC_PARAMS, EDWARDS25519), CKR.TEMPLATE_INCONSISTENT),
        ((CKA.EC_POINT, b"\x04\x01\x00"), CKR.TEMPLATE_INCONSISTENT),
        ((CKA.VALUE, b"value"), CKR.TEMPLATE_INCONSISTENT),
        ((CKA.PUBLIC_KEY_INFO, b"another key"), CKR.ATTRIBUTE_VALUE_INVALID),
        ((CKA.TRUSTED, T), CKR.ATTRIBUTE_READ_ONLY),
    ],
)
def test_what_the_private_key_says_is_not_said_otherwise(
    world: tuple[Caller, int], attribute: Attribute, rv: CKR
) -> None:
    assert derive(world, create(*world, "EC private key"), attribute) is rv


def test_an_exponent_of_another_key_is_refused(world: tuple[Caller, int]) -> None:
    assert derive(world, create(*world, "RSA private key"), (CKA.PUBLIC_EXPONENT, b"\x11")) is CKR.TEMPLATE_INCONSISTENT


def test_other_keys_have_no_public_key_to_tell(world: tuple[Caller, int]) -> None:
    for kind in ("EC public key", "AES key"):
        assert derive(world, create(*world, kind, DERIVE=T)) is CKR.KEY_TYPE_INCONSISTENT
    assert derive(world, create(*world)) is CKR.KEY_HANDLE_INVALID
    limited = create(*world, "EC private key", ALLOWED_MECHANISMS=(int(CKM.ECDSA),))
    assert derive(world, limited) is CKR.KEY_TYPE_INCONSISTENT


@pytest.mark.parametrize("kind", PRIVATE)
def test_both_keys_of_a_pair_tell_their_public_key(world: tuple[Caller, int], kind: str) -> None:
    """PKCS#11 3.2 §4.8 and §4.9; a board leaves it empty."""
    wanted = export_public_key(KeyMaterial(imported(sample(kind))))
    for half in (kind, kind.replace("private", "public")):
        assert get(*world, create(*world, half), CKA.PUBLIC_KEY_INFO) == wanted
    on_a_board = fresh_caller(policy=OPTEE)
    if kind in {"RSA private key", "EC private key", "Edwards private key"}:
        assert get(*on_a_board, create(*on_a_board, kind), CKA.PUBLIC_KEY_INFO) == b""


@pytest.mark.parametrize(
    ("mechanism", "wanted"),
    [
        (CKM.EC_KEY_PAIR_GEN, (CKA.EC_PARAMS, P256)),
        (CKM.EC_EDWARDS_KEY_PAIR_GEN, (CKA.EC_PARAMS, EDWARDS25519)),
        (CKM.RSA_PKCS_KEY_PAIR_GEN, (CKA.MODULUS_BITS, 1024)),
    ],
)
def test_both_keys_of_a_generated_pair_tell_the_same(
    world: tuple[Caller, int], mechanism: CKM, wanted: Attribute
) -> None:
    public, private = pair(*world, mechanism, (wanted,))
    told = get(*world, public, CKA.PUBLIC_KEY_INFO)
    assert isinstance(told, bytes)
    assert get(*world, private, CKA.PUBLIC_KEY_INFO) == told
    assert load_der_public_key(told).public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) == told
