# SPDX-License-Identifier: Apache-2.0
"""Another user puts a secure world in the way of the Python client, which sends PINs: it gets not one byte."""

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from softee.cli.failure import CliError
from softee.cli.places import require_answering_socket
from softee.cli.token_client import token_client
from softee.client import TeeClient, UntrustedError
from softee.names import CKU
from support.echo_application import EchoApplication
from support.secure_world import running_server, short_directory

STRANGER = 4242
TRUSTED = ("4242", "04242")
NOT_TRUSTED = (
    "",
    "4243",
    "42 42",
    " 4242",
    "4242\n",
    "+4242",
    "-1",
    "4242x",
    "0x1092",
    "4294971538",
    "٤٢٤٢",
    "9" * 5000,
)


@dataclass
class Trap:
    """A socket behind which somebody waits for PINs."""

    path: Path
    caught: bytearray = field(default_factory=bytearray)


@contextmanager
def trap() -> Iterator[Trap]:
    """Listen, and keep all that the first client says."""
    with short_directory() as directory, socket.socket(socket.AF_UNIX) as listening:
        trap = Trap(directory / "tee.sock")
        listening.bind(str(trap.path))
        listening.listen()

        def listen() -> None:
            connection, _ = listening.accept()
            with connection:
                while said := connection.recv(4096):
                    trap.caught += said

        thread = threading.Thread(target=listen)
        thread.start()
        try:
            yield trap
        finally:
            thread.join(20)


def log_in(path: Path) -> None:
    with token_client(path) as client:
        client.login(client.open_session(0), CKU.USER, b"12345")


@pytest.fixture(autouse=True)
def _nobody_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOFTEE_SERVER_UID", raising=False)


def test_a_process_of_a_foreign_user_gets_no_pin(monkeypatch: pytest.MonkeyPatch) -> None:
    with trap() as set_up:
        monkeypatch.setattr("softee.client.connection.peer_uid", lambda _: STRANGER)
        with pytest.raises(CliError, match=f"uid {STRANGER} answers at {set_up.path}, who is neither root nor you"):
            log_in(set_up.path)
    assert not set_up.caught


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_socket_file_of_a_foreign_user_gets_no_pin() -> None:
    with trap() as set_up:
        os.chown(set_up.path, STRANGER, STRANGER)
        with pytest.raises(CliError, match=f"{set_up.path} belongs to uid {STRANGER}, who is neither root nor you"):
            log_in(set_up.path)
    assert not set_up.caught


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_link_to_a_foreign_users_socket_gets_no_pin() -> None:
    with trap() as set_up:
        os.chown(set_up.path, STRANGER, STRANGER)
        link = set_up.path.with_name("link")
        link.symlink_to(set_up.path)
        with pytest.raises(CliError, match=f"belongs to uid {STRANGER}"):
            log_in(link)
    assert not set_up.caught


@pytest.mark.parametrize("named", NOT_TRUSTED, ids=range(len(NOT_TRUSTED)))
def test_only_the_users_number_in_decimal_digits_names_them(monkeypatch: pytest.MonkeyPatch, named: str) -> None:
    with running_server([EchoApplication()]) as path:
        monkeypatch.setattr("softee.client.connection.peer_uid", lambda _: STRANGER)
        monkeypatch.setenv("SOFTEE_SERVER_UID", named)
        with pytest.raises(UntrustedError):
            TeeClient(path)


@pytest.mark.parametrize("named", TRUSTED)
def test_a_user_who_is_named_is_trusted(monkeypatch: pytest.MonkeyPatch, named: str) -> None:
    with running_server([EchoApplication()]) as path:
        monkeypatch.setattr("softee.client.connection.peer_uid", lambda _: STRANGER)
        monkeypatch.setenv("SOFTEE_SERVER_UID", named)
        TeeClient(path).close()


def test_a_foreign_users_socket_in_the_runtime_directory_does_not_keep_the_systems_from_being_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    uids = iter((STRANGER, os.geteuid()))
    with running_server([EchoApplication()]) as users, running_server([EchoApplication()]) as systems:
        monkeypatch.setattr("softee.client.connection.peer_uid", lambda _: next(uids))
        monkeypatch.setattr("softee.client.connection.socket_paths", lambda: [users, systems])
        with TeeClient() as client:
            assert client.path == systems


def test_where_only_a_foreign_users_answers_one_is_told_whose_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    with running_server([EchoApplication()]) as path:
        monkeypatch.setattr("softee.client.connection.peer_uid", lambda _: STRANGER)
        places = [path, path.with_name("none.sock")]
        monkeypatch.setattr("softee.client.connection.socket_paths", lambda: places)
        monkeypatch.setattr("softee.cli.places.socket_paths", lambda: places)
        with pytest.raises(UntrustedError, match=f"set SOFTEE_SERVER_UID={STRANGER}"):
            TeeClient()
        with pytest.raises(CliError, match=f"Another user's secure world is not used: uid {STRANGER} answers"):
            require_answering_socket(None)
