# SPDX-License-Identifier: Apache-2.0
"""Connections on their way to a worker: which one they ask for, and that they arrive as they came."""

import os
import select
import socket
from collections.abc import Iterator

import pytest

from softee.daemon.arrivals import Arrivals
from softee.daemon.handover import READY, ConnectionSource, hand_over, wanted_worker
from softee.daemon.settings import Limits
from softee.wire.frames import FrameType, encode_frame
from softee.wire.messages import NO_SECRET, SECRET_SIZE, Hello

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def client_and_connection() -> Iterator[Pair]:
    client, connection = socket.socketpair()
    with client, connection:
        yield client, connection


def is_closed(connection: socket.socket) -> bool:
    return connection.fileno() == -1


def hello(secret: bytes = NO_SECRET) -> bytes:
    return encode_frame(FrameType.HELLO, 1, Hello(secret=secret).encode())


@pytest.mark.parametrize(
    ("first", "wanted"),
    [
        (hello(), None),
        (hello(bytes([3]) + bytes(SECRET_SIZE - 1)), 3),
        (hello(bytes([255]) * SECRET_SIZE), 255),
        (encode_frame(FrameType.HELLO, 1, Hello(version=9).encode()[:8]), None),
        (encode_frame(FrameType.CLOSE_SESSION, 1, Hello(secret=bytes([3]) * SECRET_SIZE).encode()), None),
        (encode_frame(FrameType.HELLO, 1, b"nonsense"), None),
        (hello() + b"leftovers", None),
        (b"\xff" * 64, None),
    ],
    ids=["new", "worker 3", "worker 255", "version", "no hello", "nonsense", "leftovers", "no frame"],
)
def test_a_hello_says_which_worker_it_wants_and_stays_where_it_is(
    client_and_connection: Pair, first: bytes, wanted: int | None
) -> None:
    client, connection = client_and_connection
    client.sendall(first)
    assert wanted_worker(connection) == wanted
    assert connection.recv(200) == first


@pytest.mark.parametrize("part", [1, 11, 39])
def test_part_of_a_hello_is_waited_for(client_and_connection: Pair, part: int) -> None:
    client, connection = client_and_connection
    client.sendall(hello()[:part])
    with pytest.raises(BlockingIOError):
        wanted_worker(connection)


def test_a_connection_that_has_ended_is_no_connection(client_and_connection: Pair) -> None:
    client, connection = client_and_connection
    client.close()
    with pytest.raises(ConnectionResetError):
        wanted_worker(connection)


def test_what_is_handed_over_arrives_whole(client_and_connection: Pair) -> None:
    client, connection = client_and_connection
    client.sendall(hello())
    supervisor, worker = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with supervisor, worker:
        source = ConnectionSource(worker)
        source.say_ready()
        assert supervisor.recv(9) == READY
        hand_over(connection, supervisor)
        accepted = source.accept()
        assert accepted is not None
        with accepted:
            assert not os.get_inheritable(accepted.fileno())
            assert accepted.recv(200) == hello()
        assert is_closed(connection)
        supervisor.close()
        assert source.accept() is None


def test_a_connection_without_its_descriptor_is_an_error_not_the_end() -> None:
    supervisor, worker = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with supervisor, worker:
        supervisor.send(b"C")
        with pytest.raises(OSError, match="lost on its way"):
            ConnectionSource(worker).accept()


def test_a_worker_that_takes_none_costs_the_connection_and_no_time(client_and_connection: Pair) -> None:
    _, connection = client_and_connection
    supervisor, worker = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    worker.close()
    with supervisor, pytest.raises(OSError):  # noqa: PT011 - whichever the kernel says
        hand_over(connection, supervisor)
    assert is_closed(connection)


@pytest.fixture
def epoll() -> Iterator[select.epoll]:
    with select.epoll() as epoll:
        yield epoll


def test_arrivals_wait_for_their_first_frame(client_and_connection: Pair, epoll: select.epoll) -> None:
    client, connection = client_and_connection
    arrivals = Arrivals(epoll, Limits())
    arrivals.add(connection)
    assert arrivals.deadline is not None
    client.sendall(hello()[:5])
    ((descriptor, _),) = epoll.poll(5)
    assert arrivals.take(descriptor) is None
    assert epoll.poll(0) == [], "what is there has been seen: only more of it wakes"
    client.sendall(hello()[5:])
    ((descriptor, _),) = epoll.poll(5)
    assert arrivals.take(descriptor) == (connection, None)
    assert arrivals.take(descriptor) is None


def test_who_goes_away_before_a_first_frame_is_forgotten(client_and_connection: Pair, epoll: select.epoll) -> None:
    client, connection = client_and_connection
    arrivals = Arrivals(epoll, Limits())
    arrivals.add(connection)
    client.close()
    ((descriptor, _),) = epoll.poll(5)
    assert arrivals.take(descriptor) is None
    assert (is_closed(connection), arrivals.deadline) == (True, None)


def test_attack_connections_that_say_nothing_are_closed_in_time_and_bounded(epoll: select.epoll) -> None:
    arrivals = Arrivals(epoll, Limits(channels=2, frame_timeout=5))
    pairs = [socket.socketpair() for _ in range(3)]
    for _, connection in pairs:
        arrivals.add(connection)
    assert [is_closed(connection) for _, connection in pairs] == [False, False, True]
    deadline = arrivals.deadline
    assert deadline is not None
    arrivals.drop_late(deadline - 1)
    assert not is_closed(pairs[0][1])
    arrivals.drop_late(deadline)
    assert is_closed(pairs[0][1])
    arrivals.close()
    assert is_closed(pairs[1][1])
    for client, _ in pairs:
        client.close()
