# SPDX-License-Identifier: Apache-2.0
"""Diffie-Hellman over finite fields through a token: pairs that agree, and what is not agreed on."""

import pytest

from softee.names import CKA, CKK, CKM, CKO, CKR
from softee.pkcs11_ta.keys.dh_groups import BASE, PRIMES
from softee.pkcs11_ta.token.profiles import OPTEE, PORTABLE, STRICT
from support.commands import c
from support.object_calls import create, get
from support.samples.dh import PUBLIC_VALUE
from support.token_world import Attribute, Caller, make_application, template

SECRET = ((CKA.CLASS, CKO.SECRET_KEY), (CKA.KEY_TYPE, CKK.GENERIC_SECRET), (CKA.SENSITIVE, False))
OPEN = (*SECRET, (CKA.EXTRACTABLE, True))


@pytest.fixture
def caller() -> Caller:
    return Caller(make_application(policy=PORTABLE))


@pytest.fixture
def session(caller: Caller) -> int:
    return caller.set_up()


def pair(caller: Caller, session: int, prime: bytes) -> tuple[int, int]:
    public = template((CKA.PRIME, prime), (CKA.BASE, BASE))
    made = caller.ok(c.GENERATE_KEY_PAIR, session, CKM.DH_PKCS_KEY_PAIR_GEN, b"", public, template()).output
    return int.from_bytes(made[:4], "little"), int.from_bytes(made[4:], "little")


def value(caller: Caller, session: int, handle: int) -> bytes:
    found = get(caller, session, handle, CKA.VALUE)
    assert isinstance(found, bytes)
    return found


def shared(caller: Caller, session: int, private: int, other: bytes, *wanted: Attribute) -> bytes:
    made = caller.ok(c.DERIVE_KEY, session, private, CKM.DH_PKCS_DERIVE, other, template(*OPEN, *wanted)).handle
    return value(caller, session, made)


@pytest.mark.parametrize("prime", PRIMES, ids=len)
def test_both_sides_agree_and_a_shorter_key_is_the_end_of_the_secret(
    caller: Caller, session: int, prime: bytes
) -> None:
    ours, theirs = pair(caller, session, prime), pair(caller, session, prime)
    values = [value(caller, session, public) for public, _ in (ours, theirs)]
    whole = shared(caller, session, ours[1], values[1])
    assert len(whole) == len(prime)
    assert shared(caller, session, theirs[1], values[0]) == whole
    assert shared(caller, session, theirs[1], values[0].lstrip(b"\0"), (CKA.VALUE_LEN, 20)) == whole[-20:]
    for handle in ours:
        assert [get(caller, session, handle, one) for one in (CKA.PRIME, CKA.BASE)] == [prime, BASE]


@pytest.mark.parametrize("size", [1, 15])
def test_a_protected_key_makes_no_short_piece_of_a_secret(caller: Caller, session: int, size: int) -> None:
    _, private = pair(caller, session, PRIMES[0])
    wanted = template(*OPEN, (CKA.VALUE_LEN, size))
    refused = caller.call(c.DERIVE_KEY, session, private, CKM.DH_PKCS_DERIVE, PUBLIC_VALUE, wanted)
    assert refused.rv is CKR.ATTRIBUTE_VALUE_INVALID
    assert len(shared(caller, session, private, PUBLIC_VALUE, (CKA.VALUE_LEN, 16))) == 16


@pytest.mark.parametrize("offset", [-1, 0, 1])
def test_the_other_sides_value_must_be_a_member_of_the_group_and_not_of_a_small_one(
    caller: Caller, session: int, offset: int
) -> None:
    private = create(caller, session, "DH private key", DERIVE=True)
    prime = int.from_bytes(PRIMES[0], "big")
    for number in (offset + 1, prime + offset):
        if 1 < number < prime - 1:
            continue
        parameter = max(0, number).to_bytes(len(PRIMES[0]) + 1, "big")
        refused = caller.call(c.DERIVE_KEY, session, private, CKM.DH_PKCS_DERIVE, parameter, template(*OPEN))
        assert refused.rv is CKR.PUBLIC_KEY_INVALID


def test_an_empty_value_is_none(caller: Caller, session: int) -> None:
    private = create(caller, session, "DH private key", DERIVE=True)
    refused = caller.call(c.DERIVE_KEY, session, private, CKM.DH_PKCS_DERIVE, b"", template(*OPEN))
    assert refused.rv is CKR.MECHANISM_PARAM_INVALID


def test_only_a_published_group_makes_pairs(caller: Caller, session: int) -> None:
    public = template((CKA.PRIME, bytes(255) + b"\7"), (CKA.BASE, BASE))
    refused = caller.call(c.GENERATE_KEY_PAIR, session, CKM.DH_PKCS_KEY_PAIR_GEN, b"", public, template())
    assert refused.rv is CKR.DOMAIN_PARAMS_INVALID


def test_a_board_has_none_of_it() -> None:
    assert CKM.DH_PKCS_DERIVE in STRICT.mechanisms
    assert CKM.DH_PKCS_DERIVE not in OPTEE.mechanisms
