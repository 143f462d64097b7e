# SPDX-License-Identifier: Apache-2.0
"""Applications that lose their connection, by what they do to themselves or because nobody is there."""

import os
import signal
import threading
from ctypes import c_ulong
from pathlib import Path

import pytest

from interop.restarts import ECDSA, SOAK, World, find_key, refusal, run_client
from interop.tools import PIN, copied_module
from softee.names import CKR
from support.cryptoki import CryptokiError, Module


def test_nobody_waits_for_a_secure_world_to_end_something(survivor: Module, world: World) -> None:
    session, other = survivor.login(0, PIN), survivor.open(0)
    world.kill()
    session.call("C_Logout")
    session.call("C_CloseSession")
    assert refusal("C_CloseSession", session) is CKR.SESSION_HANDLE_INVALID
    survivor.call("C_CloseAllSessions", c_ulong(0))
    assert refusal("C_FindObjectsFinal", other) is CKR.SESSION_HANDLE_INVALID
    survivor.call("C_Finalize", None)
    world.start()
    survivor.call("C_Initialize", None)


def test_a_secure_world_that_stays_away_is_an_error_and_is_found_when_it_is_back(
    module: Path, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOFTEE_SOCKET", str(world.socket))
    monkeypatch.setenv("SOFTEE_RECONNECT_SECONDS", "0")
    loaded = Module(copied_module(module, world.directory))
    session = loaded.login(0, PIN)
    world.kill()
    assert refusal("C_FindObjectsInit", session, None, c_ulong(0)) is CKR.DEVICE_ERROR
    assert refusal("C_FindObjectsInit", session, None, c_ulong(0)) is CKR.DEVICE_ERROR
    world.start()
    find_key(session)
    loaded.close()


def test_closed_descriptors_cost_no_login(module: Path, world: World) -> None:
    told = run_client(module, world, "closed")
    assert told == ["signed", "signed"]


def test_a_process_without_descriptors_fails_until_it_has_some(
    module: Path, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOFTEE_RECONNECT_SECONDS", "0")
    assert run_client(module, world, "without_descriptors") == ["DEVICE_ERROR", "signed"]


@pytest.mark.parametrize("seconds", ["-1", "soon", "86401", "1.5"])
def test_a_patience_that_makes_no_sense_is_refused(
    module: Path, world: World, monkeypatch: pytest.MonkeyPatch, seconds: str
) -> None:
    monkeypatch.setenv("SOFTEE_RECONNECT_SECONDS", seconds)
    monkeypatch.setenv("SOFTEE_SOCKET", str(world.socket))
    with pytest.raises(CryptokiError, match="CKR_ARGUMENTS_BAD"):
        Module(copied_module(module, world.directory))


@pytest.mark.skipif(not SOAK, reason="takes 12 seconds; SOFTEE_SOAK=1")
def test_twelve_seconds_of_silence_cost_nothing(survivor: Module, world: World) -> None:
    session = survivor.login(0, PIN)
    key = find_key(session)
    pids = [world.daemon.process.pid, *world.workers()]

    def go_on() -> None:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)

    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    goes_on = threading.Timer(12, go_on)
    goes_on.start()
    assert len(session.sign(ECDSA, key, bytes(32))) == 64
    goes_on.join()
    assert len(session.sign(ECDSA, key, bytes(32))) == 64


def test_another_user_gets_no_login_back_and_goes_on(module: Path, world: World) -> None:
    world.restart_with("socket_mode = 0o666")
    world.socket.parent.chmod(0o755)
    assert run_client(module, world, "setuid") == ["signed", "signed", "SESSION_HANDLE_INVALID", "opened"]


def test_a_forked_child_gets_nothing(module: Path, world: World) -> None:
    assert run_client(module, world, "fork") == ["signed", "CRYPTOKI_NOT_INITIALIZED", "no private keys"]


def test_another_program_in_the_same_process_gets_nothing(module: Path, world: World) -> None:
    assert run_client(module, world, "exec") == ["signed", "no private keys"]


def test_unloading_a_library_in_use_neither_crashes_nor_leaks(module: Path, world: World) -> None:
    assert run_client(module, world, "unload") == ["same number of descriptors"]
