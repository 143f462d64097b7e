# SPDX-License-Identifier: Apache-2.0
"""C_GenerateKey and C_GenerateKeyPair through the command ABI.

The rules are those of PKCS#11 3.2 §5.18.1, PKCS#11 3.2 §5.18.2.
"""

import pytest

from softee.names import CKA, CKK, CKM, CKO, CKR
from softee.pkcs11_ta.keys.pkcs8 import export_public_key
from softee.pkcs11_ta.token.profiles import PORTABLE
from support.commands import c
from support.object_calls import FIRST_SESSION_OBJECT, Values, fresh_caller, get, pair
from support.samples.ec import P256
from support.token_world import Attribute, Caller, sessions_with, template, u32


@pytest.fixture(scope="module")
def caller() -> Caller:
    return fresh_caller()[0]


@pytest.fixture
def session(caller: Caller) -> int:
    """Return a read-write session in which the user is logged in."""
    return caller.open()


@pytest.mark.parametrize(
    ("attributes", "rv"),
    [
        ((), CKR.TEMPLATE_INCOMPLETE),
        (((CKA.CLASS, CKO.SECRET_KEY), (CKA.KEY_TYPE, CKK.GENERIC_SECRET)), CKR.TEMPLATE_INCOMPLETE),
        (((CKA.KEY_TYPE, CKK.AES), (CKA.VALUE_LEN, 16)), CKR.TEMPLATE_INCONSISTENT),
        (((CKA.CLASS, CKO.DATA), (CKA.VALUE_LEN, 16)), CKR.TEMPLATE_INCONSISTENT),
        (((CKA.VALUE_LEN, 16), (CKA.LOCAL, True)), CKR.TEMPLATE_INCONSISTENT),
        (((CKA.VALUE_LEN, 16), (CKA.VALUE, bytes(16))), CKR.TEMPLATE_INCONSISTENT),
        (((CKA.VALUE_LEN, 16), (CKA.SIGN, True)), CKR.OK),
    ],
)
def test_op_tees_own_test_of_key_generation_gets_op_tees_answers(
    caller: Caller, session: int, attributes: Values, rv: CKR
) -> None:
    answer = caller.call(c.GENERATE_KEY, session, CKM.GENERIC_SECRET_KEY_GEN, b"", template(*attributes))
    assert answer.rv is rv


def test_key_generation_refuses_odd_sizes_and_other_mechanisms(caller: Caller, session: int) -> None:
    wanted = template((CKA.VALUE_LEN, 20))
    assert caller.call(c.GENERATE_KEY, session, CKM.AES_KEY_GEN, b"", wanted).rv is CKR.KEY_SIZE_RANGE
    for mechanism in (CKM.SHA256, CKM.EC_KEY_PAIR_GEN, 0x99999999):
        assert caller.call(c.GENERATE_KEY, session, mechanism, b"", wanted).rv is CKR.MECHANISM_INVALID
    empty = (b"", template(), template())
    assert caller.call(c.GENERATE_KEY_PAIR, session, CKM.AES_KEY_GEN, *empty).rv is CKR.MECHANISM_INVALID
    assert caller.call(c.GENERATE_KEY_PAIR, session, CKM.EC_KEY_PAIR_GEN, *empty).rv is CKR.TEMPLATE_INCOMPLETE


def test_an_active_operation_stands_in_the_way_of_a_pair(caller: Caller, session: int) -> None:
    caller.ok(c.DIGEST_INIT, session, CKM.SHA256, b"")
    halves = (template((CKA.EC_PARAMS, P256)), template())
    refused = caller.call(c.GENERATE_KEY_PAIR, session, CKM.EC_KEY_PAIR_GEN, b"", *halves)
    assert refused.rv is CKR.OPERATION_ACTIVE


def test_as_optee_templates_may_have_room_for_what_is_generated(caller: Caller, session: int) -> None:
    room = tuple((part, b"") for part in (CKA.EC_PARAMS, CKA.EC_POINT, CKA.VALUE))
    public = ((CKA.EC_PARAMS, P256), *room[1:])
    for part in (CKA.EC_POINT, CKA.VALUE):
        full = template((CKA.EC_PARAMS, P256), (part, b"x"))
        assert caller.call(c.GENERATE_KEY_PAIR, session, CKM.EC_KEY_PAIR_GEN, b"", full, ()).rv is not CKR.OK
    assert get(caller, session, pair(caller, session, CKM.EC_KEY_PAIR_GEN, public, room)[1], CKA.EC_PARAMS) == P256
    other, in_session = fresh_caller(policy=PORTABLE)
    refused = other.call(c.GENERATE_KEY_PAIR, in_session, CKM.EC_KEY_PAIR_GEN, b"", template(*public), template(*room))
    assert refused.rv is CKR.TEMPLATE_INCONSISTENT


def test_a_key_pair_shares_the_identifier_that_one_template_has(caller: Caller, session: int) -> None:
    public, private = pair(caller, session, CKM.EC_KEY_PAIR_GEN, ((CKA.EC_PARAMS, P256),), ((CKA.ID, b"\x7b"),))
    assert get(caller, session, public, CKA.ID) == get(caller, session, private, CKA.ID) == b"\x7b"


def test_a_key_pair_may_be_half_on_the_token(caller: Caller, session: int) -> None:
    curve = (CKA.EC_PARAMS, P256)
    public, private = pair(caller, session, CKM.EC_KEY_PAIR_GEN, (curve, (CKA.TOKEN, True)))
    assert (get(caller, session, public, CKA.CLASS), public < FIRST_SESSION_OBJECT) == (u32(CKO.PUBLIC_KEY), True)
    assert (get(caller, session, private, CKA.CLASS), private < FIRST_SESSION_OBJECT) == (u32(CKO.PRIVATE_KEY), False)


def test_an_unknown_curve_is_refused_as_op_tee_does(caller: Caller, session: int) -> None:
    curve = template((CKA.EC_PARAMS, bytes.fromhex("06052b81040008")))
    answer = caller.call(c.GENERATE_KEY_PAIR, session, CKM.EC_KEY_PAIR_GEN, b"", curve, template())
    assert answer.rv is CKR.ATTRIBUTE_TYPE_INVALID


ED25519 = bytes.fromhex("06032b6570")


@pytest.mark.parametrize(
    ("mechanism", "part"),
    [
        (CKM.EC_KEY_PAIR_GEN, (CKA.EC_PARAMS, P256)),
        (CKM.EC_EDWARDS_KEY_PAIR_GEN, (CKA.EC_PARAMS, ED25519)),
        (CKM.RSA_PKCS_KEY_PAIR_GEN, (CKA.MODULUS_BITS, 1024)),
    ],
    ids=lambda value: value.name if isinstance(value, CKM) else "",
)
def test_both_keys_of_a_pair_tell_their_public_key_but_on_a_board(mechanism: CKM, part: Attribute) -> None:
    """PKCS#11 3.2 §4.9."""
    caller, session = fresh_caller(policy=PORTABLE)
    public, private = pair(caller, session, mechanism, (part,))
    told = get(caller, session, public, CKA.PUBLIC_KEY_INFO)
    assert isinstance(told, bytes)
    assert get(caller, session, private, CKA.PUBLIC_KEY_INFO) == told
    (own,) = sessions_with(caller.application.slots.token(0))
    key = own.object(private).key()
    assert export_public_key(key) == told
    caller, session = fresh_caller()
    both = pair(caller, session, mechanism, (part,))
    assert [get(caller, session, one, CKA.PUBLIC_KEY_INFO) for one in both] == [b"", b""]
