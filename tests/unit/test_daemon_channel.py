# SPDX-License-Identifier: Apache-2.0
"""A channel forgets what it has received, and closes what came with it."""

import os
import socket
from array import array
from collections.abc import Iterator

import pytest

from softee.daemon.channel import Channel
from softee.daemon.settings import Limits
from softee.tee.identity import PeerCredentials
from softee.wire.codec import WireError
from softee.wire.frames import FrameType, encode_frame
from support.raw_client import memory_file

PIN = b"secret PIN" * 10
PEER = PeerCredentials(1, 0, 0)


@pytest.fixture
def pair() -> Iterator[tuple[Channel, socket.socket]]:
    ours, theirs = socket.socketpair()
    channel = Channel(ours, PEER, Limits(send_timeout=0.2))
    with theirs:
        yield channel, theirs
    channel.close()


def test_a_frame_is_wiped_after_use(pair: tuple[Channel, socket.socket]) -> None:
    channel, client = pair
    client.sendall(encode_frame(FrameType.INVOKE, 1, PIN))
    frame = channel.receive()
    assert frame is not None
    assert bytes(frame.payload) == PIN
    channel.forget()
    assert bytes(frame.payload) == bytes(len(PIN))
    assert PIN[:10] not in bytes(channel._buffer)


def test_a_large_frame_is_wiped_after_use(pair: tuple[Channel, socket.socket]) -> None:
    channel, client = pair
    payload = PIN * 1000
    client.sendall(encode_frame(FrameType.INVOKE, 1, payload))
    frame = channel.receive()
    assert frame is not None
    assert bytes(frame.payload) == payload
    channel.forget()
    assert bytes(frame.payload) == bytes(len(payload))
    assert PIN[:10] not in bytes(channel._buffer)


def test_the_end_of_the_connection_is_no_frame(pair: tuple[Channel, socket.socket]) -> None:
    channel, client = pair
    client.close()
    assert channel.receive() is None


def test_shutting_down_wakes_and_may_be_done_twice_and_after_the_end(pair: tuple[Channel, socket.socket]) -> None:
    channel, _ = pair
    channel.shut_down()
    channel.shut_down()
    assert channel.receive() is None
    channel.close()
    channel.shut_down()
    channel.keep_alive()


def test_a_descriptor_is_kept_for_its_frame_alone_and_never_inherited(pair: tuple[Channel, socket.socket]) -> None:
    channel, client = pair
    with memory_file(b"") as file:
        socket.send_fds(client, [encode_frame(FrameType.INVOKE, 1)], [file])
    assert channel.receive() is not None
    descriptor = channel.descriptor
    assert descriptor is not None
    assert not os.get_inheritable(descriptor)
    channel.forget()
    assert channel.descriptor is None
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)


def test_of_descriptors_that_did_not_all_arrive_none_is_kept(pair: tuple[Channel, socket.socket]) -> None:
    """Where this process has no more, the kernel hands over as many as it can and says that it has cut the rest."""
    channel, _ = pair
    descriptor = os.memfd_create("test")
    rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array("i", [descriptor]).tobytes())
    with pytest.raises(WireError, match="more than one descriptor"):
        channel._take_descriptor([rights], cut=True)
    assert channel.descriptor is None
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)


def test_what_comes_with_a_frame_and_is_no_descriptor_is_refused(pair: tuple[Channel, socket.socket]) -> None:
    channel, _ = pair
    with pytest.raises(WireError):
        channel._take_descriptor([(socket.SOL_SOCKET, socket.SCM_CREDENTIALS, bytes(12))], cut=False)
    assert channel.descriptor is None


def test_a_first_frame_that_never_begins_is_not_waited_for(pair: tuple[Channel, socket.socket]) -> None:
    channel, _ = pair
    with pytest.raises(WireError, match="in time"):
        channel.receive(timeout=0.01)


def test_no_keep_alive_is_sent_without_a_running_request(pair: tuple[Channel, socket.socket]) -> None:
    channel, client = pair
    channel.keep_alive()
    channel.begin(7)
    channel.keep_alive()
    channel.reply(FrameType.INVOKE_REPLY, 7, b"")
    channel.keep_alive()
    expected = encode_frame(FrameType.KEEP_ALIVE, 7) + encode_frame(FrameType.INVOKE_REPLY, 7)
    assert client.recv(4096) == expected
    with pytest.raises(BlockingIOError):
        client.recv(1, socket.MSG_DONTWAIT)


def test_a_keep_alive_to_a_peer_that_is_gone_is_let_go(pair: tuple[Channel, socket.socket]) -> None:
    """The ticker sends it, which must go on for all other channels."""
    channel, client = pair
    channel.begin(7)
    client.close()
    channel.keep_alive()
    assert channel.receive() is None


def test_a_reply_to_a_peer_that_does_not_read_ends_in_time(pair: tuple[Channel, socket.socket]) -> None:
    channel, _ = pair
    with pytest.raises(TimeoutError):
        channel.reply(FrameType.INVOKE_REPLY, 1, bytes(1_000_000))


def test_a_reply_to_a_peer_that_is_gone_raises_and_no_signal_comes(pair: tuple[Channel, socket.socket]) -> None:
    channel, client = pair
    client.close()
    with pytest.raises(BrokenPipeError):
        channel.reply(FrameType.INVOKE_REPLY, 1, b"")
