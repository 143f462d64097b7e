# SPDX-License-Identifier: Apache-2.0
"""A secure world that is silent, gone, restarted or talks nonsense: libteec.so.2 answers an error, soon, no more."""

import contextlib
import random
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from native import peer as peer_module
from native.peer import (
    CLOSE_SESSION,
    INVOKE,
    KEEP_ALIVE,
    MAX_FRAME,
    REPLY,
    SECRET,
    SESSION,
    TRANSFORM,
    Channel,
    Frame,
    Params,
    Peer,
    answer_well,
    frame,
    transform,
    u32,
)
from native.teec_shell import (
    API,
    BAD_STATE,
    BUSY,
    COMMS,
    COMMUNICATION,
    EXCESS_DATA,
    SUCCESS,
    TARGET_DEAD,
    TRUSTED_APP,
    Shell,
    preloaded,
)

GOOD = f"{SUCCESS} {TRUSTED_APP}"
LOST = f"{COMMUNICATION} {COMMS}"
DEAD = f"{TARGET_DEAD} {COMMS}"

SILENCE = 10
"""Seconds that libteec waits for more, where it does."""

Reply = Callable[[Frame], bytes]


def good_reply(request: Frame) -> bytes:
    result, params = transform(Params(request, 12))
    return frame(INVOKE | REPLY, request.serial, u32(result, 4) + params)


@contextlib.contextmanager
def answering(native_build: Path, directory: Path, reply: Reply) -> Iterator[Shell]:
    """A shell with a session, whose first invoke on each channel is answered by ``reply``."""

    def script(channel: Channel) -> None:
        channel.greet()
        channel.answer(channel.receive(), u32(0, 4, SESSION, 0))
        channel.send(reply(channel.receive()))
        answer_well(channel)

    with Peer(directory / "tee.sock", script) as peer, Shell(native_build, peer.path) as shell:
        yield shell.connect()


INVOKE_LINE = f"invoke {TRANSFORM} vx:1,2 ti:50 to:60 tx:70"


def with_length(data: bytes, length: int) -> bytes:
    return u32(length) + data[4:]


BAD_REPLIES: dict[str, Reply] = {
    "cut length": lambda _: b"\x20\x00",
    "length below the header": lambda request: with_length(good_reply(request), 7),
    "length of nothing": lambda request: with_length(good_reply(request), 0),
    "length over the maximum": lambda request: with_length(good_reply(request), MAX_FRAME + 1),
    "length of four gigabytes": lambda request: with_length(good_reply(request), 0xFFFFFFFF),
    "length beyond what can be answered": lambda request: good_reply(request)[:4] + bytes(3000),
    "wrong serial": lambda request: good_reply(Frame(request.type, request.serial + 1, request.payload)),
    "wrong type": lambda request: frame(CLOSE_SESSION | REPLY, request.serial, good_reply(request)[12:]),
    "request as reply": lambda request: frame(INVOKE, request.serial, good_reply(request)[12:]),
    "empty reply": lambda request: frame(INVOKE | REPLY, request.serial),
    "reply without parameters": lambda request: frame(INVOKE | REPLY, request.serial, u32(0, 4)),
    "leftovers inside": lambda request: frame(INVOKE | REPLY, request.serial, good_reply(request)[12:] + b"\0"),
    "leftovers behind": lambda request: good_reply(request) + b"\0",
    "two replies": lambda request: good_reply(request) * 2,
    "keep-alive of another request": lambda request: frame(KEEP_ALIVE, request.serial + 1),
    "keep-alive with a payload": lambda request: frame(KEEP_ALIVE, request.serial, b"\0"),
    "other parameter types": lambda request: frame(INVOKE | REPLY, request.serial, u32(0, 4, 0x3)),
    "output cut short": lambda request: frame(INVOKE | REPLY, request.serial, u32(0, 4, 0x7653, 2, 4, 50) + bytes(9)),
    "output beyond the buffer": lambda request: frame(
        INVOKE | REPLY, request.serial, u32(0, 4, 0x7653, 2, 4, 61) + bytes(61) + u32(0)
    ),
}


@pytest.mark.parametrize("what", BAD_REPLIES)
def test_bad_reply_closes_the_channel_and_changes_no_buffer(native_build: Path, tmp_path: Path, what: str) -> None:
    def script(channel: Channel) -> None:
        channel.greet()
        channel.answer(channel.receive(), u32(0, 4, SESSION, 0))
        channel.send(BAD_REPLIES[what](channel.receive()))
        if what == "cut length":
            return
        with contextlib.suppress(peer_module.PeerGoneError):
            channel.receive()
            raise AssertionError("the channel is used after a bad reply")

    with Peer(tmp_path / "tee.sock", script) as peer, Shell(native_build, peer.path) as shell:
        shell.connect()
        begin = time.monotonic()
        answer = shell(INVOKE_LINE)
        assert time.monotonic() - begin < SILENCE, "it was waited for more"
        assert answer.startswith(f"{LOST} 1,2 50:")
        assert " 60:" in answer
        assert answer == shell(INVOKE_LINE).replace(DEAD, LOST), "as if it had not been called"


def test_random_replies_are_errors(native_build: Path, tmp_path: Path) -> None:
    rng = random.Random(20)  # noqa: S311 - the same bytes in each run

    def noise(_: Frame) -> bytes:
        return rng.randbytes(rng.randrange(1, 400)) + bytes(2000)  # so that a reply that seems good does not wait

    with answering(native_build, tmp_path, noise) as shell:
        for _ in range(150):
            assert shell(INVOKE_LINE).split()[0] in (COMMUNICATION, TARGET_DEAD)
            assert shell("final") == "ok"
            shell.connect()


def test_replies_with_a_changed_byte_never_do_harm(native_build: Path, tmp_path: Path) -> None:
    rng = random.Random(21)  # noqa: S311 - the same bytes in each run

    def damaged(request: Frame) -> bytes:
        data = bytearray(good_reply(request))
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        cut = len(data) if rng.random() < 0.8 else rng.randrange(len(data))
        return bytes(data[:cut]) + bytes(2000)

    with answering(native_build, tmp_path, damaged) as shell:
        for _ in range(150):
            assert "OVERWRITTEN" not in shell(INVOKE_LINE)
            assert shell("final") == "ok"
            shell.connect()


BAD_HELLOS = {
    "unknown version": u32(0, 2, 1, MAX_FRAME) + bytes(range(16)),
    "features that were not asked for": u32(0, 1, 5, MAX_FRAME) + bytes(range(16)),
    "frames of nothing": u32(0, 1, 1, 8) + bytes(range(16)),
    "cut": u32(0, 1, 1, MAX_FRAME) + bytes(15),
    "too long": u32(0, 1, 1, MAX_FRAME) + bytes(17),
}


@pytest.mark.parametrize("what", BAD_HELLOS)
def test_bad_hello_is_no_context(native_build: Path, tmp_path: Path, what: str) -> None:
    def script(channel: Channel) -> None:
        channel.answer(channel.receive(), BAD_HELLOS[what])

    with Peer(tmp_path / "tee.sock", script) as peer, Shell(native_build, peer.path) as shell:
        assert shell("init") == COMMUNICATION
        assert shell("open 0") == f"{BAD_STATE} {API}"


def test_frames_are_never_longer_than_the_protocol_s_maximum(native_build: Path, tmp_path: Path) -> None:
    def script(channel: Channel) -> None:
        channel.greet(features=0, max_frame=0xFFFFFFFF)
        answer_well(channel)

    with Peer(tmp_path / "tee.sock", script) as peer, Shell(native_build, peer.path) as shell:
        assert shell.connect()(f"invoke 1 ti:{MAX_FRAME}").startswith(f"{EXCESS_DATA} {API}")
        assert shell(INVOKE_LINE).startswith(GOOD)


def test_refusal_in_the_hello_is_the_result(native_build: Path, tmp_path: Path) -> None:
    def script(channel: Channel) -> None:
        channel.greet(result=0xFFFF000D)

    with Peer(tmp_path / "tee.sock", script) as peer, Shell(native_build, peer.path) as shell:
        assert shell("init") == BUSY


def test_secure_world_that_goes_is_an_error_at_once_and_a_new_one_is_found(native_build: Path, tmp_path: Path) -> None:
    path = tmp_path / "tee.sock"
    with Peer(path) as first, Shell(native_build, path) as shell:
        first.rendezvous = threading.Barrier(4)
        assert shell.connect()("parallel 4 1 3") == "4"
        assert len(first.hellos) == 4, "more channels than the one that finds out"
        first.stop()
        begin = time.monotonic()
        assert shell(INVOKE_LINE).startswith(DEAD)
        assert shell(INVOKE_LINE).startswith(DEAD)
        assert shell("open 0") == DEAD
        assert shell("close") == "ok"
        assert time.monotonic() - begin < SILENCE
        path.unlink()
        with Peer(path, secret=bytes(reversed(range(16)))):
            assert shell(INVOKE_LINE).startswith(DEAD), "a context does not come back by itself"
            assert shell("final") == "ok"
            assert shell.connect()(INVOKE_LINE).startswith(GOOD)


def test_secure_world_that_goes_in_the_middle_of_calls_ends_them_all(native_build: Path, tmp_path: Path) -> None:
    path = tmp_path / "tee.sock"
    with Peer(path) as peer, Shell(native_build, path) as shell:
        peer.rendezvous = threading.Barrier(9)
        shell.connect().tell("parallel 12 1 3")
        while sum(request.type == INVOKE for request in list(peer.requests)) < 8:
            threading.Event().wait(0.005)
        peer.stop()
        assert shell.hear() == "0"
        assert shell(INVOKE_LINE).startswith(DEAD)


def deny_others(channel: Channel) -> None:
    channel.greet()
    channel.peer.secret = bytes(16 * [7])
    answer_well(channel)


def test_denied_channel_means_no_more_channels_and_loses_no_context(native_build: Path, tmp_path: Path) -> None:
    """As where the process has become another user's since."""
    with Peer(tmp_path / "tee.sock", deny_others) as peer, Shell(native_build, peer.path) as shell:
        assert shell.connect()("parallel 4 20 1") == "80"
        assert shell("lost") == "no"


def test_refused_channel_is_tried_again_later(native_release_build: Path, tmp_path: Path) -> None:
    clock = preloaded(native_release_build, "fast_clock")
    with (
        Peer(tmp_path / "tee.sock", deny_others) as peer,
        Shell(native_release_build, peer.path, LD_PRELOAD=clock) as shell,
    ):
        assert shell.connect()("parallel 4 20 1") == "80"
        peer.secret = SECRET
        peer.rendezvous = threading.Barrier(2)
        threading.Event().wait(0.4)  # two seconds of the shell's
        assert shell("parallel 2 1 3") == "2"


def test_lost_context_is_made_anew_at_the_same_socket(native_build: Path, tmp_path: Path) -> None:
    path = tmp_path / "tee.sock"
    with Peer(path) as first, Shell(native_build, path) as shell:
        assert shell.connect()("lost") == "no"
        first.stop()
        assert shell(INVOKE_LINE).startswith(DEAD)
        assert shell("lost") == "yes"
        path.unlink()
        with Peer(path, secret=bytes(reversed(range(16)))) as second:
            assert shell("renew") == SUCCESS
            assert shell("lost") == "no"
            assert second.hellos == [bytes(16)]
            assert shell("open 0").startswith(SUCCESS)
            assert shell(INVOKE_LINE).startswith(GOOD)


def test_finalized_context_is_not_made_anew(native_build: Path, tmp_path: Path) -> None:
    with Peer(tmp_path / "tee.sock") as peer, Shell(native_build, peer.path) as shell:
        assert shell.connect()("final") == "ok"
        assert shell("renew") == BAD_STATE
        assert shell("lost") == "yes"
