# SPDX-License-Identifier: Apache-2.0
"""Who may join a client context, and when it ends; and what the kernel says of a peer."""

import errno
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import cast

import pytest

from softee.daemon import peer as kernel
from softee.daemon.channel import Channel
from softee.daemon.clients import Clients
from softee.daemon.settings import Limits
from softee.names import TeeResult
from softee.tee.application import TeeError
from softee.tee.core import TeeCore
from softee.tee.identity import PeerCredentials
from softee.wire.messages import NO_SECRET
from softee.wire.values import NO_PARAMS
from support.channel_attack import eventually
from support.echo_application import ECHO_UUID, EchoApplication
from support.secure_world import own_credentials

OWNER = own_credentials()

NewChannel = Callable[[PeerCredentials], Channel]


@pytest.fixture
def application() -> EchoApplication:
    return EchoApplication()


@pytest.fixture
def clients(application: EchoApplication) -> Iterator[Clients]:
    made = Clients(TeeCore([application]), Limits())
    yield made
    made.stop()


@pytest.fixture
def channel() -> Iterator[NewChannel]:
    """Make channels whose other end stays open until the test's end."""
    with ExitStack() as stack:

        def make(peer: PeerCredentials) -> Channel:
            ours, theirs = socket.socketpair()
            stack.callback(theirs.close)
            stack.callback(ours.close)
            return Channel(ours, peer, Limits())

        yield make


@pytest.mark.parametrize(
    "thief",
    [
        pytest.param(PeerCredentials(OWNER.pid + 1, OWNER.uid, OWNER.gid), id="another_process"),
        pytest.param(PeerCredentials(OWNER.pid, OWNER.uid + 1, OWNER.gid), id="another_user"),
        pytest.param(PeerCredentials(0, OWNER.uid, OWNER.gid), id="an_unknown_process"),
    ],
)
def test_nobody_else_joins(clients: Clients, channel: NewChannel, thief: PeerCredentials) -> None:
    owners = channel(OWNER)
    client, secret = clients.enter(owners, NO_SECRET)
    with pytest.raises(TeeError) as caught:
        clients.enter(channel(thief), secret)
    assert caught.value.result is TeeResult.ACCESS_DENIED
    assert clients.enter(channel(OWNER), secret)[0] is client
    for member in list(client.channels):
        clients.leave(client, member)


def test_processes_that_are_not_known_never_join_each_other(clients: Clients, channel: NewChannel) -> None:
    unknown = PeerCredentials(0, 1000, 1000)
    first = channel(unknown)
    client, secret = clients.enter(first, NO_SECRET)
    with pytest.raises(TeeError):
        clients.enter(channel(unknown), secret)
    clients.leave(client, first)


def test_secrets_are_random_and_not_kept(clients: Clients, channel: NewChannel) -> None:
    channels = [channel(OWNER) for _ in range(10)]
    entered = [clients.enter(one, NO_SECRET) for one in channels]
    secrets = {secret for _, secret in entered}
    assert len(secrets) == 10
    assert not secrets & {client.key for client, _ in entered}
    for one, (client, _) in zip(channels, entered, strict=True):
        clients.leave(client, one)


def test_sessions_are_closed_with_the_last_channel(
    clients: Clients, channel: NewChannel, application: EchoApplication
) -> None:
    first, second = channel(OWNER), channel(OWNER)
    client, secret = clients.enter(first, NO_SECRET)
    clients.enter(second, secret)
    client.context.open_session(ECHO_UUID, 0, 0, (None, None, None, None))
    clients.leave(client, first)
    assert application.sessions
    clients.leave(client, second)
    assert not application.sessions
    with pytest.raises(TeeError):
        clients.enter(channel(OWNER), secret)


def test_a_living_process_that_loses_its_last_channel_may_come_back(
    clients: Clients, channel: NewChannel, application: EchoApplication
) -> None:
    only = channel(OWNER)
    client, _ = clients.enter(only, NO_SECRET)
    assert client.context.peer.process, "the application is told which process it is"
    for _ in range(2):
        client.context.open_session(ECHO_UUID, 0, 0, NO_PARAMS)
    closed, lost = sorted(application.sessions, key=id)
    number = next(number for number in (1, 2) if client.context._sessions[number].application is closed)
    client.context.close_session(number)
    clients.leave(client, only)
    assert (closed.returns, lost.returns) == (False, True)


def test_a_dead_process_does_not_come_back(clients: Clients, application: EchoApplication) -> None:
    with connected_process() as (connection, process):
        channel = Channel(connection, kernel.credentials(connection), Limits())
        client, _ = clients.enter(channel, NO_SECRET)
        client.context.open_session(ECHO_UUID, 0, 0, NO_PARAMS)
        (session,) = application.sessions
        process.kill()
        assert eventually(lambda: client.pidfd is None)
        clients.leave(client, channel)
        assert not session.returns


@contextmanager
def connected_process() -> Iterator[tuple[socket.socket, "subprocess.Popen[bytes]"]]:
    """Yield our end of a connection that another process, which waits for its stdin, has made."""
    script = "import socket,sys; s=socket.socket(socket.AF_UNIX); s.connect('\\0' + sys.argv[1]); sys.stdin.read()"
    name = f"softee-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(f"\0{name}")
        listening.listen()
        with subprocess.Popen([sys.executable, "-c", script, name], stdin=subprocess.PIPE) as process:
            connection, _ = listening.accept()
            with connection:
                yield connection, process
            process.kill()


def test_the_context_of_a_process_that_dies_ends_with_its_channels_shut_down(clients: Clients) -> None:
    with connected_process() as (connection, process):
        channel = Channel(connection, kernel.credentials(connection), Limits())
        client, secret = clients.enter(channel, NO_SECRET)
        assert channel.peer.pid == process.pid
        process.kill()
        assert eventually(lambda: client.pidfd is None)
        assert channel.receive() is None
        with pytest.raises(TeeError, match="no context"):
            clients.enter(channel, secret)
        clients.leave(client, channel)


def test_the_context_of_a_process_that_has_died_is_not_joined_before_it_is_ended(
    clients: Clients, channel: NewChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process may have its pid by now."""
    first = channel(OWNER)
    client, secret = clients.enter(first, NO_SECRET)
    monkeypatch.setattr(kernel, "has_died", lambda _: True)
    with pytest.raises(TeeError, match="another process") as refused:
        clients.enter(channel(OWNER), secret)
    assert refused.value.result is TeeResult.ACCESS_DENIED
    clients.leave(client, first)


def test_a_death_that_is_not_a_clients_ends_no_client(clients: Clients, channel: NewChannel) -> None:
    """The descriptor that told of a death may be another client's by the time that it is looked at."""
    first = channel(OWNER)
    client, _ = clients.enter(first, NO_SECRET)
    assert client.pidfd is not None
    for descriptor in (client.pidfd, client.pidfd + 1000):
        clients._end(descriptor)
        assert client.pidfd is not None
    assert client.key in clients._clients
    clients.leave(client, first)


@pytest.mark.parametrize("option", [77, 9999], ids=["with_the_socket", "by_the_pid"])
def test_a_pidfd_tells_when_its_process_has_died(option: int, monkeypatch: pytest.MonkeyPatch) -> None:
    # Kernels before 6.5 do not know option 77, as no kernel knows 9999.
    monkeypatch.setattr(kernel, "_SO_PEERPIDFD", option)
    with connected_process() as (connection, process):
        pidfd = kernel.open_pidfd(connection, process.pid)
        assert pidfd is not None
        assert not os.get_inheritable(pidfd)
        assert not kernel.has_died(pidfd)
        process.kill()
        process.wait(20)
        assert kernel.has_died(pidfd)
        os.close(pidfd)


def test_a_process_that_cannot_be_seen_has_no_pidfd(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel, "_SO_PEERPIDFD", 9999)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        assert kernel.open_pidfd(ours, 0) is None


class Refusing:
    """A socket of which the kernel tells nothing."""

    def __init__(self, reason: int) -> None:
        self._reason = reason

    def getsockopt(self, *_: int) -> bytes:
        raise OSError(self._reason, os.strerror(self._reason))


def test_a_pid_that_may_be_another_process_by_now_is_not_used() -> None:
    """So say kernels from 6.5 on, but not the newest, that the peer has died."""
    with pytest.raises(ProcessLookupError):
        kernel.open_pidfd(cast("socket.socket", Refusing(errno.EINVAL)), os.getpid())


def test_a_pidfd_for_which_there_is_no_descriptor_is_not_taken_for_a_process_that_cannot_be_seen() -> None:
    with pytest.raises(OSError, match="Too many open files"):
        kernel.open_pidfd(cast("socket.socket", Refusing(errno.EMFILE)), os.getpid())


def test_who_is_in_more_groups_than_can_be_asked_for_is_in_none() -> None:
    assert kernel._groups(cast("socket.socket", Refusing(errno.ERANGE))) == frozenset()


def test_a_process_that_is_gone_is_no_client(
    clients: Clients, channel: NewChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kernel, "_SO_PEERPIDFD", 9999)
    with subprocess.Popen(["true"]) as process:
        process.wait(20)
    with pytest.raises(TeeError, match="has died"):
        clients.enter(channel(PeerCredentials(process.pid, OWNER.uid, OWNER.gid)), NO_SECRET)


def test_credentials_are_the_kernels() -> None:
    with connected_process() as (connection, process):
        assert kernel.credentials(connection) == PeerCredentials(
            process.pid, os.geteuid(), os.getegid(), frozenset(os.getgroups())
        )
