# SPDX-License-Identifier: Apache-2.0
"""Forked children of an application go on where it was, as servers' workers do, while the secure world restarts."""

import multiprocessing
import threading
from collections.abc import Callable
from ctypes import c_ulong

from interop.restarts import ECDSA, World, find_key, in_flight, login, refusal
from interop.tools import PIN
from softee.names import CKR, CKU
from support.cryptoki import Module, Session

FORK = multiprocessing.get_context("fork")


def try_to_log_in(session: Session, pin: str) -> CKR:
    return refusal("C_Login", session, c_ulong(CKU.USER), pin.encode(), c_ulong(len(pin)))


def sign(session: Session) -> None:
    session.sign(ECDSA, find_key(session), bytes(32))


def test_a_child_waits_for_the_secure_world_that_its_parent_had(survivor: Module, world: World) -> None:
    def go_on() -> None:
        survivor.call("C_Initialize", None)
        sign(survivor.login(0, PIN))

    survivor.login(0, PIN)
    world.kill()
    child = FORK.Process(target=go_on)
    child.start()
    world.start()
    child.join()
    assert child.exitcode == 0


def log_in_while_the_secure_world_dies(survivor: Module, world: World, act: Callable[[Session], None]) -> None:
    """Act in a child that has a session, and that logs in first; what it does first meets a secure world that dies."""
    has_session, shall_go_on = FORK.Event(), FORK.Event()

    def be_child() -> None:
        survivor.call("C_Initialize", None)
        session = survivor.open(0)
        has_session.set()
        shall_go_on.wait()
        act(session)

    def let_it_go_on() -> None:
        shall_go_on.set()
        child.join()

    child = FORK.Process(target=be_child)
    child.start()
    has_session.wait()
    in_flight(world, threading.Thread(target=let_it_go_on), child.pid)
    assert child.exitcode == 0


def test_a_child_s_login_is_done_again(survivor: Module, world: World) -> None:
    def log_in_and_sign(session: Session) -> None:
        login(session)
        sign(session)

    survivor.login(0, PIN)
    log_in_while_the_secure_world_dies(survivor, world, log_in_and_sign)


def test_a_wrong_pin_stays_wrong(survivor: Module, world: World) -> None:
    def guess(session: Session) -> None:
        assert try_to_log_in(session, "99999") is CKR.PIN_INCORRECT

    survivor.open(0)
    log_in_while_the_secure_world_dies(survivor, world, guess)


def test_the_login_of_whoever_is_nobody_s_child_is_not_done_again(survivor: Module, world: World) -> None:
    answers: list[CKR] = []
    session = survivor.open(0)
    in_flight(world, threading.Thread(target=lambda: answers.append(try_to_log_in(session, PIN))))
    assert answers == [CKR.DEVICE_ERROR]
