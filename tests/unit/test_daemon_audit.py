# SPDX-License-Identifier: Apache-2.0
"""The real daemon with an audit log: one order of all events, through crashes; and the commands that read it."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from softee.cli.audit.rows import read_event
from softee.cli.failure import CliError
from softee.cli.operator_session import operator_session
from softee.daemon.account import Account
from softee.daemon.audit.auditing import audited as audited_store
from softee.daemon.audit.files import log_files
from softee.daemon.errors import StartError
from softee.daemon.settings import default_settings, load_settings
from softee.names import CKR, CKU, OperatorCommand
from softee.pkcs11_ta.abi import messages as m
from softee.pkcs11_ta.abi.commands import objects
from softee.stores.memory import MemoryStore
from softee.tee.audit_log import KEPT
from support.audit import events_in
from support.command_line import call
from support.pkcs11_client import Client
from support.secure_world import RunningDaemon, running_daemon, short_directory
from support.token_world import SO_PIN

REQUIRED = '[audit]\nlog = "required"\n'


@contextmanager
def audited(directory: Path, workers: int = 1, settings: str = REQUIRED) -> Iterator[RunningDaemon]:
    with running_daemon(directory, settings=f"workers = {workers}\n{settings}") as daemon:
        yield daemon


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def places(directory: Path) -> list[str]:
    return [f"--config={directory}/softee.toml", f"--state={directory}/state", f"--root-key={directory}/key/root.key"]


def verified(directory: Path, capsys: pytest.CaptureFixture[str], *options: str) -> dict[str, Any]:
    """Verify the log of a state that nobody uses, or with other options."""
    capsys.readouterr()
    status = call("audit", "verify", "--json", *(options or places(directory)))
    report: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert status == (1 if report["findings"] else 0)
    return report


def events(directory: Path) -> list[dict[str, Any]]:
    return events_in(directory / "state" / "audit")


@pytest.mark.parametrize("workers", [1, 3])
def test_all_workers_write_one_log_in_one_order(
    tmp_path: Path, stack: ExitStack, capsys: pytest.CaptureFixture[str], workers: int
) -> None:
    with audited(tmp_path, workers) as daemon:
        first = Client(daemon.socket, stack)
        assert first.init_token() is CKR.OK
        clients = [first, *(Client(daemon.socket, stack) for _ in range(2))]

        def work(client: Client) -> None:
            session = client.open()
            assert client.login(session, CKU.SO, SO_PIN) is CKR.OK
            for _ in range(5):
                rv, handle = client.make(session)
                assert rv is CKR.OK
                request = m.OnObject(session, int.from_bytes(handle, "little"))
                assert client.ask(objects.DESTROY_OBJECT, request)[0] is CKR.OK

        threads = [Thread(target=work, args=(client,)) for client in clients]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        report = verified(tmp_path, capsys, f"--socket={daemon.socket}", *places(tmp_path)[:2])
        assert (report["findings"], report["newest"]) == ([], report["last"])
        stack.close()
    names = [event["event"] for event in events(tmp_path)]
    assert [names.count(name) for name in ("start", "login", "create", "destroy", "logout", "stop", "signed")] == [
        *(1, 3, 15, 15, 3, 1, 1),
    ]
    assert {event["pid"] for event in events(tmp_path) if "pid" in event} == {os.getpid()}
    report = verified(tmp_path, capsys)
    assert (report["findings"], report["first"], report["signed"]) == ([], 1, len(names))


def test_it_is_written_under_the_lockdown_and_files_follow_each_other(
    tmp_path: Path, stack: ExitStack, capsys: pytest.CaptureFixture[str]
) -> None:
    with audited(tmp_path, settings=f"{REQUIRED}file_size = 65536\n") as daemon:
        client = Client(daemon.socket, stack)
        assert client.init_token() is CKR.OK
        session = client.open()
        assert client.login(session, CKU.SO, SO_PIN) is CKR.OK
        for _ in range(250):
            assert client.make(session)[0] is CKR.OK
        assert len(log_files(tmp_path / "state" / "audit")) > 1
    assert verified(tmp_path, capsys)["findings"] == []


@pytest.mark.parametrize("workers", [1, 2])
def test_after_kill_9_at_any_time_all_that_was_answered_is_there_and_the_log_is_whole(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], workers: int
) -> None:
    answered = 0
    for _ in range(4):
        with ExitStack() as stack, audited(tmp_path, workers) as daemon:
            client = Client(daemon.socket, stack)
            if not answered:
                assert client.init_token() is CKR.OK
                answered = 1
            session = client.open()
            assert client.login(session, CKU.SO, SO_PIN) is CKR.OK
            answered += 1
            started = [client.make(session)[0] for _ in range(3)]
            assert started == [CKR.OK] * 3
            answered += 3
            killer = Thread(target=daemon.kill)
            killer.start()
            try:
                while client.make(session)[0] is CKR.OK:
                    answered += 1
            except Exception:  # noqa: BLE001, S110 - the connection ends in one of several ways
                pass
            killer.join()
    report = verified(tmp_path, capsys)
    assert report["findings"] == []
    with audited(tmp_path):
        pass
    noted = [event for event in events(tmp_path) if event["event"] in {"init-token", "login", "create"}]
    assert len(noted) >= answered
    assert verified(tmp_path, capsys)["findings"] == []


def test_the_log_can_be_in_another_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "elsewhere" / "audit"
    with audited(tmp_path, settings=f'{REQUIRED}folder = "{folder}"\n'):
        pass
    assert [path.name for path in log_files(folder)] == ["audit-000000000001.jsonl"]
    assert folder.stat().st_mode & 0o777 == 0o700
    assert verified(tmp_path, capsys)["last"] == 3


@pytest.mark.parametrize("what", ["others write", "a file"])
def test_attack_a_folder_that_is_not_ours_alone_is_refused(tmp_path: Path, what: str) -> None:
    folder = tmp_path / "log"
    if what == "a file":
        folder.touch()
    else:
        folder.mkdir()
        folder.chmod(0o777)
    with (
        pytest.raises(AssertionError, match="The audit log's folder"),
        audited(tmp_path, settings=f'{REQUIRED}folder = "{folder}"\n'),
    ):
        pass


def test_attack_a_dropped_tail_is_found_and_told_at_the_next_start(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with audited(tmp_path):
        pass
    (path,) = log_files(tmp_path / "state" / "audit")
    path.write_bytes(path.read_bytes().splitlines(keepends=True)[0])
    assert verified(tmp_path, capsys)["findings"] == [{"where": "after line 1", "what": "lines 2 to 3 are missing"}]
    with audited(tmp_path) as daemon:
        pass
    assert "they were changed" in daemon.log()
    assert [event["event"] for event in events(tmp_path)] == ["start", "damaged", "start", "stop", "signed"]


@pytest.mark.parametrize("workers", [1, 2])
def test_the_operator_is_told_the_newest_lines_as_the_files_have_them(tmp_path: Path, workers: int) -> None:
    with audited(tmp_path, workers) as daemon:
        for _ in range(KEPT):
            assert call("backup", f"--socket={daemon.socket}", places(tmp_path)[0], str(tmp_path / "copy")) == 0
            shutil.rmtree(tmp_path / "copy")
        latest = newest(daemon)
        (path,) = log_files(tmp_path / "state" / "audit")
        assert latest == path.read_bytes().splitlines(keepends=True)[-KEPT:]
        assert read_event(latest[-1])["number"] == KEPT + 1
    with audited(tmp_path, workers) as daemon:
        assert [read_event(line)["event"] for line in newest(daemon)] == ["signed", "start"]


def newest(daemon: RunningDaemon) -> list[bytes]:
    with operator_session(daemon.socket, "does not say") as session:
        return session.read(OperatorCommand.BEGIN_AUDIT_LATEST).splitlines(keepends=True)


def test_without_the_setting_there_is_no_log(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with audited(tmp_path, settings="") as daemon:
        with pytest.raises(CliError, match="does not tell of its log"):
            call("audit", "verify", f"--socket={tmp_path}/none", places(tmp_path)[0])
        with pytest.raises(CliError, match="has no audit log"):
            call("audit", "verify", f"--socket={daemon.socket}", places(tmp_path)[0])
        assert newest(daemon) == []
    assert not (tmp_path / "state" / "audit").exists()
    with pytest.raises(CliError, match="There is no audit log of what is stored"):
        call("audit", "key", *places(tmp_path))
    with pytest.raises(CliError, match="There is no audit log in"):
        call("audit", "show", *places(tmp_path)[:2])
    assert capsys.readouterr().out == ""


def test_whoever_has_the_key_alone_verifies_what_is_signed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with audited(tmp_path):
        pass
    key, (path,) = tmp_path / "audit.pem", log_files(tmp_path / "state" / "audit")
    assert call("audit", "key", f"--out={key}", *places(tmp_path)) == 0
    assert call("audit", "verify", f"--key={key}", str(path)) == 0
    assert capsys.readouterr().out.splitlines() == ["Lines 1 to 3, 3 in all.", "They are signed up to line 3."]
    (tmp_path / "key").rename(tmp_path / "gone")
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:2]))
    assert call("audit", "verify", f"--key={key}", str(path)) == 0
    assert "None of them is signed: nothing is proven." in capsys.readouterr().out
    path.write_bytes(path.read_bytes().replace(b"start", b"stare"))
    assert call("audit", "verify", f"--key={key}", str(path)) == 1
    path.write_bytes(b"")
    capsys.readouterr()
    assert call("audit", "verify", f"--key={key}", str(path)) == 0
    assert capsys.readouterr().out == "There are no lines.\n"
    key.write_text("no key")
    with pytest.raises(CliError, match="is no key of an audit log"):
        call("audit", "verify", f"--key={key}", str(path))


def test_what_an_operator_does_is_noted(tmp_path: Path, stack: ExitStack, capsys: pytest.CaptureFixture[str]) -> None:
    pin = tmp_path / "pin"
    with audited(tmp_path) as daemon:
        client = Client(daemon.socket, stack)
        assert client.init_token() is CKR.OK
        assert call("backup", f"--socket={daemon.socket}", places(tmp_path)[0], str(tmp_path / "copy")) == 0
        assert events(tmp_path)[-1]["event"] == "backup"
        stack.close()
    pin.write_bytes(SO_PIN)
    assert call("token", "unlock", "test", "--so", f"--pin-file={pin}", *places(tmp_path)) == 0
    pin.write_text("wrong!")
    with pytest.raises(CliError, match="This is not the PIN"):
        call("token", "unlock", "test", "--so", f"--pin-file={pin}", *places(tmp_path))
    unlocked, _, refused, _ = events(tmp_path)[-4:]
    assert (unlocked["event"], unlocked["user"], unlocked["uid"]) == ("unlock", "SO", os.getuid())
    assert (refused["event"], refused["failed"]) == ("unlock", True)
    assert verified(tmp_path, capsys)["findings"] == []


def test_old_files_may_be_moved_away_and_complete_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(2):
        with audited(tmp_path):
            pass
    (path,) = log_files(tmp_path / "state" / "audit")
    text = path.read_bytes().splitlines(keepends=True)
    later = path.with_name("audit-000000000004.jsonl")
    path.write_bytes(b"".join(text[:3]))
    later.write_bytes(b"".join(text[3:]))
    assert verified(tmp_path, capsys)["findings"] == []
    path.unlink()
    assert call("audit", "verify", *places(tmp_path)) == 0
    assert "Lines 1 to 3 are not here" in capsys.readouterr().out
    assert call("audit", "verify", "--complete", *places(tmp_path)) == 1
    assert "before the first line: lines 1 to 3 are missing" in capsys.readouterr().out


def test_events_are_shown_as_a_table_and_as_lines_with_filters(
    tmp_path: Path, stack: ExitStack, capsys: pytest.CaptureFixture[str]
) -> None:
    with audited(tmp_path) as daemon:
        client = Client(daemon.socket, stack)
        assert client.init_token() is CKR.OK
        session = client.open()
        assert client.login(session, CKU.SO, b"wrong!") is CKR.PIN_INCORRECT
        assert client.login(session, CKU.SO, SO_PIN) is CKR.OK
        assert client.make(session)[0] is CKR.OK
        stack.close()

    def shown(*options: str) -> list[str]:
        capsys.readouterr()
        assert call("audit", "show", *options, *places(tmp_path)[:2]) == 0
        return capsys.readouterr().out.splitlines()

    table = shown()
    assert table[0].split() == ["number", "time", "(UTC)", "event", "result", "uid", "pid", "slot", "what"]
    assert len(table) == 9
    assert "label test" in table[2]
    assert "user SO" in table[3]
    assert "made data 0x1" in table[5]
    assert [line.split()[0] for line in shown("--lines=2")[1:]] == ["7", "8"]
    assert shown("--lines=0")[1:] == []
    as_lines = [json.loads(line) for line in shown("--json", "--event=login")]
    assert [event["result"] for event in as_lines] == ["CKR_PIN_INCORRECT", "CKR_OK"]
    assert [json.loads(line)["event"] for line in shown("--json", "--failed")] == ["login"]
    assert len(shown(f"--uid={os.getuid()}", "--slot=0", "--since=2020-01-01")) == 6
    assert len(shown("--since=9999")) == 1
    assert len(shown("--id=a1")) == 1
    (path,) = log_files(tmp_path / "state" / "audit")
    path.write_bytes(path.read_bytes() + b"\x1b[31mforged\n")
    assert shown()[-1].strip() == "a line that the secure world did not write so"


def test_new_events_are_followed_into_the_next_file(tmp_path: Path) -> None:
    with audited(tmp_path):
        pass
    arguments = ["audit", "show", "--follow", "--json", *places(tmp_path)[:2]]
    follower = subprocess.Popen([sys.executable, "-P", "-m", "softee", *arguments], stdout=subprocess.PIPE)
    try:
        assert follower.stdout is not None
        assert [json.loads(follower.stdout.readline())["event"] for _ in range(3)] == ["start", "stop", "signed"]
        (path,) = log_files(tmp_path / "state" / "audit")
        later = path.with_name("audit-000000000004.jsonl")
        with later.open("wb", 0) as file:
            file.write(b'{"number":4,')
            file.write(b'"event":"begun"}\n')
        assert json.loads(follower.stdout.readline()) == {"number": 4, "event": "begun"}
        follower.stdout.close()
        with later.open("ab", 0) as file:
            file.write(b'{"number":5,"event":"more"}\n')
        follower.wait(20)  # who follows for nobody ends
    finally:
        follower.kill()
        follower.wait()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes another user")
@pytest.mark.parametrize("elsewhere", [False, True])
def test_where_root_becomes_another_user_the_log_is_that_user_s(*, elsewhere: bool) -> None:
    nobody = Account("nobody", 65534, 65534, (65534,))
    with short_directory() as directory:
        directory.chmod(0o755)
        state, folder = directory / "state", directory / "logs" / "audit"
        state.mkdir(mode=0o700)
        os.chown(state, nobody.uid, nobody.gid)
        (directory / "logs").mkdir(mode=0o755)
        audit = {"log": "required"} | ({"folder": folder} if elsewhere else {})
        settings = load_settings(None, {"state": state, "audit": audit}, default_settings())
        with audited_store(settings, MemoryStore(), bytearray(range(32)), nobody):
            pass
        made = folder if elsewhere else state / "audit"
        for path in (made, made / "audit-000000000001.jsonl"):
            assert (path.stat().st_uid, path.stat().st_mode & 0o077) == (nobody.uid, 0)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes another user")
def test_attack_a_link_in_the_other_user_s_state_gives_him_no_folder_of_roots() -> None:
    nobody = Account("nobody", 65534, 65534, (65534,))
    with short_directory() as directory:
        directory.chmod(0o755)
        state, roots = directory / "state", directory / "roots"
        state.mkdir(mode=0o700)
        os.chown(state, nobody.uid, nobody.gid)
        roots.mkdir(mode=0o700)
        (state / "audit").symlink_to(roots)
        settings = load_settings(None, {"state": state, "audit": {"log": "required"}}, default_settings())
        with (
            pytest.raises(StartError, match="The audit log's folder"),
            audited_store(settings, MemoryStore(), bytearray(range(32)), nobody),
        ):
            pass
        assert (roots.stat().st_uid, list(roots.iterdir())) == (0, [])
