# SPDX-License-Identifier: Apache-2.0
"""Several secure worlds with the same tokens: each call sees what any of them has done before it."""

from collections.abc import Collection, Mapping

import pytest

from softee.names import CKA, CKR, CKU
from softee.pkcs11_ta.pace import is_quick
from softee.stores.base import Revision
from softee.stores.memory import MemoryStore
from softee.wire.values import NO_PARAMS
from support.commands import c
from support.families import Family
from support.object_calls import create, get, search
from support.samples import as_template
from support.stores import FailingStore, restore, snapshot
from support.token_world import SO_PIN, USER_PIN, Caller, template


@pytest.fixture
def family() -> Family:
    return Family()


@pytest.fixture
def ours(family: Family) -> Caller:
    return Caller(family.member(0))


@pytest.fixture
def theirs(family: Family) -> Caller:
    return Caller(family.member(1))


def logged_in(caller: Caller) -> int:
    session = caller.open()
    assert caller.login(session) is CKR.OK
    return session


def test_a_token_that_one_initializes_is_initialized_for_the_other(ours: Caller, theirs: Caller) -> None:
    before = theirs.token_flags()
    assert ours.init_token() is CKR.OK
    assert theirs.token_flags() != before
    assert theirs.token_flags() == ours.token_flags()


@pytest.mark.parametrize("private", [False, True])
def test_an_object_made_by_one_is_found_by_the_other_at_the_next_call(
    ours: Caller, theirs: Caller, *, private: bool
) -> None:
    ours.set_up()
    session, other = ours.open(), logged_in(theirs)
    assert search(theirs, other, template()) == []
    handle = create(ours, session, "data", TOKEN=True, PRIVATE=private, LABEL=b"new")
    (found,) = search(theirs, other, template(*as_template({CKA.LABEL: b"new"})))
    assert get(theirs, other, found, CKA.LABEL) == b"new"
    ours.ok(c.DESTROY_OBJECT, session, handle)
    assert theirs.call(c.GET_OBJECT_SIZE, other, found).rv is CKR.OBJECT_HANDLE_INVALID
    assert search(theirs, other, template()) == []


def test_an_attribute_set_by_one_is_read_by_the_other(ours: Caller, theirs: Caller) -> None:
    session = ours.set_up()
    handle = create(ours, session, "data", TOKEN=True, PRIVATE=False, LABEL=b"old")
    other = logged_in(theirs)
    assert get(theirs, other, handle, CKA.LABEL) == b"old"
    ours.ok(c.SET_ATTRIBUTE_VALUE, session, handle, template((CKA.LABEL, b"new")))
    assert get(theirs, other, handle, CKA.LABEL) == b"new"


def test_both_make_objects_in_turn_and_none_is_lost(ours: Caller, theirs: Caller) -> None:
    both = [(ours, ours.set_up()), (theirs, logged_in(theirs))]
    made = [create(caller, session, "data", TOKEN=True, PRIVATE=False) for _ in range(20) for caller, session in both]
    assert len(set(made)) == 40
    for caller, session in both:
        assert sorted(search(caller, session, template(), at_once=64)) == sorted(made)


def test_no_token_is_initialized_while_any_has_a_session_with_it(ours: Caller, theirs: Caller) -> None:
    assert ours.init_token() is CKR.OK
    session = theirs.open()
    assert ours.init_token() is CKR.SESSION_EXISTS
    theirs.ok(c.CLOSE_SESSION, session)
    assert ours.init_token() is CKR.OK


def test_wrong_pins_are_counted_once_for_all(ours: Caller, theirs: Caller) -> None:
    ours.set_up()
    sessions = [(caller, caller.open()) for caller in (ours, theirs)]
    ours.logout(sessions[0][1])
    answers = [sessions[tries % 2][0].login(sessions[tries % 2][1], pin=b"wrong") for tries in range(9)]
    assert answers == [CKR.PIN_INCORRECT] * 6 + [CKR.PIN_LOCKED] * 3
    assert theirs.login(sessions[1][1]) is CKR.PIN_LOCKED


def test_a_pin_set_by_one_is_the_pin_for_the_other(ours: Caller, theirs: Caller) -> None:
    session = ours.set_up()
    other = theirs.open()
    assert ours.set_pin(session, USER_PIN, b"another") is CKR.OK
    assert theirs.login(other) is CKR.PIN_INCORRECT
    assert theirs.login(other, pin=b"another") is CKR.OK


def test_a_login_is_each_clients_own_in_whatever_world_it_is(ours: Caller, theirs: Caller) -> None:
    ours.set_up()
    session = theirs.open()
    assert theirs.logout(session) is CKR.USER_NOT_LOGGED_IN
    assert theirs.login(session, CKU.SO, SO_PIN) is CKR.OK


def test_sessions_of_all_are_counted_as_optee_counts_them(ours: Caller, theirs: Caller) -> None:
    assert ours.init_token() is CKR.OK
    ours.open(flags=4)
    theirs.open()
    info = ours.ok(c.TOKEN_INFO, 0).output
    counts = [int.from_bytes(info[at : at + 4], "little") for at in (104, 112)]
    assert counts == [2, 1]


def test_what_is_done_in_a_moment_is_not_where_news_must_be_taken_over_first(ours: Caller, theirs: Caller) -> None:
    session = ours.set_up()
    other = logged_in(theirs)
    client = theirs.application.client(theirs.identity)

    def quick() -> bool:
        return is_quick(client, c.SESSION_INFO.number, NO_PARAMS)

    assert quick()
    create(ours, session, "data", TOKEN=True, PRIVATE=False)
    assert not quick()
    assert search(theirs, other, template()) != []
    assert quick()


def test_the_first_session_with_a_token_may_wait_and_others_do_not(ours: Caller, theirs: Caller) -> None:
    slots = theirs.application.slots
    assert ours.init_token() is CKR.OK
    assert theirs.token_flags()
    assert not slots.opens_at_once(0)
    theirs.open()
    assert slots.opens_at_once(0)
    assert slots.opens_at_once(7), "there is no such slot, which is said at once"


class BusyStore(FailingStore):
    """Before each commit, somebody else changes the token, so long as there is ``haste``."""

    def __init__(self, family: Family) -> None:
        super().__init__(family.store)
        self.other = Caller(family.member(1))
        self.haste = 0

    def commit(
        self, *, expected: Mapping[bytes, Revision], puts: Mapping[bytes, bytes], deletes: Collection[bytes] = ()
    ) -> Revision:
        if self.haste:
            self.haste -= 1
            create(self.other, self.session, "data", TOKEN=True, PRIVATE=False)
        return super().commit(expected=expected, puts=puts, deletes=deletes)

    def begin(self) -> None:
        self.session = logged_in(self.other)


@pytest.fixture
def busy(family: Family) -> tuple[BusyStore, Caller]:
    store = BusyStore(family)
    caller = Caller(family.member(0, store))
    caller.set_up()
    store.begin()
    return store, caller


@pytest.mark.parametrize("act", ["create", "copy", "set", "destroy", "pin"])
def test_whoever_is_late_does_it_again_on_what_the_others_have_left(
    family: Family, busy: tuple[BusyStore, Caller], act: str
) -> None:
    store, caller = busy
    session = caller.open()
    handle = create(caller, session, "data", TOKEN=True, PRIVATE=False, LABEL=b"old")
    store.haste = 3
    if act == "create":
        create(caller, session, "data", TOKEN=True, PRIVATE=False)
    elif act == "copy":
        caller.ok(c.COPY_OBJECT, session, handle, template((CKA.LABEL, b"copy")))
    elif act == "set":
        caller.ok(c.SET_ATTRIBUTE_VALUE, session, handle, template((CKA.LABEL, b"new")))
    elif act == "destroy":
        caller.ok(c.DESTROY_OBJECT, session, handle)
    else:
        assert caller.set_pin(session, USER_PIN, b"another") is CKR.OK
    assert store.haste == 0
    objects = {"create": 5, "copy": 5, "set": 4, "destroy": 3, "pin": 4}[act]
    third = Caller(family.member(2))
    assert len(search(third, third.open(), template(), at_once=64)) == objects


def test_whoever_is_always_late_is_told_that_nothing_was_changed(busy: tuple[BusyStore, Caller]) -> None:
    store, caller = busy
    store.haste = 1000
    wanted = template((CKA.CLASS, 0), (CKA.TOKEN, True), (CKA.PRIVATE, False))
    assert caller.call(c.CREATE_OBJECT, caller.open(), wanted).rv is CKR.DEVICE_ERROR
    store.haste = 0


def test_a_key_changed_by_another_between_look_and_use_is_read_anew(family: Family, ours: Caller) -> None:
    """Its record in the store is newer than what memory knows of it, which is no damage."""
    session = ours.set_up()
    handle = create(ours, session, "data", TOKEN=True, PRIVATE=False, LABEL=b"old")
    late = family.member(1)
    token = late.slots.token(0)
    ours.ok(c.SET_ATTRIBUTE_VALUE, session, handle, template((CKA.LABEL, b"new")))
    assert token.objects.get(handle, private=False).attributes[CKA.LABEL] == b"new"


def test_a_store_that_cannot_be_reached_is_an_error_and_the_next_call_is_right(family: Family, ours: Caller) -> None:
    store = FailingStore(family.store)
    late = Caller(family.member(1, store))
    session = ours.set_up()
    other = logged_in(late)
    create(ours, session, "data", TOKEN=True, PRIVATE=False)
    store.unreachable = True
    assert late.call(c.GET_OBJECT_SIZE, other, 1).rv is CKR.DEVICE_ERROR
    store.unreachable = False
    assert late.call(c.GET_OBJECT_SIZE, other, 1).rv is CKR.OK


def test_attack_a_store_rolled_back_under_one_of_them_is_never_served(ours: Caller, theirs: Caller) -> None:
    below = MemoryStore()
    family = Family(below)
    ours, theirs = Caller(family.member(0)), Caller(family.member(1))
    session = ours.set_up()
    other = theirs.open()
    before = snapshot(below)
    create(ours, session, "data", TOKEN=True, PRIVATE=False)
    restore(below, before)
    assert theirs.call(c.GET_OBJECT_SIZE, other, 1).rv is CKR.DEVICE_ERROR


def test_two_worlds_agree_on_one_attestation_key(family: Family) -> None:
    one, other = family.member(0), family.member(1)
    assert one.attester.request()
    chains = {application.attester.chain() for application in (one, other, family.member(2))}
    assert len(chains) == 1


def test_the_slower_of_two_that_make_the_attestation_key_takes_the_others(family: Family) -> None:
    quick = family.member(0)

    class Slow(FailingStore):
        def commit(
            self, *, expected: Mapping[bytes, Revision], puts: Mapping[bytes, bytes], deletes: Collection[bytes] = ()
        ) -> Revision:
            quick.attester.chain()
            return super().commit(expected=expected, puts=puts, deletes=deletes)

    slow = family.member(1, Slow(family.store))
    assert slow.attester.chain() == quick.attester.chain()
