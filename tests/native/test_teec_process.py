# SPDX-License-Identifier: Apache-2.0
"""libteec.so.2 in processes that close what they did not open, fork among threads, and are interrupted by signals."""

import contextlib
import os
import resource
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from native.peer import INVOKE, Peer
from native.teec_shell import API, BAD_STATE, COMMS, COMMUNICATION, SUCCESS, TARGET_DEAD, TRUSTED_APP, Shell, preloaded
from support.standing_still import until_it_polls

INVOKE_LINE = "invoke 1 vx:1,2 ti:50 to:60 tx:70"
GOOD = f"{SUCCESS} {TRUSTED_APP}"
LOST = f"{COMMUNICATION} {COMMS}"
DEAD = f"{TARGET_DEAD} {COMMS}"


@pytest.fixture
def peer(tmp_path: Path) -> Iterator[Peer]:
    with Peer(tmp_path / "tee.sock") as peer:
        yield peer


@pytest.fixture
def shell(native_build: Path, peer: Peer) -> Iterator[Shell]:
    with Shell(native_build, peer.path) as shell:
        yield shell.connect()


def test_closed_descriptor_loses_the_context_only(shell: Shell) -> None:
    assert shell("shut 3 1023") == "ok"
    assert shell(INVOKE_LINE).startswith(DEAD)
    assert shell(INVOKE_LINE).startswith(DEAD)
    assert shell("final") == "ok"
    assert shell.connect()(INVOKE_LINE).startswith(GOOD)


def test_replaced_descriptors_are_neither_used_nor_closed(shell: Shell, peer: Peer) -> None:
    assert shell("parallel 4 20 1") == "80"
    count = shell("steal")
    assert int(count) == len(peer.hellos)
    assert shell(INVOKE_LINE).split()[0] in (COMMUNICATION, TARGET_DEAD)
    assert shell("final") == "ok"
    assert shell("stolen") == count
    assert shell.connect()(INVOKE_LINE).startswith(GOOD)
    assert shell("stolen") == count


def test_descriptor_replaced_while_a_call_sleeps_is_not_read(shell: Shell, peer: Peer) -> None:
    peer.rendezvous = threading.Barrier(2)
    assert shell("start 3") == "ok"
    while peer.requests[-1].type != INVOKE:
        threading.Event().wait(0.005)
    until_it_polls(shell.pid)
    count = shell("steal")
    peer.rendezvous.wait()
    assert shell("wait").startswith(LOST)
    assert shell("stolen") == count


def test_files_of_limited_size_keep_large_buffers_inline(shell: Shell, peer: Peer) -> None:
    resource.prlimit(shell.pid, resource.RLIMIT_FSIZE, (4096, 4096))
    assert shell("invoke 1 - ti:300000 to:300000").startswith(GOOD)
    assert peer.requests[-1].files == []


def test_no_descriptor_may_be_opened_and_calls_go_on(native_release_build: Path, peer: Peer) -> None:
    with Shell(native_release_build, peer.path) as shell:
        shell.connect()
        resource.prlimit(shell.pid, resource.RLIMIT_NOFILE, (0, 0))
        assert shell(INVOKE_LINE).startswith(GOOD)
        assert shell("invoke 7 - ti:300000 to:300000").startswith(GOOD)
        assert len(peer.hellos) == 1


def test_process_that_has_forbidden_itself_all_but_its_sockets_goes_on(native_release_build: Path, peer: Peer) -> None:
    with Shell(native_release_build, peer.path) as shell:
        assert shell.connect()("confine") == "ok"
        for _ in range(3):
            assert shell(INVOKE_LINE).startswith(GOOD)


def test_descriptors_lie_above_standard_error_and_close_on_exec(native_build: Path, peer: Peer) -> None:
    with Shell(native_build, peer.path) as shell:
        assert shell("shut 2 2") == "ok"
        shell.connect()
        sockets = [int(entry.name) for entry in Path(f"/proc/{shell.pid}/fd").iterdir() if is_socket(entry)]
        assert len(sockets) == 1
        assert sockets[0] > 2
        flags = Path(f"/proc/{shell.pid}/fdinfo/{sockets[0]}").read_text().split("flags:\t")[1].split()[0]
        assert int(flags, 8) & os.O_CLOEXEC


def is_socket(entry: Path) -> bool:
    with contextlib.suppress(OSError):
        return str(entry.readlink()).startswith("socket:")
    return False


def test_signals_interrupt_nothing(shell: Shell) -> None:
    assert shell("alarms 200") == "ok"
    assert shell("parallel 4 300 1") == "1200"
    assert shell("invoke 1 - ti:300000 to:300000").startswith(GOOD)


def test_child_forgets_and_the_parent_goes_on(shell: Shell, peer: Peer) -> None:
    before = len(peer.requests)
    assert shell("fork") == "child"
    assert shell(INVOKE_LINE).startswith(f"{BAD_STATE} {API}")
    assert shell("open 0") == f"{BAD_STATE} {API}"
    assert shell("close") == "ok"
    assert shell("final") == "ok"
    assert len(peer.requests) == before, "nothing was sent over what is the parent's"
    assert shell.connect()(INVOKE_LINE).startswith(GOOD)
    assert shell("final") == "ok"
    shell.tell("exit")
    assert shell.hear() == "parent 0"
    assert shell(INVOKE_LINE).startswith(GOOD)
    assert peer.hellos == [bytes(16), bytes(16)], "the child does not join its parent's context"


def test_grandchild_forgets_too(shell: Shell) -> None:
    for _ in range(2):
        assert shell("fork") == "child"
        assert shell(INVOKE_LINE).startswith(BAD_STATE)
        assert shell.connect()(INVOKE_LINE).startswith(GOOD)
    for _ in range(2):
        shell.tell("exit")
        assert shell.hear() == "parent 0"
    assert shell(INVOKE_LINE).startswith(GOOD)


def test_children_forked_among_busy_threads_do_not_hang(native_release_build: Path, peer: Peer) -> None:
    with Shell(native_release_build, peer.path) as shell:
        assert shell.connect()("forks 40") == "40"


def test_children_forked_while_a_thread_holds_the_lock_do_not_hang(native_release_build: Path, peer: Peer) -> None:
    with Shell(native_release_build, peer.path, LD_PRELOAD=preloaded(native_release_build, "long_lock")) as shell:
        assert shell.connect()("forks 20") == "20"


def test_child_is_told_by_its_id_where_the_kernel_wipes_no_page(native_release_build: Path, peer: Peer) -> None:
    with Shell(native_release_build, peer.path, LD_PRELOAD=preloaded(native_release_build, "old_kernel")) as shell:
        test_grandchild_forgets_too(shell.connect())
        assert shell("forks 10") == "10"


def test_cancelled_thread_ends_its_call_and_gives_its_channel_back(shell: Shell, peer: Peer) -> None:
    peer.rendezvous = threading.Barrier(2)
    assert shell("start 3") == "ok"
    while peer.requests[-1].type != INVOKE:
        threading.Event().wait(0.005)
    assert shell("abandon") == "ok"
    peer.rendezvous.wait()
    assert shell("wait").startswith(GOOD)
    assert shell(INVOKE_LINE).startswith(GOOD)
    assert len(peer.hellos) == 1


def memory_files(shell: Shell) -> list[int]:
    """Return the inodes of the memory files that the process has open."""
    entries = Path(f"/proc/{shell.pid}/fd").iterdir()
    return [entry.stat().st_ino for entry in entries if "memfd" in str(entry.readlink())]


def test_cancelled_thread_leaves_its_memory_file_with_its_channel(shell: Shell, peer: Peer) -> None:
    peer.rendezvous = threading.Barrier(2)
    assert shell("start 3 - ti:100000") == "ok"
    while peer.requests[-1].type != INVOKE:
        threading.Event().wait(0.005)
    assert shell("abandon") == "ok"
    peer.rendezvous.wait()
    shell("wait")
    assert peer.requests[-1].files
    assert len(memory_files(shell)) == 1
    shell("final")
    assert memory_files(shell) == []


def test_a_small_memory_file_is_used_again_and_a_large_one_is_closed(shell: Shell) -> None:
    assert shell("invoke 7 - ti:100000").startswith(GOOD)
    kept = memory_files(shell)
    assert len(kept) == 1
    assert shell("invoke 7 - ti:1000000 to:1000000").startswith(GOOD)
    assert memory_files(shell) == kept
    assert shell("invoke 7 - ti:5000000").startswith(GOOD)
    assert memory_files(shell) == []


def test_context_that_is_finalized_under_a_call_lets_it_end(shell: Shell, peer: Peer) -> None:
    peer.rendezvous = threading.Barrier(2)
    assert shell("start 3") == "ok"
    while peer.requests[-1].type != INVOKE:
        threading.Event().wait(0.005)
    assert shell("final") == "ok"
    assert shell(INVOKE_LINE).startswith(f"{BAD_STATE} {API}")
    peer.rendezvous.wait()
    assert shell("wait").startswith(GOOD)
    assert shell.connect()(INVOKE_LINE).startswith(GOOD)


def test_threads_that_wait_for_a_channel_end_when_the_context_is_finalized(shell: Shell, peer: Peer) -> None:
    peer.rendezvous = threading.Barrier(9)
    assert shell("launch 20 1 3") == "ok"
    while sum(request.type == INVOKE for request in list(peer.requests)) < 8:
        threading.Event().wait(0.005)
    assert shell("final") == "ok"
    peer.rendezvous.wait()
    assert shell("landed") == "8"
