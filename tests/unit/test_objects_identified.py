# SPDX-License-Identifier: Apache-2.0
"""CKA_UNIQUE_ID (PKCS#11 3.2 §4.4.1), and the dates of keys and certificates, which are stored and no more."""

import re

import pytest

from softee.names import CKA, CKM, CKR
from softee.pkcs11_ta.objects.kinds import KINDS, ObjectKind
from softee.pkcs11_ta.token.policy import Policy
from softee.pkcs11_ta.token.profiles import OPTEE, PORTABLE, STRICT
from softee.stores.memory import MemoryStore
from support.commands import c
from support.object_calls import create, fresh_caller, get, pair, search, wire
from support.token_world import P256, Caller, make_application, template

UUID4 = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
SOMEBODY_S = b"58ac9ca0-2086-4683-a1b8-ec4bc08e01b6"


@pytest.fixture
def world() -> tuple[Caller, int]:
    return fresh_caller(policy=PORTABLE)


def unique_id(caller: Caller, session: int, handle: int) -> bytes:
    value = get(caller, session, handle, CKA.UNIQUE_ID)
    assert isinstance(value, bytes)
    assert UUID4.fullmatch(value)
    return value


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
@pytest.mark.parametrize("token", [False, True])
def test_every_object_has_an_identifier_of_its_own(world: tuple[Caller, int], kind: ObjectKind, *, token: bool) -> None:
    caller, session = world
    seen = {unique_id(caller, session, create(caller, session, kind.name, TOKEN=token)) for _ in range(3)}
    assert len(seen) == 3


def test_both_keys_of_a_pair_a_generated_one_and_a_copy_have_their_own(world: tuple[Caller, int]) -> None:
    caller, session = world
    keys = list(pair(caller, session, CKM.EC_KEY_PAIR_GEN, ((CKA.EC_PARAMS, P256),)))
    keys.append(caller.aes_key(session))
    keys += [caller.ok(c.COPY_OBJECT, session, key, template()).handle for key in keys]
    assert len({unique_id(caller, session, key) for key in keys}) == len(keys)


def test_an_object_keeps_its_identifier_through_changes_and_restarts() -> None:
    store = MemoryStore()
    caller = Caller(make_application(store, policy=PORTABLE))
    session = caller.set_up()
    data = create(caller, session, TOKEN=True)
    before = unique_id(caller, session, data)
    caller.ok(c.SET_ATTRIBUTE_VALUE, session, data, template((CKA.LABEL, b"new")))
    assert unique_id(caller, session, data) == before
    again = Caller(make_application(store, policy=PORTABLE))
    later = again.open()
    assert unique_id(again, later, search(again, later, template((CKA.UNIQUE_ID, before)))[0]) == before


@pytest.mark.parametrize("token", [False, True])
def test_an_object_is_found_by_it_alone(world: tuple[Caller, int], *, token: bool) -> None:
    caller, session = world
    handles = [create(caller, session, TOKEN=token) for _ in range(3)]
    for handle in handles:
        named = template((CKA.UNIQUE_ID, unique_id(caller, session, handle)))
        assert search(caller, session, named) == [handle]
    for other in (SOMEBODY_S, b""):
        assert search(caller, session, template((CKA.UNIQUE_ID, other))) == []


def test_nobody_gives_or_changes_it(world: tuple[Caller, int]) -> None:
    caller, session = world
    given = template((CKA.UNIQUE_ID, SOMEBODY_S))
    wanted = (*given, *template((CKA.VALUE_LEN, 16)))
    assert caller.call(c.CREATE_OBJECT, session, (*wire("data"), *given)).rv is CKR.TEMPLATE_INCONSISTENT
    assert caller.call(c.GENERATE_KEY, session, CKM.AES_KEY_GEN, b"", wanted).rv is CKR.TEMPLATE_INCONSISTENT
    data = create(caller, session)
    own = template((CKA.UNIQUE_ID, unique_id(caller, session, data)))
    for changes in (given, own):
        assert caller.call(c.SET_ATTRIBUTE_VALUE, session, data, changes).rv is CKR.ATTRIBUTE_READ_ONLY
        assert caller.call(c.COPY_OBJECT, session, data, changes).rv is CKR.ATTRIBUTE_READ_ONLY


def test_optee_s_objects_have_none() -> None:
    caller, session = fresh_caller(policy=OPTEE)
    data = create(caller, session)
    assert get(caller, session, data, CKA.UNIQUE_ID) is CKR.ATTRIBUTE_TYPE_INVALID
    assert search(caller, session, template((CKA.UNIQUE_ID, b""))) == []


EVERY = pytest.mark.parametrize("policy", [PORTABLE, STRICT, OPTEE], ids=lambda policy: policy.name)
DATED = pytest.mark.parametrize("kind", ["AES key", "EC public key", "EC private key", "X.509 certificate"])


@EVERY
@DATED
@pytest.mark.parametrize(
    ("start", "end", "rv"),
    [
        (b"20260101", b"20261231", CKR.OK),
        (b"20260101", b"20260101", CKR.OK),
        (b"20260101", b"", CKR.OK),
        (b"", b"20260101", CKR.OK),
        (b"", b"", CKR.OK),
        (b"20260102", b"20260101", CKR.TEMPLATE_INCONSISTENT),
        (b"20260101", b"19991231", CKR.TEMPLATE_INCONSISTENT),
        (b"2026010", b"", CKR.ATTRIBUTE_VALUE_INVALID),
        (b"", b"202601011", CKR.ATTRIBUTE_VALUE_INVALID),
        (b"2026-1-1", b"", CKR.ATTRIBUTE_VALUE_INVALID),
        (bytes(8), b"", CKR.ATTRIBUTE_VALUE_INVALID),
    ],
)
def test_dates_are_eight_digits_or_none_and_in_order(
    policy: Policy, kind: str, start: bytes, end: bytes, rv: CKR
) -> None:
    caller, session = fresh_caller(policy=policy)
    answer = caller.call(c.CREATE_OBJECT, session, wire(kind, START_DATE=start, END_DATE=end))
    assert answer.rv is rv
    if rv is CKR.OK:
        assert get(caller, session, answer.handle, CKA.START_DATE) == start
        assert get(caller, session, answer.handle, CKA.END_DATE) == end


def test_an_end_is_not_moved_before_the_start(world: tuple[Caller, int]) -> None:
    caller, session = world
    key = create(caller, session, "AES key", START_DATE=b"20260601", END_DATE=b"20270601")
    early, later = template((CKA.END_DATE, b"20260531")), template((CKA.START_DATE, b"20270602"))
    for changes in (early, later):
        assert caller.call(c.SET_ATTRIBUTE_VALUE, session, key, changes).rv is CKR.TEMPLATE_INCONSISTENT
        assert caller.call(c.COPY_OBJECT, session, key, changes).rv is CKR.TEMPLATE_INCONSISTENT
    caller.ok(c.SET_ATTRIBUTE_VALUE, session, key, template((CKA.END_DATE, b"")))
    caller.ok(c.SET_ATTRIBUTE_VALUE, session, key, later)


def test_a_key_is_used_also_after_its_end(world: tuple[Caller, int]) -> None:
    """The token has no clock; the standard leaves the dates to the application."""
    caller, session = world
    key = create(caller, session, "AES key", ENCRYPT=True, END_DATE=b"19991231")
    caller.ok(c.ENCRYPT_INIT, session, key, CKM.AES_CBC_PAD, bytes(16))
