# SPDX-License-Identifier: Apache-2.0
"""The library in processes that end in the middle of calls, are full of signals, or have it twice."""

import ctypes
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from interop.restarts import SOAK, World, run_client
from interop.tools import copied_module

Seen = Callable[..., list[str]]


@pytest.fixture
def seen(module: Path, world: World) -> Seen:
    """Run tests/interop/company_client.py, and return what it has seen."""

    def run(what: str, *arguments: str) -> list[str]:
        copy = copied_module(module, world.directory)
        return run_client(copy, world, what, *arguments, client="company_client.py")

    return run


def processes(world: World) -> list[str]:
    return [str(pid) for pid in (world.daemon.process.pid, *world.workers())]


@pytest.mark.parametrize("end", ["exit", "_exit", "quick_exit"])
def test_a_process_ends_at_once_while_a_thread_waits_for_an_answer(seen: Seen, world: World, end: str) -> None:
    assert seen(end, *processes(world)) == ["signed"], "the call that was under way has not returned"


@pytest.mark.skipif(not SOAK, reason="takes ten seconds, libteec's patience; SOFTEE_SOAK=1")
def test_an_exit_handler_finalizes_beside_a_secure_world_that_stands_still(seen: Seen, world: World) -> None:
    assert seen("exit_with_a_handler", *processes(world)) == ["signed", "OK"]


def test_finalized_and_initialized_while_other_threads_call(seen: Seen) -> None:
    assert seen("finalize") == ["as it should be", "signed"]


@pytest.mark.parametrize("calls", ["restarted", "interrupted"])
def test_a_storm_of_signals_disturbs_no_call(seen: Seen, calls: str) -> None:
    assert seen("storm", calls) == ["signed"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can change the root directory")
def test_another_root_directory_keeps_the_connection_and_its_loss_is_an_error(
    seen: Seen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOFTEE_RECONNECT_SECONDS", "0")
    assert seen("jail") == ["signed", "signed", "DEVICE_ERROR"]


def test_two_copies_in_one_process_have_nothing_in_common(seen: Seen) -> None:
    assert seen("two_copies") == ["signed", "signed", "CRYPTOKI_NOT_INITIALIZED", "signed"]


LIBRARIES = {"openssl": "libcrypto.so.3", "gnutls": "libgnutls.so.30", "nss": "libnss3.so"}


@pytest.mark.parametrize("gone", [False, True], ids=["there", "gone"])
@pytest.mark.parametrize("stock", LIBRARIES)
def test_a_stock_library_calls_in_after_main(module: Path, world: World, stock: str, *, gone: bool) -> None:
    """Its handler finds the secure world there, or killed."""
    if not is_installed(LIBRARIES[stock]):
        pytest.skip(f"needs {LIBRARIES[stock]}")
    killed = processes(world) if gone else []
    assert run_client(module, world, stock, *killed, client="exit_client.py") == ["initialized"]


def is_installed(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True
