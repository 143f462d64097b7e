# SPDX-License-Identifier: Apache-2.0
"""Attacks on PINs: guessing in parallel, crashing between count and check, filling the memory, reading what is left."""

import logging
import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest

from softee.names import CKR, CKU
from softee.pkcs11_ta.abi.command import Command
from softee.pkcs11_ta.application import Pkcs11Application
from softee.pkcs11_ta.session import authentication
from softee.pkcs11_ta.token.pins import PinWrapper
from softee.pkcs11_ta.token.profiles import PORTABLE
from softee.pkcs11_ta.token.state import Cost
from softee.stores.base import Revision, StoreError
from softee.stores.memory import MemoryStore
from softee.tee.sealing import SealKey
from support.commands import c
from support.token_world import AS_OPTEE, SO_PIN, USER_PIN, Caller, make_application, public_client

THREADS = 8


class FailingStore(MemoryStore):
    """A store that fails from a given commit on, as when the machine dies there; what was written before stays."""

    def __init__(self) -> None:
        super().__init__()
        self.commits_left = 1_000_000

    def commit(
        self, *, expected: Mapping[bytes, Revision], puts: Mapping[bytes, bytes], deletes: Collection[bytes] = ()
    ) -> Revision:
        if self.commits_left <= 0:
            raise StoreError("the machine has died")
        self.commits_left -= 1
        return super().commit(expected=expected, puts=puts, deletes=deletes)


def at_once(application: Pkcs11Application, task: Callable[[Caller, int], CKR], count: int) -> list[CKR]:
    """Run a task ``count`` times from eight threads, each client with a session of its own."""
    callers = [Caller(application) for _ in range(count)]
    sessions = [caller.open() for caller in callers]
    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(task, callers, sessions))


def test_eight_threads_get_no_more_guesses_than_one() -> None:
    application = make_application()
    Caller(application).set_up()
    answers = Counter(at_once(application, lambda caller, session: caller.login(session, CKU.USER, b"guess"), 40))
    assert answers == {CKR.PIN_INCORRECT: 6, CKR.PIN_LOCKED: 34}


def test_guessing_through_all_calls_that_take_the_pin_shares_one_count() -> None:
    application = make_application()
    caller = Caller(application)
    session = caller.set_up()
    other = Caller(application)
    theirs = other.open()
    answers = [
        caller.set_pin(session, b"guess", b"654321"),
        other.login(theirs, CKU.USER, b"guess"),
        other.set_pin(theirs, b"guess", b"654321"),
        other.set_pin(theirs, b"", b""),
        other.login(theirs, CKU.USER, b""),
        caller.set_pin(session, b"x" * 300, b""),
        other.login(theirs, CKU.USER, b"guess"),
    ]
    assert answers == [CKR.PIN_INCORRECT] * 6 + [CKR.PIN_LOCKED]


def test_right_pins_at_the_same_time_never_lock_the_token() -> None:
    application = make_application()
    Caller(application).set_up()
    answers = at_once(application, lambda caller, session: caller.login(session), 40)
    assert set(answers) == {CKR.OK}
    assert Caller(application).token_flags() == 0x40D


def test_wrong_pins_between_right_ones_reset_and_never_lock() -> None:
    application = make_application()
    Caller(application).set_up()

    def alternate(caller: Caller, session: int) -> CKR:
        caller.login(session, CKU.USER, b"wrong")
        return caller.login(session)

    caller = Caller(application)
    session = caller.open()
    for _ in range(20):
        assert alternate(caller, session) is CKR.OK
        caller.logout(session)


@pytest.mark.parametrize("user", [CKU.SO, CKU.USER])
def test_an_empty_pin_logs_nobody_in(user: CKU) -> None:
    """Nor before there is a PIN, nor where the number of tries is used up."""
    caller = Caller(make_application(policy=PORTABLE))
    session = caller.open()
    for _ in range(3):
        assert caller.login(session, user, b"") in {CKR.USER_PIN_NOT_INITIALIZED, CKR.PIN_INCORRECT}
    caller.ok(c.CLOSE_SESSION, session)
    assert caller.init_token() is CKR.OK
    session = caller.open()
    missing = CKR.USER_PIN_NOT_INITIALIZED if user is CKU.USER else CKR.PIN_INCORRECT
    assert caller.login(session, user, b"") is missing
    assert caller.login(session, CKU.SO, SO_PIN) is CKR.OK
    assert caller.init_pin(session) is CKR.OK
    assert caller.logout(session) is CKR.OK
    for _ in range(6):
        assert caller.login(session, user, b"") is CKR.PIN_INCORRECT
    assert {caller.login(session, user, b"") for _ in range(3)} == {CKR.PIN_LOCKED}


@pytest.mark.parametrize("user", [CKU.USER, CKU.SO])
def test_a_crash_during_a_check_gives_no_try_back_and_locks_out_nobody_who_knows_the_pin(user: CKU) -> None:
    """The disk dies just after the try was noted: it counts if the next PIN is wrong, and not if it is right."""
    store = FailingStore()
    Caller(make_application(store)).set_up()
    right = USER_PIN if user is CKU.USER else SO_PIN
    for pin, last in ((right, CKR.OK), (b"guess", CKR.PIN_LOCKED)):
        crash_in_seven_checks(store, user, pin)
        caller = Caller(make_application(store))
        assert caller.login(caller.open(), user, pin) is last
    caller = Caller(make_application(store))
    assert caller.login(caller.open(), user, right) is CKR.PIN_LOCKED


def crash_in_seven_checks(store: FailingStore, user: CKU, pin: bytes) -> None:
    for _ in range(7):
        caller = Caller(make_application(store))
        session = caller.open()
        store.commits_left = 1
        assert caller.login(session, user, pin) is CKR.DEVICE_ERROR
        store.commits_left = 1_000_000


def test_attack_seven_wrong_pins_of_one_uid_lock_out_no_other() -> None:
    application = make_application(policy=PORTABLE)
    Caller(application).set_up()
    mallory = Caller(application, public_client(uid=1001))
    theirs = mallory.open()
    answers = [mallory.login(theirs, user, b"guess") for user in (CKU.USER, CKU.SO) for _ in range(8)]
    assert answers == ([CKR.PIN_INCORRECT] * 6 + [CKR.PIN_LOCKED] * 2) * 2
    assert mallory.login(theirs) is CKR.PIN_LOCKED
    alice = Caller(application)
    assert alice.token_flags() & 0x770000 == 0
    assert mallory.token_flags() & 0x770000 == 0x770000
    assert alice.login(alice.open()) is CKR.OK


def test_attack_guessing_beside_one_who_knows_the_pin_locks_the_guesser() -> None:
    """A right PIN of another uid gives him no new tries, and no flag tells him when to go on."""
    application = make_application(policy=PORTABLE)
    Caller(application).set_up()
    mallory = Caller(application, public_client(uid=1001))
    theirs, answers = mallory.open(), []
    for _ in range(8):
        answers.append(mallory.login(theirs, CKU.USER, b"guess"))
        alice = Caller(application)
        assert alice.login(alice.open()) is CKR.OK
    assert answers == [CKR.PIN_INCORRECT] * 6 + [CKR.PIN_LOCKED] * 2


def test_attack_guessing_under_many_uids_locks_the_pin_for_all() -> None:
    application = make_application(policy=PORTABLE)
    Caller(application).set_up()
    answers = []
    for uid in range(2000, 2006):
        mallory = Caller(application, public_client(uid=uid))
        session = mallory.open()
        answers += [mallory.login(session, CKU.USER, b"guess") for _ in range(5)]
    assert answers == [CKR.PIN_INCORRECT] * 27 + [CKR.PIN_LOCKED] * 3
    alice = Caller(application)
    assert alice.login(alice.open()) is CKR.PIN_LOCKED


@pytest.mark.parametrize("pin", [b"", b"1", b"x" * 129])
def test_attack_a_pin_that_cannot_be_right_costs_as_much_as_any(pin: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    computed: list[bytearray] = []
    derive = PinWrapper._key

    def counting(self: PinWrapper, pin: bytearray, salt: bytes, cost: Cost, vault_secret: bytes) -> SealKey:
        computed.append(pin)
        return derive(self, pin, salt, cost, vault_secret)

    monkeypatch.setattr(PinWrapper, "_key", counting)
    for policy, computations in ((PORTABLE, 1), (AS_OPTEE, 0)):
        application = make_application(policy=policy)
        caller = Caller(application)
        caller.set_up()
        other = Caller(application)
        session = other.open()
        computed.clear()
        assert other.login(session, CKU.USER, pin) is CKR.PIN_INCORRECT
        assert len(computed) == computations


def test_a_disk_that_cannot_count_checks_no_pin() -> None:
    store = FailingStore()
    caller = Caller(make_application(store))
    caller.set_up()
    caller.ok(c.CLOSE_ALL_SESSIONS, 0)
    session = caller.open()
    store.commits_left = 0
    for pin in (USER_PIN, b"wrong"):
        assert caller.login(session, CKU.USER, pin) is CKR.DEVICE_ERROR
    store.commits_left = 1_000_000
    assert caller.token_flags() == 0x40D
    assert caller.login(session) is CKR.OK


@pytest.mark.parametrize("commits", range(6))
def test_a_crash_anywhere_in_a_pin_change_leaves_one_working_pin(commits: int) -> None:
    store = FailingStore()
    caller = Caller(make_application(store))
    session = caller.set_up()
    store.commits_left = commits
    changed = caller.set_pin(session, USER_PIN, b"654321") is CKR.OK
    store.commits_left = 1_000_000
    after = Caller(make_application(store))
    session = after.open()
    assert after.login(session, CKU.USER, b"654321" if changed else USER_PIN) is CKR.OK
    assert changed == (commits >= 3)


@pytest.mark.parametrize("commits", range(5))
def test_a_crash_anywhere_in_init_token_leaves_the_token_before_or_after(commits: int) -> None:
    store = FailingStore()
    caller = Caller(make_application(store))
    caller.set_up()
    caller.ok(c.CLOSE_ALL_SESSIONS, 0)
    store.commits_left = commits
    done = caller.init_token(label=b"new") is CKR.OK
    store.commits_left = 1_000_000
    after = Caller(make_application(store))
    session = after.open()
    assert after.login(session) is (CKR.USER_PIN_NOT_INITIALIZED if done else CKR.OK)
    after.ok(c.CLOSE_ALL_SESSIONS, 0)
    assert after.init_token() is CKR.OK


class CountingSemaphore(threading.BoundedSemaphore):
    """Remembers how many have been inside at once."""

    def __init__(self, value: int) -> None:
        super().__init__(value)
        self.inside = self.most = 0
        self.guard = threading.Lock()

    def acquire(self, blocking: bool = True, timeout: float | None = None) -> bool:  # noqa: FBT001, FBT002 - theirs
        got = super().acquire(blocking, timeout)
        with self.guard:
            self.inside += got
            self.most = max(self.most, self.inside)
        return got

    __enter__ = acquire

    def release(self, n: int = 1) -> None:
        with self.guard:
            self.inside -= n
        super().release(n)


def test_argon2_runs_no_more_than_so_often_at_once() -> None:
    application = make_application()
    for slot in range(3):
        Caller(application).set_up(slot)
    running = CountingSemaphore(2)
    application.pins = PinWrapper(running, Cost(memory=1024, passes=2, lanes=1))
    callers = [Caller(application) for _ in range(24)]
    with ThreadPoolExecutor(THREADS) as pool:
        answers = list(pool.map(lambda pair: pair[1].login(pair[1].open(pair[0] % 3)), enumerate(callers)))
    assert set(answers) == {CKR.OK}
    assert 1 <= running.most <= 2
    assert running.inside == 0


def test_no_pin_is_in_a_log_line(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    caller = Caller(make_application())
    session = caller.set_up()
    secrets = [b"PIN-of-mine-1", b"PIN-of-mine-2", b"PIN-of-mine-3" * 20]
    for pin in secrets:
        caller.login(session, CKU.USER, pin)
        caller.set_pin(session, pin, pin)
        caller.init_pin(session, pin)
        caller.init_token(0, pin)
        caller.login(session, CKU.CONTEXT_SPECIFIC, pin)
        caller.call(c.LOGIN, session, CKU.USER, len(pin) + 1, pin)
    assert caplog.records
    assert "PIN-of-mine" not in caplog.text


def test_no_pin_and_no_user_key_is_in_the_store() -> None:
    store = MemoryStore()
    caller = Caller(make_application(store))
    caller.set_up()
    user_key = caller.application.slots.token(0).user_key
    assert user_key is not None
    for key, record in store.range(b""):
        for secret in (USER_PIN, SO_PIN, bytes(user_key)):
            assert secret not in key
            assert secret not in record.value


@contextmanager
def watched(*commands: Command[Any]) -> Iterator[list[bytearray]]:
    """Collect the PINs of the requests that are decoded meanwhile."""
    seen: list[bytearray] = []

    def spy(decode: Callable[[bytes | bytearray], object], data: bytes | bytearray) -> object:
        request = decode(data)
        seen.extend(getattr(request, name) for name in ("pin", "old_pin", "new_pin") if hasattr(request, name))
        return request

    before = [command.decode for command in commands]
    for command in commands:
        object.__setattr__(command, "decode", partial(spy, command.decode))
    try:
        yield seen
    finally:
        for command, decode in zip(commands, before, strict=True):
            object.__setattr__(command, "decode", decode)


def test_requests_do_not_keep_the_pin() -> None:
    caller = Caller(make_application())
    session = caller.set_up()
    with watched(c.LOGIN) as seen:
        for user in (CKU.USER, CKU.SO, CKU.CONTEXT_SPECIFIC, 9):
            caller.login(session, user, b"some pin")
    assert [bytes(pin) for pin in seen] == [bytes(8)] * 4


def test_commands_that_set_a_pin_do_not_keep_it() -> None:
    caller = Caller(make_application())
    with watched(c.INIT_TOKEN, c.INIT_PIN, c.SET_PIN) as seen:
        session = caller.set_up()
        assert caller.set_pin(session, USER_PIN, b"another PIN") is CKR.OK
        assert caller.set_pin(session, b"a wrong PIN", b"another PIN") is CKR.PIN_INCORRECT
        assert caller.init_pin(session, b"some PIN") is CKR.USER_NOT_LOGGED_IN
        assert caller.init_token(0, b"some PIN") is CKR.SESSION_EXISTS
    assert len(seen) == 8
    assert not any(any(pin) for pin in seen)


def test_a_user_key_that_was_opened_for_a_command_does_not_outlive_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The token's own copy is the only one that stays, and it goes at the last logout."""
    copies: list[bytearray] = []

    def noting(function: Callable[..., bytearray | None]) -> Callable[..., bytearray | None]:
        def noted(*args: Any, **named: Any) -> bytearray | None:  # noqa: ANN401  # passed on
            made = function(*args, **named)
            copies.extend([] if made is None else [made])
            return made

        return noted

    store = FailingStore()
    caller = Caller(make_application(store))
    monkeypatch.setattr(PinWrapper, "unwrap", noting(PinWrapper.unwrap))
    for function in ("new_user_key", "_user_key_for_so"):
        monkeypatch.setattr(authentication, function, noting(getattr(authentication, function)))
    session = caller.set_up()
    assert caller.set_pin(session, USER_PIN, b"another PIN") is CKR.OK
    token = caller.application.slots.token(0)
    kept = token.user_key
    assert kept is not None
    assert any(kept)
    store.commits_left = 1  # the try is counted, and that it was right is not
    assert caller.set_pin(session, b"another PIN", USER_PIN) is CKR.DEVICE_ERROR
    assert len(copies) == 6
    assert not any(any(copy) for copy in copies)
    assert caller.logout(session) is CKR.OK
    assert not any(kept)
    assert token.user_key is None
