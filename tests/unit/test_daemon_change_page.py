# SPDX-License-Identifier: Apache-2.0
"""The page of change counters: clients get it where they ask for it, see it change, and cannot change it."""

import fcntl
import mmap
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from softee.daemon import change_page as module
from softee.daemon.change_page import ChangePage, change_page
from softee.wire.frames import FrameType, encode_frame
from softee.wire.messages import FEATURE_CHANGE_COUNTERS, FEATURES, NO_SECRET, Hello, HelloReply
from support.channel_attack import open_descriptors
from support.echo_application import EchoApplication
from support.raw_client import RawClient
from support.secure_world import running_server


def greeted(client: RawClient, features: int = FEATURES, secret: bytes = NO_SECRET) -> tuple[HelloReply, list[int]]:
    """Say hello, and return the reply and the descriptors that came with it."""
    client.send(encode_frame(FrameType.HELLO, 1, Hello(features=features, secret=secret).encode()))
    data, descriptors, _, _ = socket.recv_fds(client.socket, 1024, 4)
    return HelloReply.decode(memoryview(data)[12:]), descriptors


@contextmanager
def passed(page: ChangePage) -> Iterator[int]:
    """Yield the descriptor that a client gets."""
    with running_server([EchoApplication()], page=page) as path, RawClient(path) as client:
        reply, (descriptor,) = greeted(client)
        assert reply.features == FEATURES
        yield descriptor
        os.close(descriptor)


def test_a_client_sees_what_is_counted() -> None:
    with change_page() as page:
        assert page is not None
        with passed(page) as descriptor, mmap.mmap(descriptor, 4096, prot=mmap.PROT_READ) as mapping:
            page.revisions[2] = 2**64 - 1
            assert mapping[16:24] == bytes([255]) * 8
            assert mapping[:16] == mapping[24:40] == bytes(16)


def test_attack_a_client_cannot_change_what_others_see() -> None:
    with change_page() as page:
        assert page is not None
        with passed(page) as passed_on:
            opened_anew = os.open(f"/proc/self/fd/{passed_on}", os.O_RDWR)
            for descriptor in (passed_on, opened_anew):
                with pytest.raises(PermissionError):
                    os.pwrite(descriptor, b"x", 0)
                with pytest.raises(PermissionError):
                    mmap.mmap(descriptor, 4096)
                for size in (0, 8192):
                    with pytest.raises(PermissionError):
                        os.ftruncate(descriptor, size)
                with pytest.raises(PermissionError):
                    fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, fcntl.F_SEAL_WRITE)
            os.close(opened_anew)
        assert page.revisions.tolist() == [0] * 512


def test_who_does_not_ask_for_it_gets_none() -> None:
    with change_page() as page, running_server([EchoApplication()], page=page) as path, RawClient(path) as client:
        reply, descriptors = greeted(client, FEATURES & ~FEATURE_CHANGE_COUNTERS)
        assert (reply.features, descriptors) == (FEATURES & ~FEATURE_CHANGE_COUNTERS, [])


def test_who_is_refused_gets_none() -> None:
    with change_page() as page, running_server([EchoApplication()], page=page) as path, RawClient(path) as client:
        reply, descriptors = greeted(client, secret=bytes([1]) * 16)
        assert (reply.features, descriptors) == (0, [])


def test_where_the_system_cannot_seal_it_clients_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SEALS", 1 << 20)
    with change_page() as page:
        assert page is None
        with running_server([EchoApplication()], page=page) as path, RawClient(path) as client:
            reply, descriptors = greeted(client)
            assert (reply.features, descriptors) == (FEATURES & ~FEATURE_CHANGE_COUNTERS, [])


def test_no_descriptor_stays_open() -> None:
    before = open_descriptors()
    with change_page():
        pass
    assert open_descriptors() <= before
