# SPDX-License-Identifier: Apache-2.0
"""A store in another process: what goes over the socket, and what happens when one of the two ends is bad."""

import socket
import threading
from collections.abc import Callable
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softee.daemon import message_stream
from softee.daemon.message_stream import MessageStream
from softee.stores.base import (
    ConflictError,
    StoreDamagedError,
    StoreError,
    StoreFullError,
    StoreUnavailableError,
)
from softee.stores.memory import MemoryStore
from softee.stores.remote import LENGTH, RemoteStore
from softee.stores.requests import Committed, Failed, Get, Records, answer, encode
from support.stores import remote_store


class Refusing(MemoryStore):
    """A store that fails in a way of its own."""

    def __init__(self, error: StoreError) -> None:
        super().__init__()
        self.error = error

    def get(self, key: bytes) -> None:  # noqa: ARG002 - the Protocol's
        raise self.error


@pytest.mark.parametrize("kind", [StoreError, ConflictError, StoreUnavailableError, StoreFullError, StoreDamagedError])
def test_each_kind_of_failure_arrives_as_itself(kind: type[StoreError]) -> None:
    store = remote_store(Refusing(kind("the reason")))
    with pytest.raises(StoreError, match="the reason") as failed:
        store.get(b"key")
    assert type(failed.value) is kind
    store.close()


@given(st.binary(max_size=64))
def test_attack_any_bytes_are_answered_or_refused(request: bytes) -> None:
    store = MemoryStore()
    try:
        assert answer(store, request)
    except ValueError:
        assert store.range(b"") == []


def answered_with(reply: Callable[[bytes], bytes]) -> RemoteStore:
    """Return a store whose other end answers one request as ``reply`` says, and closes."""
    ours, theirs = socket.socketpair()

    def serve() -> None:
        with theirs:
            size = LENGTH.unpack(theirs.recv(LENGTH.size))[0]
            theirs.sendall(reply(theirs.recv(size)))

    threading.Thread(target=serve, daemon=True).start()
    return RemoteStore(ours, "far away")


def framed(message: bytes) -> bytes:
    return LENGTH.pack(len(message)) + message


@pytest.mark.parametrize(
    "reply",
    [b"", LENGTH.pack(9), LENGTH.pack(9) + b"cut", framed(b"nonsense"), framed(encode(Get(b"key")))],
    ids=["nothing", "a length", "a part", "nonsense", "a question"],
)
def test_an_owner_that_does_not_answer_right_is_asked_no_more(reply: bytes) -> None:
    store = answered_with(lambda _: reply)
    with pytest.raises(StoreUnavailableError, match="far away"):
        store.get(b"key")
    with pytest.raises(StoreError, match="closed"):
        store.get(b"key")


def test_an_answer_to_another_question_is_refused() -> None:
    with (
        closing(answered_with(lambda _: framed(encode(Committed(7))))) as store,
        pytest.raises(StoreError, match="another question"),
    ):
        store.get(b"key")
    with (
        closing(answered_with(lambda _: framed(encode(Committed(7))))) as store,
        pytest.raises(StoreError, match="another question"),
    ):
        store.check()
    with (
        closing(answered_with(lambda _: framed(encode(Records([]))))) as store,
        pytest.raises(StoreError, match="another question"),
    ):
        store.commit(expected={}, puts={})


def test_a_failure_of_an_unknown_kind_is_a_store_error() -> None:
    with (
        closing(answered_with(lambda _: framed(encode(Failed("NewError", "something new"))))) as store,
        pytest.raises(StoreError, match="something new"),
    ):
        store.get(b"key")


def test_a_stream_gives_whole_messages_however_they_come() -> None:
    ours, theirs = socket.socketpair()
    stream = MessageStream(ours)
    assert stream.receive() == []
    data = framed(b"one") + framed(b"") + framed(b"three")
    theirs.sendall(data[:6])
    assert stream.receive() == []
    theirs.sendall(data[6:])
    assert stream.receive() == [b"one", b"", b"three"]
    theirs.close()
    with pytest.raises(EOFError):
        stream.receive()
    stream.close()


def test_a_stream_keeps_what_does_not_fit_and_waits_for_nobody() -> None:
    ours, theirs = socket.socketpair()
    stream = MessageStream(ours)
    message = bytes(4 << 20)
    assert not stream.send(message)
    got = bytearray()
    done = False
    while len(got) < LENGTH.size + len(message):
        got += theirs.recv(1 << 20)
        done = stream.send_rest()
    assert done
    assert got == framed(message)
    stream.close()
    theirs.close()


def test_attack_a_message_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(message_stream, "LARGEST", 10)
    ours, theirs = socket.socketpair()
    with theirs:
        stream = MessageStream(ours)
        theirs.sendall(LENGTH.pack(11))
        with pytest.raises(ValueError, match="11 bytes"):
            stream.receive()
        stream.close()
