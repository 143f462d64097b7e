# SPDX-License-Identifier: Apache-2.0
"""Metrics: who may read them, what they say, and that the process which serves them can do nothing else."""

import os
import re
import select
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from softee.client import TeeClient
from softee.daemon import lockdown
from softee.daemon.errors import StartError
from softee.daemon.metrics import exporter as module
from softee.daemon.metrics import http_serving
from softee.daemon.metrics.http_place import HttpPlace, listen_at
from softee.daemon.settings import SettingsError, load_settings
from softee.names import CKR, CKU, PKCS11_APPLICATION, ParamType
from softee.pkcs11_ta.abi import messages as m
from softee.pkcs11_ta.abi.command import Command
from softee.pkcs11_ta.abi.commands import sessions, slots
from softee.wire.values import Memref
from support.channel_attack import eventually
from support.http import ask
from support.secure_world import RunningDaemon, running_daemon, short_directory
from support.token_world import SO_PIN

TOKEN = "0123456789abcdef0123456789abcdef"
BEARER = f"Bearer {TOKEN}"
LABEL = b'evil"} 1\nsoftee_forged 1'.ljust(32)
Samples = dict[tuple[str, tuple[str, ...]], float]


@contextmanager
def measured(directory: Path, workers: int = 1, settings: str = "") -> Iterator[tuple[RunningDaemon, Path]]:
    """Run a daemon with metrics at a Unix socket."""
    with short_directory() as short:
        place = short / "metrics.sock"
        options = ["--metrics", f"unix:{place}"]
        with running_daemon(directory, settings=f"workers = {workers}\n{settings}", options=options) as daemon:
            yield daemon, place


def samples(place: Path) -> Samples:
    """Return the metrics, by name and labels' values."""
    reply = ask(place)
    assert reply.status == 200
    families = text_string_to_metric_families(reply.text)
    return {(one.name, tuple(one.labels.values())): one.value for family in families for one in family.samples}


class Application:
    """A program that uses the token."""

    def __init__(self, daemon: RunningDaemon, stack: ExitStack) -> None:
        self.tee = stack.enter_context(TeeClient(daemon.socket))
        self._session = self.tee.open_session(PKCS11_APPLICATION)

    def ask(self, command: Command[Any], request: object, capacity: int = 0) -> CKR:
        control = command.encode(request)
        zero = Memref(ParamType.MEMREF_INOUT, bytearray(control), max(4, len(control)))
        output = Memref(ParamType.MEMREF_OUTPUT, capacity=capacity) if capacity else None
        self._session.invoke(command.number, (zero, None, output, None))
        return CKR(int.from_bytes(zero.out[:4], "little"))

    def init_token(self) -> None:
        pin = bytearray(SO_PIN)
        assert self.ask(slots.INIT_TOKEN, m.InitToken(0, len(pin), LABEL, pin)) is CKR.OK


def exporter_of(daemon: RunningDaemon) -> int:
    """Return the pid of the process that serves metrics: the first that the daemon has made."""
    return children(daemon)[0]


def held_by(pid: int) -> set[str]:
    """Return what a process has open; what it closes meanwhile it does not hold."""
    held = set()
    for file in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):
            held.add(str(file.readlink()))
    return held


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RunningDaemon, Path]]:
    with measured(tmp_path_factory.mktemp("metrics")) as (daemon, place):
        with ExitStack() as stack:
            Application(daemon, stack).init_token()
        yield daemon, place


def test_metrics_say_what_applications_did(served: tuple[RunningDaemon, Path]) -> None:
    daemon, place = served
    assert eventually(lambda: samples(place)["softee_clients", ()] == 0), "those of other tests have gone"
    with ExitStack() as stack:
        application = Application(daemon, stack)
        assert application.ask(sessions.OPEN_SESSION, m.OpenPkcs11Session(0, 6), 4) is CKR.OK
        login = m.Login(1, CKU.SO, 6, bytearray(b"wrong!"))
        assert application.ask(sessions.LOGIN, login) is CKR.PIN_INCORRECT
        told = samples(place)
        serial = next(labels[3] for (name, labels) in told if name == "softee_operations_total" and labels[3])
        assert told["softee_clients", ()] == told["softee_sessions", ()] == told["softee_workers", ()] == 1
        assert told["softee_operations_total", ("C_Login", "", "CKR_PIN_INCORRECT", serial)] == 1
        assert told["softee_pin_failures_total", ("C_Login", "CKR_PIN_INCORRECT", serial)] == 1
        assert told["softee_operation_seconds_count", ("C_InitToken", "")] == 1
        assert told["softee_store_commits_total", ("success",)] >= 4
        status = subprocess.run(
            [sys.executable, "-P", "-m", "softee", "status", "--json", "--socket", str(daemon.socket)],
            capture_output=True,
            text=True,
            check=True,
            timeout=30,
        )
        assert serial in status.stdout
    assert eventually(lambda: samples(place)["softee_clients", ()] == 0)


def test_attack_a_token_s_label_is_in_no_metric(served: tuple[RunningDaemon, Path]) -> None:
    daemon, place = served
    with ExitStack() as stack:
        Application(daemon, stack).ask(slots.TOKEN_INFO, m.OnSlot(0), slots.TOKEN_INFO.output_size or 0)
    assert "evil" not in ask(place).text
    assert "forged" not in ask(place).text


def test_the_socket_is_its_user_s_alone(served: tuple[RunningDaemon, Path]) -> None:
    assert stat.S_IMODE(served[1].stat().st_mode) == 0o600


def test_attack_a_page_in_a_browser_gets_nothing_by_another_name(served: tuple[RunningDaemon, Path]) -> None:
    place = served[1]
    for host in ("evil.example", "localhost.evil.example", "127.0.0.1.evil.example:80", "", "[::1", "169.254.1.1"):
        assert ask(place, Host=host).status == 421
    for host in ("localhost", "LOCALHOST:9464", "127.0.0.1", "[::1]:9464"):
        assert ask(place, Host=host).status == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE"])
def test_only_reading_is_possible(served: tuple[RunningDaemon, Path], method: str) -> None:
    reply = ask(served[1], method=method)
    assert (reply.status, reply.headers["Allow"]) == (405, "GET, HEAD")


def test_every_answer_has_headers_for_browsers(served: tuple[RunningDaemon, Path]) -> None:
    for reply in (ask(served[1]), ask(served[1], Host="evil.example")):
        assert reply.headers["Cache-Control"] == "no-store"
        assert reply.headers["X-Content-Type-Options"] == "nosniff"
        assert reply.headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert reply.headers["Server"] is None


def test_attack_nonsense_ends_its_own_connection_alone(served: tuple[RunningDaemon, Path]) -> None:
    daemon, place = served
    for data in (
        b"\xff" * 4096,
        b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 20_000,
        b"POST / HTTP/1.1\r\nContent-Length: 9999999\r\n\r\n",
    ):
        with socket.socket(socket.AF_UNIX) as raw:
            raw.settimeout(20)
            raw.connect(str(place))
            try:
                raw.sendall(data)
                raw.shutdown(socket.SHUT_WR)  # or it waits ten seconds for the rest
                assert raw.recv(16)[:7] in {b"HTTP/1.", b""}
            except (BrokenPipeError, ConnectionResetError):
                pass
    assert ask(place).status == 200
    assert "Traceback" not in daemon.log()


def test_what_serves_them_has_neither_store_nor_keys_and_may_reach_nothing(served: tuple[RunningDaemon, Path]) -> None:
    daemon, place = served
    assert ask(place).status == 200
    pid = exporter_of(daemon)
    assert not [name for name in held_by(pid) if "softee.db" in name or "tee.sock" in name or "root.key" in name]
    status = Path(f"/proc/{pid}/status").read_text()
    assert "NoNewPrivs:\t1" in status
    if not lockdown.missing():
        assert "Seccomp:\t2" in status
    assert "softee.db" not in Path(f"/proc/{pid}/maps").read_text()


def test_several_workers_counts_are_one_sum_that_survives_a_worker(tmp_path: Path) -> None:
    with measured(tmp_path, workers=2) as (daemon, place), ExitStack() as stack:
        applications = [Application(daemon, stack) for _ in range(4)]
        for application in applications:
            assert application.ask(slots.SLOT_LIST, m.Nothing(0), 12) is CKR.OK
        key = "softee_operations_total", ("C_GetSlotList", "", "CKR_OK", "")
        assert {application.tee.secret[0] for application in applications} == {0, 1}
        assert samples(place)[key] == 4
        assert samples(place)["softee_clients", ()] == 4
        workers = [pid for pid in children(daemon) if pid != exporter_of(daemon)]
        os.kill(workers[0], signal.SIGKILL)
        assert eventually(lambda: samples(place)["softee_worker_deaths_total", ()] == 1)
        assert eventually(lambda: samples(place)["softee_workers", ()] == 2)
        assert samples(place)[key] == 4
        assert samples(place)["softee_clients", ()] == 2


def test_the_audit_log_s_end_is_told(tmp_path: Path) -> None:
    with measured(tmp_path, settings='[audit]\nlog = "required"\n') as (daemon, place), ExitStack() as stack:
        before = samples(place)["softee_audit_line", ()]
        Application(daemon, stack).init_token()
        assert samples(place)["softee_audit_line", ()] > before > 0
        assert samples(place)["softee_audit_left_out", ()] == 0


def children(daemon: RunningDaemon) -> list[int]:
    """Return the pids of the daemon's processes, in the order in which it has made them."""
    pid = daemon.process.pid
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@pytest.mark.parametrize("stop", [RunningDaemon.stop, RunningDaemon.kill], ids=["stopped", "killed"])
def test_what_serves_them_ends_with_the_secure_world(tmp_path: Path, stop: Any) -> None:  # noqa: ANN401
    with measured(tmp_path) as (daemon, place):
        pid = exporter_of(daemon)
        pidfd = os.pidfd_open(pid)
        stop(daemon)
        waiting = select.poll()
        waiting.register(pidfd, select.POLLIN)
        assert waiting.poll(20_000)
        os.close(pidfd)
        assert place.exists() == (stop is RunningDaemon.kill)


def token_file(directory: Path, text: str = TOKEN, mode: int = 0o600) -> Path:
    file = directory / "token"
    file.write_text(text)
    file.chmod(mode)
    return file


def test_an_address_is_for_who_has_the_token(tmp_path: Path) -> None:
    options = ["--metrics", "127.0.0.1:0", "--metrics-token", str(token_file(tmp_path, TOKEN + "\n"))]
    with running_daemon(tmp_path, options=options) as daemon:
        (port,) = re.findall(r"metrics are at http://127\.0\.0\.1:(\d+)/metrics", daemon.log())
        place = "127.0.0.1", int(port)
        for given in (
            {},
            {"Authorization": TOKEN},
            {"Authorization": f"Basic {TOKEN}"},
            {"Authorization": BEARER[:-1]},
        ):
            reply = ask(place, **given)
            assert (reply.status, reply.headers["WWW-Authenticate"]) == (401, 'Bearer realm="softee"')
            assert "softee_build" not in reply.text
        assert "softee_build_info" in ask(place, Authorization=BEARER).text
        assert "softee_build_info" in ask(place, Authorization=f"bearer  {TOKEN}").text
        assert TOKEN not in daemon.log()


def test_an_address_without_a_token_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="need a token: name a file with one"):
        refused(tmp_path, ["--metrics", "127.0.0.1:0"])


def refused(directory: Path, options: Sequence[str]) -> None:
    with running_daemon(directory, options=options):
        pass


@pytest.mark.parametrize(
    ("text", "mode", "why"),
    [
        ("short", 0o600, "must have 16 to 1024 printable characters"),
        ("é" * 20, 0o600, "must have 16 to 1024 printable characters"),
        ("x" * 1025, 0o600, "must have 16 to 1024 printable characters"),
        (TOKEN, 0o644, "Everybody can read or write the token"),
    ],
)
def test_attack_a_token_that_can_be_guessed_or_read_is_refused(tmp_path: Path, text: str, mode: int, why: str) -> None:
    with pytest.raises(StartError, match=why):
        module.bearer_token(HttpPlace("127.0.0.1:1"), token_file(tmp_path, text, mode))


def test_a_token_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(StartError, match=r"cannot be read from .*: No such file"):
        module.bearer_token(HttpPlace("127.0.0.1:1"), tmp_path / "none")
    assert module.bearer_token(HttpPlace("unix:/x"), None) is None


@pytest.mark.parametrize("text", ["0.0.0.0:9464", "192.168.1.1:9464", "[::]:9464", "127.0.0.1:70000"])
def test_attack_other_machines_are_not_served(text: str) -> None:
    with pytest.raises(ValueError, match="expected a loopback address"):
        HttpPlace(text)


@pytest.mark.parametrize("text", ["", "9464", "localhost:9464", "127.0.0.1", "unix:metrics.sock", "127.0.0.1:x"])
def test_what_is_no_place_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        HttpPlace(text)


def test_a_place_that_is_taken_is_said() -> None:
    with closing(listen_at(HttpPlace("127.0.0.1:0"))) as first:
        port = first.path.name.rpartition(":")[2]
        with pytest.raises(StartError, match=f"127.0.0.1:{port} cannot be listened at: Address already in use"):
            listen_at(HttpPlace(f"127.0.0.1:{port}"))


def test_a_wrong_place_in_the_settings_is_named(tmp_path: Path) -> None:
    file = tmp_path / "softee.toml"
    file.write_text('[metrics]\nlisten = "0.0.0.0:1"\n')
    with pytest.raises(SettingsError, match=r"expected a loopback address.*metrics.listen"):
        load_settings(file)
    file.write_text("[metrics]\nlisten = 1\n")
    with pytest.raises(SettingsError, match=r"expected an address, got int"):
        load_settings(file)


def test_what_is_not_installed_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    http_serving.require("metrics", "waitress")
    monkeypatch.setitem(sys.modules, "waitress", None)
    with pytest.raises(StartError, match=r"waitress is not installed.*pip install 'softee\[metrics\]'"):
        http_serving.require("metrics", "waitress")
