# SPDX-License-Identifier: Apache-2.0
"""softee setup: what it makes, what it leaves alone, and what is left when it is undone. Never are keys removed."""

import os
import pwd
import sys
from collections.abc import Sequence
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from softee.cli.failure import CliError
from softee.cli.setup import files, work
from softee.cli.setup.machine import Machine
from softee.cli.setup.work import program, set_up, take_away
from support.command_line import call

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="gives folders to a user, which root alone can")
USER = "softee:x:971:971::/nonexistent:/usr/sbin/nologin\n"
PROGRAM = Path("/opt/softee/bin/softee")


class Image(Machine):
    """A system below a directory, whose programs write down how they are called."""

    calls: list[str]

    def _run(self, command: Sequence[str]) -> None:
        calls = self.at("/calls")
        calls.write_text((calls.read_text() if calls.exists() else "") + " ".join(command) + "\n")
        if command[0] in ("useradd", "adduser"):
            self.at("/etc/passwd").write_text(USER)

    def called(self) -> str:
        return self.at("/calls").read_text()

    def has(self, path: str) -> bool:
        return self.at(path).exists()


@pytest.fixture
def image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Image:
    wheel = tmp_path / "wheel"
    wheel.mkdir()
    for name in ("libckteec.so.0", "libteec.so.2"):
        (wheel / name).write_text(name)
    monkeypatch.setattr(work, "module_path", lambda: wheel / "libckteec.so.0")
    root = tmp_path / "root"
    for place in ("etc", "usr/sbin"):
        (root / place).mkdir(parents=True)
    (root / "etc/passwd").write_text("root:x:0:0::/root:/bin/sh\n")
    give_program(root, "groupadd")
    give_program(root, "userdel")
    return Image(root)


def give_program(root: Path, name: str) -> None:
    (root / "usr/sbin" / name).touch(0o755)


def everything(image: Image) -> set[str]:
    return {str(path.relative_to(image.root)) for path in image.root.rglob("*") if not path.is_dir()} - {"calls"}


@as_root
def test_all_is_made_and_said_and_made_once(image: Image) -> None:
    said = list(set_up(image, PROGRAM))
    assert "made the user and the group softee" in said
    assert "wrote /etc/systemd/system/softee.service" in said
    assert "ExecStart=/opt/softee/bin/softee serve" in image.at("/etc/systemd/system/softee.service").read_text()
    assert "module: /usr/local/lib/softee/libckteec.so.0" in image.at("/etc/pkcs11/modules/softee.module").read_text()
    for place in ("/etc/softee/private", "/var/lib/softee"):
        status = image.at(place).stat()
        assert (status.st_uid, status.st_gid, status.st_mode & 0o777) == (971, 971, 0o700)
    assert image.at("/etc/softee/softee.toml").stat().st_mode & 0o777 == 0o644
    again = list(set_up(image, PROGRAM))
    assert not [line for line in again if line.startswith(("made", "wrote", "renewed"))]
    assert image.called().count("useradd --system") == 1


@as_root
def test_undone_nothing_is_left(image: Image) -> None:
    before = everything(image)
    list(set_up(image, PROGRAM))
    said = list(take_away(image, PROGRAM))
    assert said[-1] == "removed the user softee"
    assert everything(image) == before
    assert not image.has("/var/lib/softee")
    assert not image.has("/etc/softee")
    image.at("/etc/passwd").write_text("")
    assert list(take_away(image, PROGRAM)) == [], "there is nothing to undo"


@as_root
@pytest.mark.parametrize("place", ["/var/lib/softee/softee.db", "/etc/softee/private/root.key"])
def test_keys_stay_and_so_does_the_user_whose_they_are(image: Image, place: str) -> None:
    list(set_up(image, PROGRAM))
    image.at(place).write_text("precious")
    said = list(take_away(image, PROGRAM))
    assert said[-1] == f"left {Path(place).parent}, with keys in them, and the user softee, whose they are"
    assert image.at(place).read_text() == "precious"
    assert "userdel" not in image.called()


@as_root
def test_what_people_have_changed_stays(image: Image) -> None:
    list(set_up(image, PROGRAM))
    for changed in (files.SETTINGS, "/etc/systemd/system/softee.service"):
        image.at(changed).write_text("# mine\n")
    assert f"{files.SETTINGS} is there, and stays as it is" in list(set_up(image, PROGRAM))
    image.at("/etc/systemd/system/softee.service").write_text("# mine\n")
    said = list(take_away(image, PROGRAM))
    for changed in (files.SETTINGS, "/etc/systemd/system/softee.service"):
        assert f"left {changed}, which was changed" in said
        assert image.at(changed).read_text() == "# mine\n"


@as_root
def test_an_older_softees_unit_is_renewed(image: Image) -> None:
    list(set_up(image, Path("/opt/old/bin/softee")))
    assert "renewed /etc/systemd/system/softee.service" in list(set_up(image, PROGRAM))
    assert "/opt/old" not in image.at("/etc/systemd/system/softee.service").read_text()


@as_root
def test_keys_of_roots_own_secure_world_are_taken_over(image: Image) -> None:
    for place in ("/etc/softee/root.key", "/var/lib/softee/softee.db"):
        image.at(place).parent.mkdir(parents=True)
        image.at(place).write_text("precious")
    assert "moved /etc/softee/root.key to /etc/softee/private/root.key" in list(set_up(image, PROGRAM))
    for place in ("/etc/softee/private/root.key", "/var/lib/softee/softee.db"):
        assert image.at(place).read_text() == "precious"
        assert image.at(place).stat().st_uid == 971


@as_root
def test_a_root_key_that_settings_name_stays_where_it_is(image: Image) -> None:
    image.at("/etc/softee").mkdir()
    image.at("/etc/softee/root.key").write_text("precious")
    image.at(files.SETTINGS).write_text('root_key = "/etc/softee/root.key"\n')
    list(set_up(image, PROGRAM))
    assert image.at("/etc/softee/root.key").read_text() == "precious"


@as_root
def test_busybox_makes_and_removes_the_user_where_there_is_no_useradd(image: Image) -> None:
    for name in ("groupadd", "userdel"):
        image.at(f"/usr/sbin/{name}").unlink()
    with pytest.raises(CliError, match="no groupadd and no addgroup"):
        list(set_up(image, PROGRAM))
    give_program(image.root, "addgroup")
    list(set_up(image, PROGRAM))
    assert image.called().startswith("addgroup -S softee\nadduser -S -D -H -h /nonexistent -s /sbin/nologin -G softee")
    with pytest.raises(CliError, match="no userdel and no deluser"):
        list(take_away(image, PROGRAM))
    give_program(image.root, "deluser")
    assert list(take_away(image, PROGRAM)) == ["removed the user softee"]


def test_a_user_that_does_not_come_is_told(image: Image, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "_run", lambda *_: None)
    with pytest.raises(CliError, match="was made, and is not there"):
        list(set_up(image, PROGRAM))


@as_root
def test_a_third_users_state_is_not_taken_over(image: Image) -> None:
    image.at("/var/lib/softee").mkdir(parents=True)
    os.chown(image.at("/var/lib/softee"), 4711, 4711)
    with pytest.raises(CliError, match="belongs to uid 4711"):
        list(set_up(image, PROGRAM))


@as_root
def test_what_is_in_the_way_is_told(image: Image) -> None:
    image.at("/etc/softee").write_text("a file")
    with pytest.raises(CliError, match=r"/etc/softee cannot be made: File exists"):
        list(set_up(image, PROGRAM))
    image.at("/etc/softee").unlink()
    image.at("/etc/systemd").write_text("a file")
    with pytest.raises(CliError, match=r"softee.socket cannot be read: Not a directory"):
        list(set_up(image, PROGRAM))


def test_what_cannot_be_written_or_removed_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CliError, match="cannot be written: "):
        files._replace(tmp_path / "file/name", "text")
    with pytest.raises(CliError, match="cannot be removed: "):
        files._remove(tmp_path)
    with pytest.raises(CliError, match="/etc/passwd cannot be read"):
        Machine(tmp_path).account()


@as_root
def test_a_root_key_that_cannot_be_moved_is_told(image: Image, monkeypatch: pytest.MonkeyPatch) -> None:
    image.at("/etc/softee").mkdir()
    image.at("/etc/softee/root.key").write_text("precious")

    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr("softee.cli.setup.work.Path.rename", refuse)
    with pytest.raises(CliError, match=r"root.key cannot be moved to .*: Operation not permitted"):
        list(set_up(image, PROGRAM))


@pytest.mark.parametrize("place", ["/root/.local/share/pipx/venvs/softee/bin", "/home/me/venv/bin", "/run/user/1/bin"])
def test_a_softee_that_the_service_could_not_see_is_refused(monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    monkeypatch.setattr(sys, "executable", f"{place}/python3")
    monkeypatch.setattr("softee.cli.setup.work.Path.exists", lambda _: True)
    with pytest.raises(CliError, match="where a service sees nothing; install it in /opt/softee"):
        program()


def test_the_softee_of_this_python_is_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nonexistent/bin/python3")
    with pytest.raises(CliError, match="no /nonexistent/bin/softee"):
        program()
    monkeypatch.setattr("softee.cli.setup.work.Path.exists", lambda _: True)
    assert program() == Path("/nonexistent/bin/softee")


def test_on_this_machine_users_are_the_systems_and_a_failing_program_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = pwd.struct_passwd(("softee", "x", 971, 972, "", "/", "/"))
    monkeypatch.setattr("softee.cli.setup.machine.pwd.getpwnam", {"softee": entry}.__getitem__)
    found = Machine().account()
    assert found is not None
    assert (found.uid, found.gid) == (971, 972)
    monkeypatch.setattr("softee.cli.setup.machine.pwd.getpwnam", {}.__getitem__)
    assert Machine().account() is None
    with pytest.raises(CliError, match=r"`sh -c exit 3` failed: status 3\."):
        Machine()._run(("sh", "-c", "exit 3"))
    Machine()._run(("true",))


def test_systemd_is_told_where_it_runs(monkeypatch: pytest.MonkeyPatch, image: Image) -> None:
    told: list[Sequence[str]] = []
    monkeypatch.setattr(Machine, "_run", lambda _, command: told.append(command))
    monkeypatch.setattr("softee.cli.setup.machine.Path.is_dir", lambda _: False)
    assert not Machine().systemctl("daemon-reload")
    monkeypatch.setattr("softee.cli.setup.machine.Path.is_dir", lambda _: True)
    assert Machine().systemctl("daemon-reload")
    assert not image.systemctl("daemon-reload")
    assert told == [("systemctl", "daemon-reload")]


@as_root
def test_the_service_is_started_and_stopped(image: Image, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []

    def systemctl(_: Machine, *arguments: str) -> bool:
        told.append(" ".join(arguments))
        return True

    monkeypatch.setattr(Machine, "systemctl", systemctl)
    assert "started softee.socket, which starts the service when a program connects" in list(set_up(image, PROGRAM))
    assert "stopped softee.socket and softee.service" in list(take_away(image, PROGRAM))
    assert told == [
        "daemon-reload",
        "enable --now softee.socket",
        "disable --now softee.socket softee.service",
        "daemon-reload",
    ]


def test_the_command_takes_root_and_says_each_thing(
    image: Image, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("softee.cli.setup.command.os.geteuid", lambda: 1000)
    with pytest.raises(CliError, match="Only root can set the system's secure world up"):
        call("setup")
    monkeypatch.setattr("softee.cli.setup.command.os.geteuid", lambda: 0)
    monkeypatch.setattr(work, "program", lambda: PROGRAM)
    monkeypatch.setattr(work, "set_up", lambda of, _: [f"set {of.root} up"])
    monkeypatch.setattr(work, "take_away", lambda of, _: [f"took {of.root} away"])
    call("setup", "--root", image.root)
    call("setup", "--remove")
    assert capsys.readouterr().out == f"set {image.root} up\ntook / away\n"


def test_chroot_is_how_another_systems_programs_run(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[list[str]] = []

    def run(command: list[str], **_: object) -> CompletedProcess[str]:
        ran.append(command)
        return CompletedProcess(command, 0)

    monkeypatch.setattr("softee.cli.setup.machine.subprocess.run", run)
    Machine(Path("/image"))._run(("useradd", "softee"))
    assert ran == [["chroot", "/image", "useradd", "softee"]]
