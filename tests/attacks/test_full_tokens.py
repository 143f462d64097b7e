# SPDX-License-Identifier: Apache-2.0
"""Attacks that fill the disk: a token has only so much room, and less for those who are not logged in."""

from dataclasses import replace
from typing import Final

import pytest

from softee.names import CKA, CKO, CKR
from softee.pkcs11_ta.token.policy import Policy
from softee.pkcs11_ta.token.profiles import PORTABLE
from softee.pkcs11_ta.token.room import Room
from softee.stores.memory import MemoryStore
from support.commands import c
from support.families import Family
from support.object_calls import create, search, wire
from support.token_world import AS_OPTEE, USER_PIN, Caller, make_application, public_client, template

LARGE: Final = 4000


def roomy(policy: Policy = AS_OPTEE, *, objects: int = 1000, size: int = 1 << 20, without: int = 1000) -> Policy:
    """Return a policy with so much room; ``without`` a login for so many objects."""
    return replace(
        policy,
        room=Room(objects, size, "per_token"),
        room_without_login=Room(without, size, "without_login"),
    )


def put(caller: Caller, session: int, size: int = 1, *, private: bool = False) -> CKR:
    """Put a data object on the token."""
    return caller.call(c.CREATE_OBJECT, session, wire("data", TOKEN=True, PRIVATE=private, VALUE=bytes(size))).rv


def fill(caller: Caller, session: int, size: int = 1) -> int:
    """Put data objects on the token until it takes no more, and return how many that were."""
    count = 0
    while (rv := put(caller, session, size)) is CKR.OK:
        count += 1
    assert rv is CKR.DEVICE_MEMORY
    return count


def test_attack_a_token_that_is_full_of_objects_takes_no_more(caplog: pytest.LogCaptureFixture) -> None:
    caller = Caller(make_application(policy=roomy(objects=5)))
    assert caller.init_token() is CKR.OK
    session = caller.open()
    with caplog.at_level("INFO"):
        assert fill(caller, session) == 5
    assert "6 objects; the setting objects_per_token allows 5" in caplog.text
    assert caller.call(c.COPY_OBJECT, session, first(caller, session), template((CKA.LABEL, b"more"))).rv is (
        CKR.DEVICE_MEMORY
    )
    caller.ok(c.DESTROY_OBJECT, session, first(caller, session))
    assert fill(caller, session) == 1


def test_attack_a_token_that_is_full_of_bytes_takes_no_more(caplog: pytest.LogCaptureFixture) -> None:
    caller = Caller(make_application(policy=roomy(size=10 * LARGE)))
    assert caller.init_token() is CKR.OK
    session = caller.open()
    with caplog.at_level("INFO"):
        assert 7 <= fill(caller, session, LARGE) <= 9
    assert "the setting bytes_per_token allows 40000" in caplog.text
    fill(caller, session)
    one = first(caller, session)
    larger = template((CKA.LABEL, bytes(LARGE)))
    assert caller.call(c.SET_ATTRIBUTE_VALUE, session, one, larger).rv is CKR.DEVICE_MEMORY
    caller.ok(c.SET_ATTRIBUTE_VALUE, session, one, template((CKA.LABEL, b"")))
    caller.ok(c.DESTROY_OBJECT, session, one)
    assert fill(caller, session, LARGE) == 1


def test_attack_who_is_not_logged_in_leaves_room_for_those_who_are() -> None:
    application = make_application(policy=roomy(objects=8, without=5))
    caller, guest = Caller(application), Caller(application, public_client(uid=1001))
    session = caller.set_up()
    its_session = guest.open()
    assert fill(guest, its_session) == 5
    caller.login(session)
    assert put(caller, session, private=True) is CKR.OK
    assert put(guest, its_session) is CKR.DEVICE_MEMORY
    assert fill(caller, session) == 2


def test_attack_a_restart_gives_no_more_room() -> None:
    store, policy = MemoryStore(), roomy(size=10 * LARGE)
    before = Caller(make_application(store, policy=policy))
    assert before.init_token() is CKR.OK
    count = fill(before, before.open(), LARGE)
    after = Caller(make_application(store, policy=policy))
    session = after.open()
    assert put(after, session, LARGE) is CKR.DEVICE_MEMORY
    after.ok(c.DESTROY_OBJECT, session, first(after, session))
    assert (fill(after, session, LARGE), count > 1) == (1, True)


def test_attack_several_workers_give_no_more_room() -> None:
    family = Family(policy=roomy(size=10 * LARGE))
    callers = [Caller(family.member(number), public_client(pid=number)) for number in (1, 2)]
    assert callers[0].init_token() is CKR.OK
    sessions = [caller.open() for caller in callers]
    answers = [put(caller, session, LARGE) for _ in range(6) for caller, session in zip(callers, sessions, strict=True)]
    assert 7 <= answers.count(CKR.OK) <= 9
    callers[0].ok(c.DESTROY_OBJECT, sessions[0], first(callers[0], sessions[0]))
    assert fill(callers[1], sessions[1], LARGE) == 1
    assert put(callers[0], sessions[0], LARGE) is CKR.DEVICE_MEMORY


def test_a_token_that_is_emptied_has_all_its_room() -> None:
    caller = Caller(make_application(policy=roomy(objects=5)))
    for _ in range(2):
        assert caller.init_token() is CKR.OK
        session = caller.open()
        assert fill(caller, session) == 5
        caller.ok(c.CLOSE_ALL_SESSIONS, 0)


def test_session_objects_take_none_of_a_tokens_room() -> None:
    caller = Caller(make_application(policy=roomy(PORTABLE, objects=1)))
    session = caller.set_up()
    caller.login(session, pin=USER_PIN)
    assert fill(caller, session) == 1
    create(caller, session, "data", TOKEN=False, PRIVATE=False)


def first(caller: Caller, session: int) -> int:
    """Return the oldest data object on the token."""
    return min(search(caller, session, template((CKA.CLASS, CKO.DATA), (CKA.TOKEN, True))))
