# SPDX-License-Identifier: Apache-2.0
"""Calls through libteec.so.2 to a scripted secure world, parameters of all kinds, inline and by memory file."""

import fcntl
import os
import struct
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from native.peer import (
    INVOKE,
    OPEN_SESSION,
    RENDEZVOUS,
    SESSION,
    TRANSFORM,
    WAIT_FOR_CANCEL,
    Channel,
    Frame,
    Peer,
    answer_well,
    frame,
    u32,
)
from native.teec_shell import (
    API,
    BAD_PARAMETERS,
    CANCELLED,
    EXCESS_DATA,
    NOT_SUPPORTED,
    SHORT_BUFFER,
    SUCCESS,
    TRUSTED_APP,
    Shell,
    pattern,
    preloaded,
    told,
)
from softee.wire.parameters import MAX_MEMORY_FILE

GOOD = f"{SUCCESS} {TRUSTED_APP}"


@pytest.fixture
def peer(tmp_path: Path) -> Iterator[Peer]:
    with Peer(tmp_path / "tee.sock") as peer:
        yield peer


@pytest.fixture
def shell(native_build: Path, peer: Peer) -> Iterator[Shell]:
    with Shell(native_build, peer.path) as shell:
        yield shell.connect()


def told_in(index: int, size: int) -> str:
    """An input, which comes back as it was."""
    return told(pattern(index, size))


def test_uuid_travels_in_network_order_with_the_login(shell: Shell, peer: Peer) -> None:
    assert shell("open 2 1234") == GOOD
    payload = peer.requests[-1].payload
    assert payload[:16].hex() == "fd02c9da306c48c7a49cbbd827ae86ee"
    assert struct.unpack_from("<II", payload, 16) == (2, 1234)


def test_public_and_user_login_carry_no_data(shell: Shell, peer: Peer) -> None:
    for method in (0, 1):
        assert shell(f"open {method} 1234") == GOOD
        assert struct.unpack_from("<II", peer.requests[-1].payload, 16) == (method, 0)


def test_group_login_without_a_group_is_refused_here(shell: Shell, peer: Peer) -> None:
    before = len(peer.requests)
    assert shell("open 2") == f"{BAD_PARAMETERS} {API}"
    assert len(peer.requests) == before


@pytest.mark.parametrize("method", [3, 4, 5, 6, 0x80000000])
def test_logins_of_applications_are_not_supported(shell: Shell, method: int) -> None:
    assert shell(f"open {method}") == f"{NOT_SUPPORTED} {API}"


def test_invoke_names_session_command_and_a_new_cancel_id(shell: Shell, peer: Peer) -> None:
    for command in (7, 8):
        assert shell(f"invoke {command}") == f"{GOOD} - - - -"
    first, second = (struct.unpack_from("<III", request.payload) for request in peer.requests[-2:])
    assert (first[:2], second[:2]) == ((SESSION, 7), (SESSION, 8))
    assert 0 not in (first[2], second[2])
    assert first[2] != second[2]


def test_no_operation_is_four_times_nothing(shell: Shell, peer: Peer) -> None:
    shell("invoke 7")
    assert peer.requests[-1].payload[12:] == u32(0)


def test_values_go_and_come(shell: Shell) -> None:
    assert shell(f"invoke {TRANSFORM} vi:5,6 vo:0,0 vx:10,20") == f"{GOOD} 5,6 1,2 11,22 -"


@pytest.mark.parametrize("kind", ["t", "w", "p"])
@pytest.mark.parametrize("size", [0, 1, 255, 4096, 15359, 15360, 300_001])
def test_buffers_of_every_kind_and_size_go_and_come(shell: Shell, kind: str, size: int) -> None:
    out, both = pattern(1, size), pattern(3, size)[::-1]
    answer = shell(f"invoke {TRANSFORM} vi:0,0 {kind}i:{size} {kind}o:{size} {kind}x:{size}").split()
    assert " ".join(answer[:2]) == GOOD
    assert answer[3].split(":")[0] in (str(size), "0"), "an input is left alone"
    assert answer[4:] == [told(out), told(both)]


def test_buffers_below_15_kib_travel_inline_and_larger_ones_in_the_file(shell: Shell, peer: Peer) -> None:
    answer = shell(f"invoke {TRANSFORM} ti:15360 ti:15359 tx:15360 to:200000")
    assert answer.startswith(GOOD)
    where = [peer.requests[-1].payload[at] for at in (16, 16 + 5 + 15360)]
    assert where == [0, 0], "parameter 0 and the small one"
    tail = peer.requests[-1].payload[16 + 5 + 15360 + 5 + 15359 :]
    assert tail == b"\x01" + u32(15360, 0, 0) + b"\x01" + u32(200000, 15360, 0)
    assert answer.split()[4:] == [told(pattern(2, 15360)[::-1]), told(pattern(0, 15360) + pattern(1, 15359))]


def test_short_buffer_tells_the_size_and_copies_nothing(shell: Shell) -> None:
    assert (
        shell(f"invoke {TRANSFORM} vi:0,0 ti:100 to:99") == f"{SHORT_BUFFER} {TRUSTED_APP} 0,0 {told_in(1, 100)} 100 -"
    )


def test_null_buffer_asks_for_the_size(shell: Shell, peer: Peer) -> None:
    answer = shell(f"invoke {TRANSFORM} vi:0,0 ti:100 no:0")
    assert answer == f"{SHORT_BUFFER} {TRUSTED_APP} 0,0 {told_in(1, 100)} 100 -"
    assert peer.requests[-1].payload[-5:] == b"\x02" + u32(0)


def test_null_buffer_with_a_size_is_refused_here(shell: Shell, peer: Peer) -> None:
    before = len(peer.requests)
    assert shell("invoke 7 ni:1").startswith(f"{BAD_PARAMETERS} {API}")
    assert len(peer.requests) == before


def test_more_than_a_memory_file_holds_of_buffers_is_excess_data(native_release_build: Path, peer: Peer) -> None:
    half = MAX_MEMORY_FILE // 2
    with Shell(native_release_build, peer.path) as shell:
        assert shell.connect()(f"invoke 7 - to:{half} to:{half}").startswith(GOOD)
        assert shell(f"invoke 7 - to:{half} to:{half + 1}").startswith(f"{EXCESS_DATA} {API}")


def test_first_parameter_is_inline_while_the_frame_has_room(shell: Shell, peer: Peer) -> None:
    for size, files in ((1 << 20, 0), ((1 << 20) + 1, 1)):
        for parameter in (f"ti:{size}", f"to:{size}", f"tb:{size}"):
            assert shell(f"invoke {TRANSFORM} {parameter}").startswith(GOOD)
            assert len(peer.requests[-1].files) == files
    assert shell(f"invoke {TRANSFORM} ti:5").startswith(GOOD), "the channel is as it was"


def test_all_is_inline_where_the_peer_takes_no_memory_files(native_build: Path, tmp_path: Path) -> None:
    def without_files(channel: Channel) -> None:
        channel.greet(features=0)
        answer_well(channel)

    with Peer(tmp_path / "tee.sock", without_files) as peer, Shell(native_build, peer.path) as shell:
        shell.connect()
        answer = shell(f"invoke {TRANSFORM} - ti:200000 to:200000")
        assert answer == f"{GOOD} - {told_in(1, 200000)} {told_in(1, 200000)} -"
        assert peer.requests[-1].files == []
        assert shell("invoke 7 - to:600000 to:600000").startswith(f"{EXCESS_DATA} {API}")


def test_close_names_the_session_once(shell: Shell, peer: Peer) -> None:
    before = len(peer.requests)
    shell("close")
    shell("close")
    assert [request.payload for request in peer.requests[before:]] == [u32(SESSION)]


def test_calls_run_at_the_same_time_over_joined_channels(shell: Shell, peer: Peer) -> None:
    peer.rendezvous = threading.Barrier(8)
    assert shell(f"parallel 8 1 {RENDEZVOUS}") == "8"
    assert len(peer.hellos) == 8
    assert peer.hellos == [bytes(16)] + 7 * [peer.secret]


def test_more_threads_than_channels_wait_for_their_turn(shell: Shell, peer: Peer) -> None:
    assert shell(f"parallel 24 50 {TRANSFORM}") == str(24 * 50)
    assert len(peer.hellos) <= 8


def test_pool_stays_small_where_the_peer_takes_no_more_channels(native_build: Path, tmp_path: Path) -> None:
    def two_channels(channel: Channel) -> None:
        channel.greet(result=0 if len(channel.peer.hellos) < 2 else 0xFFFF000D)
        answer_well(channel)

    with Peer(tmp_path / "tee.sock", two_channels) as peer, Shell(native_build, peer.path) as shell:
        assert shell.connect()(f"parallel 8 50 {TRANSFORM}") == "400"


def test_cancellation_goes_over_another_channel_with_the_operations_number(shell: Shell, peer: Peer) -> None:
    assert shell(f"start {WAIT_FOR_CANCEL} vi:0,0") == "ok"
    wait_for_request(peer, INVOKE)
    assert shell("cancel") == "ok"
    assert shell("wait").startswith(f"{CANCELLED} {TRUSTED_APP}")
    invoke, cancel = (request.payload for request in peer.requests[-2:])
    assert cancel == u32(SESSION) + invoke[8:12]


def wait_for_request(peer: Peer, kind: int) -> None:
    while not any(request.type == kind for request in list(peer.requests)):
        threading.Event().wait(0.005)


def test_cancelling_what_does_not_run_sends_nothing(shell: Shell, peer: Peer) -> None:
    before = len(peer.requests)
    shell("cancel")
    assert len(peer.requests) == before


def test_keep_alives_are_read_over_and_may_come_with_the_reply(native_build: Path, tmp_path: Path) -> None:
    def lively(channel: Channel) -> None:
        channel.greet()
        request = channel.receive()
        alive = frame(0xFF, request.serial)
        channel.send(alive)
        channel.send(alive[:7])
        channel.send(alive[7:] + alive + frame(OPEN_SESSION | 0x80, request.serial, u32(0, 4, SESSION, 0)))
        answer_well(channel)

    with Peer(tmp_path / "tee.sock", lively) as peer, Shell(native_build, peer.path) as shell:
        shell.connect()
        assert shell(f"invoke {TRANSFORM} vx:1,1").startswith(GOOD)


def test_a_reply_may_come_byte_by_byte(native_build: Path, tmp_path: Path) -> None:
    def slow(channel: Channel) -> None:
        channel.greet()
        request = channel.receive()
        for byte in frame(OPEN_SESSION | 0x80, request.serial, u32(0, 4, SESSION, 0)):
            channel.send(bytes([byte]))
        answer_well(channel)

    with Peer(tmp_path / "tee.sock", slow) as peer, Shell(native_build, peer.path) as shell:
        shell.connect()


def test_memory_file_is_sealed_against_shrinking_and_growing(native_build: Path, tmp_path: Path) -> None:
    seals: list[int] = []

    def look(channel: Channel) -> None:
        channel.greet()
        channel.answer(channel.receive(), u32(0, 4, SESSION, 0))
        request: Frame = channel.receive()
        seals.append(fcntl.fcntl(request.files[0], fcntl.F_GET_SEALS))
        os.close(request.files[0])

    with Peer(tmp_path / "tee.sock", look) as peer, Shell(native_build, peer.path) as shell:
        shell.connect()("invoke 7 - to:65536")
    assert seals[0] & (fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW) == fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW


def test_arguments_are_checked_before_anything_is_sent(native_build: Path, peer: Peer) -> None:
    done = subprocess.run(
        [str(native_build / "native/tests/teec_arguments")],
        env={"SOFTEE_SOCKET": str(peer.path), "ASAN_OPTIONS": "allocator_may_return_null=1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.returncode) == ("", 0), done.stderr


def test_all_is_inline_where_the_system_makes_no_memory_files(native_release_build: Path, peer: Peer) -> None:
    with Shell(native_release_build, peer.path, LD_PRELOAD=preloaded(native_release_build, "old_kernel")) as shell:
        answer = shell.connect()(f"invoke {TRANSFORM} - ti:200000 to:200000")
        assert answer == f"{GOOD} - {told_in(1, 200000)} {told_in(1, 200000)} -"
        assert peer.requests[-1].files == []
        assert shell("invoke 7 - to:600000 to:600000").startswith(f"{EXCESS_DATA} {API}")
