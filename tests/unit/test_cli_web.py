# SPDX-License-Identifier: Apache-2.0
"""``softee web``: the page shows what is there, to whom it is for, lets nothing in a label run, and changes nothing."""

import base64
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server
from wsgiref.util import setup_testing_defaults

import msgspec
import pytest

from softee.cli.failure import CliError
from softee.cli.main import main
from softee.cli.token_client import token_client
from softee.cli.top.rates import rates
from softee.cli.web import look as look_module
from softee.cli.web.look import Look, Looks
from softee.cli.web.pages import pages
from softee.cli.web.problems import problems
from softee.daemon import lockdown
from softee.daemon.metrics import http_serving
from softee.daemon.metrics.http_serving import BASIC, Secret
from softee.daemon.metrics.told import ClientTold, CommitTold, ObjectTold, TokenTold, Told, WorkerTold
from softee.tee.audit_chain import encode_line
from support.command_line import call
from support.http import ask
from support.secure_world import RunningDaemon, running_daemon, short_directory

EVIL = "<script>alert(1)</script>\x1b[2J&"
PASSWORD = "correct-horse-battery-staple"
BASIC_HEADER = "Basic " + base64.b64encode(f"anybody:{PASSWORD}".encode()).decode()
TOKEN = TokenTold(
    0, "aa", "portable", initialized=True, label=EVIL, so_tries_left=7, user_tries_left=7, public_objects=3
)
TOLD = Told(
    1.0,
    5.0,
    [WorkerTold(0, 1, 0, 1)],
    [ClientTold(0, 1, 0, 1, 1, 9)],
    [TOKEN, TokenTold(1, "ab", "portable")],
    [],
    [CommitTold("success", 3, 0.1), CommitTold("conflict", 1, 0.1)],
)

AUDIT = encode_line(1, b"", {"event": "login", "result": "CKR_OK", "uid": 1000, "label": EVIL}) + b"no line\n"


class Fixed(Looks):
    """Shows the same again and again."""

    def __init__(self, told: Told | None) -> None:
        self._told = told

    def look(self, now: float) -> Look:  # noqa: ARG002 - as it is
        if self._told is None:
            raise CliError(f"It is {EVIL}gone.")
        return Look(
            self._told, [ObjectTold(0, "CKO_PUBLIC_KEY", "CKK_EC", EVIL, "0a")], rates(self._told, self._told), AUDIT
        )


def got(looks: Looks, path: str) -> tuple[str, dict[str, str], str]:
    """Return status, headers and text of a page."""
    told: list[Any] = []
    environment: dict[str, Any] = {"PATH_INFO": path}
    setup_testing_defaults(environment)
    parts: Iterable[bytes] = pages(looks)(environment, lambda *answer: told.extend(answer))  # type: ignore[arg-type]
    return told[0], dict(told[1]), b"".join(parts).decode()


@pytest.mark.parametrize("path", ["/", "/now"])
def test_attack_nothing_in_a_label_runs(path: str) -> None:
    _, headers, text = got(Fixed(TOLD), path)
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(1)" in text
    assert "\x1b" not in text
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy


def test_the_page_runs_no_script_but_its_own_file() -> None:
    text = got(Fixed(TOLD), "/")[2]
    assert re.findall(r"<script[^>]*>", text) == ['<script src="/refresh.js" defer>']
    assert " style=" not in text
    assert not re.findall(r"\son\w+=", text)


def test_it_works_without_a_script() -> None:
    assert '<noscript><meta http-equiv="refresh"' in got(Fixed(TOLD), "/")[2]
    assert got(Fixed(TOLD), "/now")[2].strip() in got(Fixed(TOLD), "/")[2]


def test_it_shows_public_objects_and_the_number_of_others() -> None:
    text = got(Fixed(TOLD), "/")[2]
    assert "CKO_PUBLIC_KEY" in text
    assert "3 public, 0 private" in text
    assert "2 more are not shown" in text
    assert re.search(r"a line that the secure world did not write so.*<td[^>]*>login</td>", text, re.DOTALL)
    assert "Healthy" in text


def test_a_secure_world_that_does_not_answer_is_said() -> None:
    status, _, text = got(Fixed(None), "/")
    assert status == "503 Service Unavailable"
    assert "It does not answer" in text
    assert "<script>alert" not in text


def test_the_command_locks_itself_down_before_it_serves_and_tells_where_and_the_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    done: list[str] = []

    def serve(*_: object) -> None:
        done.append("serve")
        raise KeyboardInterrupt

    monkeypatch.setattr(lockdown, "lock_down", lambda _: done.append("lock down"))
    monkeypatch.setattr(http_serving, "serve_http", serve)
    with running_daemon(tmp_path) as daemon:
        assert call("web", f"--socket={daemon.socket}", "--listen=127.0.0.1:0") == 0
        where, password = capsys.readouterr().out.splitlines()
        assert re.fullmatch(r"The page is at http://127\.0\.0\.1:\d+/", where)
        assert len(password.rpartition(" ")[2]) == 24
        assert call("web", f"--socket={daemon.socket}", f"--listen=unix:{tmp_path}/web.sock") == 0
        assert capsys.readouterr().out == f"The page is at unix:{tmp_path}/web.sock\n"
    assert done == ["lock down", "serve"] * 2


def test_its_files_are_what_they_are() -> None:
    assert got(Fixed(None), "/style.css")[1]["Content-Type"] == "text/css; charset=utf-8"
    assert got(Fixed(None), "/refresh.js")[1]["Content-Type"] == "text/javascript; charset=utf-8"
    for path in ("/../style.css", "/page.html", "/now.html", "/style.css/", "/__init__.py", "/favicon.ico"):
        assert got(Fixed(None), path)[0] == "404 Not Found"


def test_what_is_wrong_is_said() -> None:
    assert problems(TOLD) == []
    wrong = msgspec.structs.replace(
        TOLD,
        workers=[WorkerTold(0, 1, 2, 0), WorkerTold(1, 0, 0, 0)],
        tokens=[TokenTold(0, "aa", "portable", damaged="x"), TokenTold(1, "ab", "portable", user_tries_left=0)],
        commits=[CommitTold("full", 2, 0.1)],
    )
    said = problems(wrong)
    for pattern in (
        "slot 0 cannot be opened",
        "1 of 2 workers",
        "2 workers have died",
        "user PIN .* slot 1",
        "2 changes",
    ):
        assert len([sentence for sentence in said if re.search(pattern, sentence)]) == 1
    assert len(said) == 5
    assert "Problems" in got(Fixed(wrong), "/now")[2]


def test_a_password_goes_with_any_name() -> None:
    secret = Secret(BASIC, PASSWORD)
    assert secret.is_in(BASIC_HEADER)
    assert PASSWORD not in repr(secret)
    for wrong in ("", "Basic", "Basic !!!", f"Basic {PASSWORD}", f"Bearer {PASSWORD}", "Basic /w==", BASIC_HEADER[:-4]):
        assert not secret.is_in(wrong)


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDaemon]:
    with running_daemon(tmp_path_factory.mktemp("web")) as running:
        with token_client(running.socket) as client:
            client.init_token(0, "<b>shown", b"12345678")
        yield running


def test_all_who_look_in_a_second_have_one_answer(daemon: RunningDaemon, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(look_module, "_BETWEEN", 0.01)
    looks = Looks(daemon.socket)
    first = looks.look(0.0)
    assert looks.look(first.told.clock + 0.5) is first
    second = looks.look(first.told.clock + 1.5)
    assert second is not first
    assert second.told.tokens[0].label == "<b>shown"
    assert second.rates.seconds < 30


def test_who_is_no_operator_is_told(tmp_path: Path) -> None:
    with pytest.raises(CliError, match="does not say who uses it"):
        Looks(tmp_path / "none").look(0.0)


@contextmanager
def served(daemon: RunningDaemon, *options: str) -> Iterator[str]:
    """Run the command, and yield what it says."""
    arguments = [sys.executable, "-P", "-m", "softee", "web", f"--socket={daemon.socket}", *options]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline() + ("" if "unix" in options[0] else process.stdout.readline())
        finally:
            process.terminate()


def test_the_page_is_served_at_a_unix_socket(daemon: RunningDaemon) -> None:
    with short_directory() as directory, served(daemon, f"--listen=unix:{directory}/web.sock") as said:
        assert f"unix:{directory}/web.sock" in said
        place = directory / "web.sock"
        assert place.stat().st_mode & 0o777 == 0o600
        reply = ask(place, "/")
        assert (reply.status, reply.headers["X-Frame-Options"]) == (200, "DENY")
        assert "&lt;b&gt;shown" in reply.text
        assert ask(place, "/", Host="evil.example").status == 421
        assert ask(place, "/", method="POST").status == 405


def test_at_an_address_it_wants_the_password_that_it_has_made(daemon: RunningDaemon) -> None:
    with served(daemon, "--listen=127.0.0.1:0") as said:
        port, password = re.findall(r"127\.0\.0\.1:(\d+)/|password (\S+)", said)
        place = "127.0.0.1", int(port[0])
        assert ask(place, "/").headers["WWW-Authenticate"] == 'Basic realm="softee"'
        given = base64.b64encode(f"x:{password[1]}".encode()).decode()
        assert "&lt;b&gt;shown" in ask(place, "/", Authorization=f"Basic {given}").text


class Changing(Fixed):
    """Shows something else each time."""

    times = 0

    def look(self, now: float) -> Look:
        self.times += 1
        token = msgspec.structs.replace(TOKEN, label=f"{EVIL} seen {self.times}")
        self._told = msgspec.structs.replace(TOLD, tokens=[token])
        return super().look(now)


class Quiet(WSGIRequestHandler):
    """Logs nothing."""

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def in_this_process(looks: Looks) -> Iterator[str]:
    """Serve the pages, and yield their address."""
    with make_server("127.0.0.1", 0, pages(looks), handler_class=Quiet) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.skipif(shutil.which("chromium") is None, reason="Debian's package chromium is not installed")
def test_a_browser_keeps_it_new_and_runs_nothing_in_a_label(tmp_path: Path) -> None:
    looks = Changing(None)
    with in_this_process(looks) as address:
        browser = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path}"]
        show = [*browser, "--virtual-time-budget=6000", "--dump-dom", address]
        done = subprocess.run(show, capture_output=True, text=True, check=True, timeout=90)
    assert looks.times > 1
    assert int(re.findall(r"seen (\d+)", done.stdout)[0]) > 1
    assert "stale" not in done.stdout
    assert len(re.findall(r"<script", done.stdout)) == 1


def run(*arguments: object) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["web", *map(str, arguments)])
    return int(ended.value.code or 0)


def test_other_machines_are_not_served(daemon: RunningDaemon, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--listen", "0.0.0.0:80", "--socket", daemon.socket) == 2
    assert "expected a loopback address" in capsys.readouterr().err


def test_a_password_that_others_can_read_is_refused(
    daemon: RunningDaemon, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    secret = tmp_path / "password"
    secret.write_text(PASSWORD)
    secret.chmod(0o644)
    assert run("--password-file", secret, "--socket", daemon.socket) == 1
    assert "Everybody can read or write the password" in capsys.readouterr().err
