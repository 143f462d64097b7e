# SPDX-License-Identifier: Apache-2.0
"""Searches through the command ABI.

The rules are those of PKCS#11 3.2 §5.7.7, PKCS#11 3.2 §5.7.8, PKCS#11 3.2 §5.7.9.
"""

import pytest

from softee.names import CKA, CKR
from support.commands import c
from support.object_calls import Values, create, fresh_caller, search
from support.token_world import Caller, template, u32


@pytest.fixture(scope="module")
def caller() -> Caller:
    return fresh_caller()[0]


@pytest.fixture
def session(caller: Caller) -> int:
    """Return a read-write session in which the user is logged in."""
    return caller.open()


@pytest.mark.parametrize("at_once", [1, 2, 64])
def test_a_search_gives_session_objects_first_and_the_newest_first(caller: Caller, session: int, at_once: int) -> None:
    label = f"in order {at_once}".encode()
    made = [create(caller, session, LABEL=label, TOKEN=token) for token in (True, False, True, False)]
    found = search(caller, session, template((CKA.LABEL, label)), at_once)
    assert found == [made[3], made[1], made[2], made[0]]


def test_a_search_has_its_states(caller: Caller, session: int) -> None:
    assert caller.call(c.FIND_OBJECTS, session).rv is CKR.OPERATION_NOT_INITIALIZED
    assert caller.call(c.FIND_OBJECTS_FINAL, session).rv is CKR.OPERATION_NOT_INITIALIZED
    caller.ok(c.FIND_OBJECTS_INIT, session, template())
    assert caller.call(c.FIND_OBJECTS_INIT, session, template()).rv is CKR.OPERATION_ACTIVE
    assert caller.ok(c.FIND_OBJECTS, session, capacity=0).output == b""
    caller.ok(c.FIND_OBJECTS_FINAL, session)


def test_a_search_is_a_snapshot(caller: Caller, session: int) -> None:
    label = (CKA.LABEL, b"snapshot")
    first = create(caller, session, LABEL=b"snapshot")
    caller.ok(c.FIND_OBJECTS_INIT, session, template(label))
    create(caller, session, LABEL=b"snapshot")
    assert caller.ok(c.FIND_OBJECTS, session).output == u32(first)
    caller.ok(c.FIND_OBJECTS_FINAL, session)


@pytest.mark.parametrize("private", [False, True])
@pytest.mark.parametrize("token", [False, True])
def test_a_search_tells_objects_by_where_they_are_and_who_sees_them(
    caller: Caller, session: int, *, token: bool, private: bool
) -> None:
    label = f"one of four, {token}, {private}".encode()
    places = [(on_token, hidden) for on_token in (False, True) for hidden in (False, True)]
    made = {place: create(caller, session, LABEL=label, TOKEN=place[0], PRIVATE=place[1]) for place in places}
    label_alone = (CKA.LABEL, label)
    assert sorted(search(caller, session, template(label_alone))) == sorted(made.values())
    on_token = {made[place] for place in places if place[0] is token}
    hidden = {made[place] for place in places if place[1] is private}
    assert set(search(caller, session, template(label_alone, (CKA.TOKEN, token)))) == on_token
    assert set(search(caller, session, template(label_alone, (CKA.PRIVATE, private)))) == hidden
    both = template((CKA.PRIVATE, private), label_alone, (CKA.TOKEN, token))
    assert search(caller, session, both) == [made[token, private]]


@pytest.mark.parametrize(
    "wanted",
    [((CKA.CLASS, 0xCE534353),), ((0xCE534350, b""),), ((CKA.LABEL, b""), (CKA.LABEL, b"label"))],
    ids=["another maker's class", "another maker's attribute", "two labels"],
)
def test_a_search_for_what_no_object_has_finds_nothing(caller: Caller, session: int, wanted: Values) -> None:
    create(caller, session)
    assert search(caller, session, template(*wanted)) == []


def test_a_search_gives_all_handles_with_its_beginning_or_none(caller: Caller, session: int) -> None:
    label = template((CKA.LABEL, b"at once"))
    made = [create(caller, session, LABEL=b"at once") for _ in range(3)]
    newest_first = u32(*reversed(made))
    assert caller.ok(c.FIND_OBJECTS_START, session, label, 0, capacity=16).output == u32(3) + newest_first
    assert caller.ok(c.FIND_OBJECTS, session).output == b""
    assert caller.call(c.FIND_OBJECTS_START, session, label, 0, capacity=16).rv is CKR.OPERATION_ACTIVE
    caller.ok(c.FIND_OBJECTS_FINAL, session)
    assert caller.ok(c.FIND_OBJECTS_START, session, label, 0, capacity=15).output == u32(3)
    assert caller.ok(c.FIND_OBJECTS, session).output == newest_first
    caller.ok(c.FIND_OBJECTS_FINAL, session)


def test_a_search_of_which_nothing_is_left_is_replaced_where_that_is_asked_for(caller: Caller, session: int) -> None:
    create(caller, session, LABEL=b"replaced")
    label = template((CKA.LABEL, b"replaced"))
    for replaces in (0, 1, 1):
        caller.ok(c.FIND_OBJECTS_START, session, label, replaces)
    caller.ok(c.FIND_OBJECTS_FINAL, session)
    caller.ok(c.FIND_OBJECTS_INIT, session, label)
    assert caller.call(c.FIND_OBJECTS_START, session, label, 1).rv is CKR.OPERATION_ACTIVE
    caller.ok(c.FIND_OBJECTS_FINAL, session)
