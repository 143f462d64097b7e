# SPDX-License-Identifier: Apache-2.0
"""Applications that go on while the secure world is killed and started again, through the shared object."""

import contextlib
import os
import signal
import threading
from collections.abc import Callable
from ctypes import byref, c_ulong
from pathlib import Path

import pytest

from interop.restarts import ECDSA, SOAK, World, find_key, in_flight, login, refusal
from interop.tools import PIN, SO_PIN, Programs
from softee.daemon.keyring import Entry
from softee.daemon.ticket_keepers import description_of
from softee.names import CKA, CKK, CKM, CKO, CKR, CKU
from support.cryptoki import Mechanism, Module, Session

RESTARTS = 20 if SOAK else 2


def sign_in_a_loop(survivor: Module, threads: int, interrupt: Callable[[], None]) -> None:
    """Sign and verify in so many threads; each has got on between any two interruptions."""
    session = survivor.login(0, PIN)
    key = find_key(session)
    public = find_key(session, private=False)
    over = threading.Event()
    failures: list[BaseException] = []
    counts = [0] * threads

    def sign(number: int, own: Session) -> None:
        try:
            while not over.is_set():
                data = os.urandom(32)
                own.verify(ECDSA, public, data, own.sign(ECDSA, key, data))
                counts[number] += 1
        except BaseException as failure:  # noqa: BLE001 - reported by the thread that runs the test
            failures.append(failure)
            over.set()

    sessions = [session, *(survivor.open(0) for _ in range(threads - 1))]
    workers = [threading.Thread(target=sign, args=pair) for pair in enumerate(sessions)]
    for worker in workers:
        worker.start()
    for done in range(RESTARTS + 1):
        before = list(counts)
        while not over.is_set() and any(now == then for now, then in zip(counts, before, strict=True)):
            over.wait(0.01)
        if done < RESTARTS:
            interrupt()
    over.set()
    for worker in workers:
        worker.join()
    assert not failures, failures


@pytest.mark.parametrize("upgrade", [False, True], ids=["killed", "upgraded"])
@pytest.mark.parametrize("threads", [1, 8])
def test_signing_goes_on_through_restarts(survivor: Module, world: World, threads: int, *, upgrade: bool) -> None:
    sign_in_a_loop(survivor, threads, lambda: world.restart(upgrade=upgrade))


def test_signing_goes_on_through_the_death_of_workers(survivor: Module, world: World) -> None:
    world.restart_with("workers = 2")

    def kill_workers() -> None:
        for worker in world.workers():
            with contextlib.suppress(ProcessLookupError):  # it died last time, and was buried just now
                os.kill(worker, signal.SIGKILL)

    sign_in_a_loop(survivor, 2, kill_workers)


def test_a_key_that_wants_a_login_for_each_use_gets_no_second_use_of_one(
    survivor: Module, world: World, module: Path
) -> None:
    world.restart_with("workers = 1")
    Programs(module, world.socket, world.directory).generate("EC:prime256v1", "guarded", "--always-auth")
    session = survivor.login(0, PIN)
    key = session.find({CKA.CLASS: int(CKO.PRIVATE_KEY), CKA.LABEL: b"guarded"})[0]
    answers: list[CKR] = []

    def sign() -> None:
        answers.append(refusal("C_Sign", session, bytes(32), c_ulong(32), bytes(64), byref(c_ulong(64))))

    session.begin("C_Sign", ECDSA, key)
    login(session, user=CKU.CONTEXT_SPECIFIC)
    in_flight(world, threading.Thread(target=sign))
    session.begin("C_Sign", ECDSA, key)
    world.restart()
    sign()
    assert answers == [CKR.DEVICE_ERROR, CKR.OPERATION_NOT_INITIALIZED]


AES = {CKA.CLASS: int(CKO.SECRET_KEY), CKA.KEY_TYPE: int(CKK.AES), CKA.VALUE_LEN: 16}
GENERATE_AES = Mechanism(CKM.AES_KEY_GEN)
SHA256 = Mechanism(CKM.SHA256)


def test_private_handles_stay_and_session_objects_are_gone_for_good(survivor: Module, world: World) -> None:
    session = survivor.login(0, PIN)
    key = find_key(session)
    before = session.generate(GENERATE_AES, AES)
    world.restart()
    assert session.sign(ECDSA, key, bytes(32))
    assert refusal("C_DestroyObject", session, c_ulong(before)) is CKR.OBJECT_HANDLE_INVALID
    after = session.generate(GENERATE_AES, AES)
    assert after > before, "an old handle names nothing else"
    world.restart()
    assert session.generate(GENERATE_AES, AES) > after


def test_sessions_without_a_login_come_back_under_their_handles(survivor: Module, world: World) -> None:
    first, second = survivor.open(0), survivor.open(1)
    first.call("C_CloseSession")
    world.restart()
    assert second.find({}) == []
    assert refusal("C_CloseSession", first) is CKR.SESSION_HANDLE_INVALID
    third = survivor.open(0)
    handles = {one.handle for one in (first, second, third)}
    assert len(handles) == 3
    world.restart()
    third.find({})


def test_an_operation_that_was_begun_before_goes_on_until_it_has_had_a_part(survivor: Module, world: World) -> None:
    session = survivor.login(0, PIN)
    key = find_key(session)
    session.begin("C_Sign", ECDSA, key)
    world.restart()
    assert len(session.update("C_Sign", bytes(32))) == 64
    session.begin("C_Digest", SHA256)
    world.restart()
    session.take("C_DigestUpdate", b"a")
    world.restart()
    assert refusal("C_DigestUpdate", session, b"b", c_ulong(1)) is CKR.OPERATION_NOT_INITIALIZED
    assert session.run("C_Digest", SHA256, None, b"ab")


def test_an_operation_that_was_cancelled_meanwhile_does_not_come_back(survivor: Module, world: World) -> None:
    session = survivor.login(0, PIN)
    key = find_key(session)
    session.begin("C_Sign", ECDSA, key)
    world.kill()
    session.call("C_SessionCancel", c_ulong(0x800))
    world.start()
    session.begin("C_Sign", ECDSA, key)


def test_a_search_goes_on(survivor: Module, world: World) -> None:
    session = survivor.login(0, PIN)
    key = find_key(session)
    session.call("C_FindObjectsInit", None, c_ulong(0))
    world.restart()
    found, count = (c_ulong * 8)(), c_ulong()
    session.call("C_FindObjects", found, c_ulong(8), byref(count))
    assert key in list(found[: count.value])
    session.call("C_FindObjectsFinal")


def test_whoever_has_logged_out_is_not_logged_in_again(survivor: Module, world: World) -> None:
    session = survivor.login(0, PIN)
    session.call("C_Logout")
    world.restart()
    assert session.find({CKA.CLASS: int(CKO.PRIVATE_KEY)}) == []
    login(session)
    find_key(session)
    world.kill()
    session.call("C_Logout")
    assert refusal("C_Logout", session) is CKR.USER_NOT_LOGGED_IN
    world.start()
    assert session.find({CKA.CLASS: int(CKO.PRIVATE_KEY)}) == []


def test_the_login_of_an_old_pin_does_not_come_back(survivor: Module, world: World, module: Path) -> None:
    session = survivor.login(0, PIN)
    programs = Programs(module, world.socket, world.directory)
    programs.p11("--login", "--pin", PIN, "--change-pin", "--new-pin", "54321")
    world.restart()
    assert refusal("C_FindObjectsInit", session, None, c_ulong(0)) is CKR.SESSION_HANDLE_INVALID
    again = survivor.open(0)
    assert again.handle != session.handle
    login(again, "54321")
    find_key(again)


def test_the_login_of_whoever_has_changed_the_pin_comes_back(survivor: Module, world: World) -> None:
    session = survivor.login(0, PIN)
    session.call("C_SetPIN", PIN.encode(), c_ulong(len(PIN)), b"54321", c_ulong(5))
    world.restart()
    find_key(session)


def test_the_so_comes_back_as_the_so(survivor: Module, world: World) -> None:
    session = survivor.open(0)
    login(session, SO_PIN, CKU.SO)
    world.restart()
    session.call("C_InitPIN", b"54321", c_ulong(5))
    world.restart()
    session.call("C_Logout")
    login(session, "54321")


def test_without_a_ticket_key_sessions_are_gone_and_new_ones_open_at_once(survivor: Module, world: World) -> None:
    session, other = survivor.login(0, PIN), survivor.open(1)
    key = find_key(session)
    world.kill()
    Entry(description_of(world.daemon.state)).remove()
    world.start()
    assert survivor.mechanisms(0)
    for _ in range(2):
        assert refusal("C_SignInit", session, byref(ECDSA.value), c_ulong(key)) is CKR.SESSION_HANDLE_INVALID
    other.find({})
    again = survivor.login(0, PIN)
    assert again.handle > other.handle
    assert find_key(again) > key, "an earlier login's handle names nothing"


def test_what_may_have_been_done_is_not_done_again(survivor: Module, world: World) -> None:
    world.restart_with("workers = 1")
    session = survivor.login(0, PIN)
    key = find_key(session)
    answers: list[int] = []

    def make() -> None:
        answers.append(refusal("C_GenerateKey", session, *generate_arguments()))

    def sign() -> None:
        answers.append(len(session.sign(ECDSA, key, bytes(32))))

    def generate_arguments() -> tuple[object, ...]:
        made = c_ulong()
        return byref(GENERATE_AES.value), None, c_ulong(0), byref(made)

    in_flight(world, threading.Thread(target=make))
    in_flight(world, threading.Thread(target=sign))
    assert answers == [CKR.DEVICE_ERROR, 64]
