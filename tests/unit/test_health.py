# SPDX-License-Identifier: Apache-2.0
"""``softee health``: ready, degraded and why, or dead; asked without what takes its time to import."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from softee.cli import asking_health, quick
from softee.client import ClientError
from softee.daemon.health import health
from softee.daemon.operators import OperatorApplication
from softee.daemon.shut_tokens import slots_of
from softee.names import OPERATOR_APPLICATION, PKCS11_APPLICATION, OperatorCommand, Origin, ParamType, TeeResult
from softee.pkcs11_ta.application import vaults
from softee.stores.base import Store, StoreError
from softee.stores.memory import MemoryStore
from softee.stores.reserve import Reserve, ReservingStore
from softee.stores.sqlite import SqliteStore
from softee.tee.secure_storage import head_keys
from softee.wire.frames import FrameType, encode_frame
from softee.wire.health import (
    BUSY,
    NOT_TOLD,
    REASONS,
    STORE_DAMAGED,
    STORE_FAILED,
    STORE_FULL,
    TOKEN_DAMAGED,
    WORKERS_MISSING,
    reasons_in,
)
from softee.wire.messages import Hello, HelloReply, Invoke, InvokeReply, OpenSession, OpenSessionReply
from softee.wire.parameters import Parameters
from softee.wire.values import NO_PARAMS, Memref, Value
from support.channel_attack import eventually
from support.secure_world import RunningDaemon, running_daemon, short_directory
from support.stores import FailingStore
from support.token_world import make_application, public_client
from unit.test_daemon_workers import children, several

SOFTEE = (sys.executable, "-P", "-m", "softee")


def all_workers() -> bool:
    return True


def told(*arguments: str | Path) -> tuple[int, dict[str, object]]:
    """Return the exit status and the JSON of the command in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-P", "-m", "softee", "health", "--json", *map(str, arguments)],
        capture_output=True,
        check=False,
    )
    return done.returncode, json.loads(done.stdout)


def words(*arguments: str | Path) -> list[str]:
    said = told(*arguments)[1]["reasons"]
    assert isinstance(said, list)
    return [one["reason"] for one in said]


def at(daemon: RunningDaemon) -> tuple[str, Path]:
    return "--socket", daemon.socket


def test_its_bytes_are_those_of_the_protocol() -> None:
    parameters = Parameters((Value(ParamType.VALUE_OUTPUT), None, None, None))
    assert Hello().encode() == asking_health.HELLO
    assert OpenSession(OPERATOR_APPLICATION).encode() == asking_health.OPEN_SESSION
    assert asking_health.invoke(7) == Invoke(7, OperatorCommand.HEALTH, 0, parameters).encode()


def test_reasons_have_bits_and_words_of_their_own() -> None:
    assert [reason.bit for reason in REASONS] == [1 << place for place in range(len(REASONS))]
    assert len({reason.word for reason in (*REASONS, BUSY, NOT_TOLD)}) == len(REASONS) + 2
    assert reasons_in(0) == []
    assert reasons_in(STORE_FULL.bit | TOKEN_DAMAGED.bit) == [STORE_FULL, TOKEN_DAMAGED]
    assert [reason.word for reason in reasons_in(STORE_FULL.bit | 1 << 20)] == ["store-full", "other"]


@pytest.mark.parametrize("workers", [1, 2])
def test_a_secure_world_that_serves_is_ready(tmp_path: Path, workers: int) -> None:
    with several(tmp_path, workers) as daemon:
        assert told(*at(daemon)) == (0, {"status": "ready", "reasons": [], "told": True})


def test_a_worker_that_died_is_missed_until_another_serves(tmp_path: Path) -> None:
    with several(tmp_path, 2) as daemon:
        survivor = children(daemon)[1]

        def is_missed() -> bool:
            """Kill it and ask. Its successor may serve before the answer is there: then once more."""
            for worker in set(children(daemon)) - {survivor}:
                with suppress(ProcessLookupError):
                    os.kill(worker, signal.SIGKILL)
            return words(*at(daemon)) == ["workers-missing"]

        assert eventually(is_missed)
        assert eventually(lambda: told(*at(daemon))[0] == 0, 30)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_state_that_was_removed_under_the_daemon_degrades_it(tmp_path: Path, workers: int) -> None:
    with several(tmp_path, workers) as daemon:
        (daemon.state / "softee.db").unlink()
        status, said = told(*at(daemon))
        assert (status, said["status"]) == (quick.DEGRADED, "degraded")
        assert words(*at(daemon)) == ["store-damaged"]


def test_where_none_answers_it_is_dead(tmp_path: Path) -> None:
    with short_directory() as directory:
        status, said = told("--socket", directory / "nobody")
        assert (status, said["status"]) == (quick.DEAD, "dead")
    with running_daemon(tmp_path) as daemon:
        daemon.kill()
        assert told(*at(daemon))[0] == quick.DEAD


def test_what_the_store_refuses_is_told_apart() -> None:
    store = FailingStore(MemoryStore())
    application = make_application()
    slots = slots_of([application])
    assert health(store, slots, all_workers) == 0
    store.failing = True
    assert health(store, slots, all_workers) == STORE_FULL.bit
    store.unreachable = True
    assert health(store, slots, lambda: False) == STORE_FAILED.bit | WORKERS_MISSING.bit


def test_a_disk_without_room_beside_the_reserve_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = ReservingStore(lambda: SqliteStore(tmp_path / "store.db"), Reserve(tmp_path / "reserve", 4096))
    assert health(store, None, all_workers) == 0
    full = os.statvfs(tmp_path)
    monkeypatch.setattr(os, "statvfs", lambda _: type("Full", (), {"f_bavail": 0, "f_frsize": full.f_frsize})())
    assert health(store, None, all_workers) == STORE_FULL.bit
    monkeypatch.undo()
    (tmp_path / "store.db").unlink()
    assert health(store, None, all_workers) == STORE_DAMAGED.bit
    store.close()


def test_a_disk_that_cannot_be_asked_for_its_room_fails(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="No such file"):
        Reserve(tmp_path / "none" / "reserve").is_all_there_is()


def test_a_damaged_token_degrades_it() -> None:
    store: Store = MemoryStore()
    make_application(store).slots.token(1)
    key = head_keys(PKCS11_APPLICATION, vaults(3))[1]
    record = store.get(key)
    assert record is not None
    store.commit(expected={}, puts={key: record.value[:-1] + bytes([record.value[-1] ^ 1])})
    application = make_application(store)
    assert health(store, application.slots, all_workers) == TOKEN_DAMAGED.bit
    failing = FailingStore(store)
    unread = make_application(failing)
    failing.unreachable = True
    assert health(failing, unread.slots, all_workers) == STORE_FAILED.bit


def test_it_is_the_operators_to_ask_and_says_what_it_found() -> None:
    store = FailingStore(MemoryStore())
    session = OperatorApplication(store).open_session(replace(public_client(), uid=0), NO_PARAMS)
    found = Value(ParamType.VALUE_OUTPUT)
    store.failing = True
    assert session.invoke(OperatorCommand.HEALTH, (found, None, None, None)) is TeeResult.SUCCESS
    assert found.a == STORE_FULL.bit


Answer = Callable[[int], bytes]
"""What a secure world of the test's sends for the request with this serial."""


def frame(kind: FrameType, payload: bytes) -> Answer:
    return lambda serial: bytes(encode_frame(kind, serial, payload))


def hello(result: int = 0) -> Answer:
    return frame(FrameType.HELLO_REPLY, HelloReply(result, 1, 0, 4096).encode())


def opened(result: int = 0) -> Answer:
    return frame(FrameType.OPEN_SESSION_REPLY, OpenSessionReply(result, Origin.TRUSTED_APP, 3).encode())


def invoked(bits: int, result: int = 0) -> Answer:
    parameters = Parameters((Value(ParamType.VALUE_OUTPUT, bits), None, None, None))
    return frame(FrameType.INVOKE_REPLY, InvokeReply(result, Origin.TRUSTED_APP, parameters).encode())


@contextmanager
def answering(*answers: Answer) -> Iterator[Path]:
    """Listen as a secure world that gives these answers, whatever it is asked, and then closes the connection."""

    def serve() -> None:
        connection, _ = listening.accept()
        with connection:
            for serial, answer in enumerate(answers, 1):
                connection.recv(4096)
                connection.sendall(answer(serial))

    with short_directory() as directory, socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listening:
        listening.bind(str(directory / "s"))
        listening.listen()
        serving = threading.Thread(target=serve)
        serving.start()
        yield directory / "s"
        serving.join(20)


def keep_alive(then: Answer) -> Answer:
    return lambda serial: bytes(encode_frame(FrameType.KEEP_ALIVE, serial, b"")) + then(serial)


@pytest.mark.parametrize(
    ("answers", "reasons", "all_told"),
    [
        ((hello(), opened(), invoked(0)), [], True),
        ((hello(), opened(), keep_alive(invoked(STORE_FULL.bit))), [STORE_FULL], True),
        ((hello(TeeResult.BUSY),), [BUSY], False),
        ((hello(TeeResult.GENERIC),), [NOT_TOLD], False),
        ((hello(), opened(TeeResult.ACCESS_DENIED)), [], False),
        ((hello(), opened(TeeResult.ITEM_NOT_FOUND)), [NOT_TOLD], False),
        ((hello(), opened(), invoked(0, TeeResult.NOT_SUPPORTED)), [NOT_TOLD], False),
    ],
)
def test_what_it_answers_is_understood(answers: tuple[Answer, ...], reasons: list[object], *, all_told: bool) -> None:
    with answering(*answers) as path:
        assert asking_health.ask_for_health(path) == (path, reasons, all_told)


@pytest.mark.parametrize(
    "answer",
    [
        lambda _: b"",
        lambda _: b"\x08\0\0\0\x81\0\0\0",
        lambda _: b"\x08\0\0\0\x81\0\0\0\x09\0\0\0",
        lambda serial: bytes(encode_frame(FrameType.INVOKE_REPLY, serial, b"")),
        lambda serial: b"\xff\xff\0\0\x81\0\0\0" + serial.to_bytes(4, "little"),
        lambda serial: bytes(encode_frame(FrameType.HELLO_REPLY, serial, b"")),
    ],
    ids=["nothing", "half a header", "another serial", "another answer", "too long", "no result"],
)
def test_attack_an_answer_that_makes_no_sense_is_a_secure_world_that_is_dead(answer: Answer) -> None:
    with answering(answer) as path, pytest.raises(ClientError, match="does not go on answering"):
        asking_health.ask_for_health(path)


def test_a_secure_world_that_falls_silent_is_dead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking_health, "SILENCE", 0.05)
    with short_directory() as directory, socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listening:
        listening.bind(str(directory / "s"))
        listening.listen()
        with pytest.raises(ClientError, match="has fallen silent"):
            asking_health.ask_for_health(directory / "s")


def test_people_get_a_line_for_each_reason(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    with answering(hello(), opened(), invoked(STORE_FULL.bit | TOKEN_DAMAGED.bit)) as path:
        assert quick.tell_health(path, as_json=False) == quick.DEGRADED
    assert [line.split(": ")[:2] for line in capsys.readouterr().out.splitlines()] == [
        ["degraded", "store-full"],
        ["degraded", "token-damaged"],
    ]
    with answering(hello(), opened(TeeResult.ACCESS_DENIED)) as path:
        monkeypatch.setenv("SOFTEE_SOCKET", str(path))
        assert quick.tell_health(None, as_json=False) == quick.READY
    assert capsys.readouterr().out.startswith("ready; what may be wrong is told to root")


@pytest.mark.parametrize(
    ("arguments", "options"),
    [
        (["health"], (None, False)),
        (["health", "--socket", "/s", "--json"], (Path("/s"), True)),
        (["health", "--help"], None),
        (["health", "--socket"], None),
        (["status"], None),
        ([], None),
    ],
)
def test_a_plain_command_line_is_read_at_once_and_any_other_by_click(
    arguments: list[str], options: tuple[Path | None, bool] | None
) -> None:
    assert quick.plain_options(arguments) == options


def test_it_imports_nothing_that_takes_its_time(tmp_path: Path) -> None:
    program = (
        "import sys; had = set(sys.modules)\n"  # of what measures the coverage
        "from softee.cli.quick import main\ntry:\n main()\nexcept SystemExit:\n print(*set(sys.modules) - had)"
    )
    with running_daemon(tmp_path) as daemon:
        command = [sys.executable, "-P", "-c", program, "health", *map(str, at(daemon))]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    first, *loaded = done.stdout.split()
    assert first == "ready"
    assert "softee.client.connection" in loaded
    slow = ("click", "dataclasses", "json", "inspect", "softee.names", "softee.cli.main", "softee.daemon")
    assert not [name for name in loaded if name.startswith(slow)]


def test_all_other_commands_are_click_s() -> None:
    helped = subprocess.run([*SOFTEE, "health", "-h"], capture_output=True, check=True)
    assert b"Exits 0 where it is ready" in helped.stdout
    assert subprocess.run([*SOFTEE, "health", "--nothing"], capture_output=True, check=False).returncode == 2


def test_no_memory_reference_is_taken_for_a_number() -> None:
    session = OperatorApplication(MemoryStore()).open_session(replace(public_client(), uid=0), NO_PARAMS)
    with pytest.raises(Exception, match="parameter 0 must be a value"):
        session.invoke(OperatorCommand.HEALTH, (Memref(ParamType.MEMREF_OUTPUT, capacity=8), None, None, None))
