# SPDX-License-Identifier: Apache-2.0
"""What a system gets of softee besides programs: units, users and folders, judged by systemd's own tools."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from softee.client import TeeClient
from softee.daemon.settings import load_settings
from softee.wire.places import SYSTEM_SOCKET
from support.channel_attack import eventually, listens
from support.secure_world import short_directory
from support.units import SYSTEM, allowed_calls, install_units, values

with_systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="makes users, or becomes one")

LEAST_EXPOSED = 10
"""What `systemd-analyze security` may find at most, in its tenths."""


def run(*command: object) -> str:
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@with_systemd
@pytest.mark.parametrize("place", ["system", "user"])
@pytest.mark.parametrize("unit", ["softee.socket", "softee.service"])
def test_units_say_what_systemd_understands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str, unit: str
) -> None:
    scope = ["--user"] if place == "user" else []
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    said = run("systemd-analyze", *scope, "verify", "--man=no", install_units(tmp_path) / place / unit)
    assert "softee" not in said


@with_systemd
def test_the_systems_service_is_hardly_exposed(tmp_path: Path) -> None:
    unit = install_units(tmp_path) / "system/softee.service"
    run("systemd-analyze", "security", "--offline=true", f"--threshold={LEAST_EXPOSED}", unit)


def test_the_service_serves_the_socket_where_clients_look() -> None:
    (listens,) = re.findall(r"^ListenStream=(.*)$", (SYSTEM / "systemd/softee.socket").read_text(), re.MULTILINE)
    assert listens == SYSTEM_SOCKET


def test_the_installed_settings_fit_the_unit(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are the system's for whoever reads them: the service's user, and root."""
    monkeypatch.setattr("softee.daemon.settings.os.geteuid", lambda: 971)
    settings = load_settings(SYSTEM / "etc/softee.toml")
    assert str(settings.socket) == SYSTEM_SOCKET
    assert values("StateDirectory") == [settings.state.name]
    assert str(settings.state.parent) == "/var/lib"
    example = Path(__file__).parents[2] / "docs/softee.toml.example"
    assert f'#folder = "/var/log/{values("LogsDirectory")[0]}"' in example.read_text()
    assert settings.root_key.file is not None
    place = settings.root_key.file.parent
    assert values("ReadWritePaths") == [str(place)]
    tmpfiles = (SYSTEM / "tmpfiles.d/softee.conf").read_text()
    assert f"d {place} 0700 softee softee -" in tmpfiles


@with_systemd
@as_root
def test_a_system_gets_the_user_and_its_folders(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    run("systemd-sysusers", f"--root={tmp_path}", SYSTEM / "sysusers.d/softee.conf")
    (user,) = [line for line in (tmp_path / "etc/passwd").read_text().splitlines() if line.startswith("softee:")]
    _, _, uid, gid, _, home, shell = user.split(":")
    assert (home, shell) == ("/nonexistent", "/usr/sbin/nologin")
    run("systemd-tmpfiles", "--create", f"--root={tmp_path}", SYSTEM / "tmpfiles.d/softee.conf")
    status = (tmp_path / "etc/softee/private").stat()
    assert (status.st_uid, status.st_gid, status.st_mode & 0o777) == (int(uid), int(gid), 0o700)


@with_systemd
def test_the_unit_leaves_no_call_that_gains_anything() -> None:
    left = allowed_calls()
    assert {"read", "mlockall", "landlock_restrict_self"} <= left
    assert not left & {"setuid", "chown", "mount", "ptrace", "bpf", "kexec_load", "init_module", "setrlimit"}


def status_as(uid: int, socket: Path) -> int:
    """Be a client of another user's, who waits for the service to start, and return 0 where it is served."""
    client = os.fork()
    if client == 0:
        status = 1
        try:
            os.setgroups([])
            os.setresgid(uid, uid, uid)
            os.setresuid(uid, uid, uid)
            TeeClient(socket, silence=60).close()
            status = 0
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(client, 0)[1])


@with_systemd
@as_root
@pytest.mark.parametrize("workers", [1, 2])
def test_it_serves_others_confined_as_the_unit_says(tmp_path: Path, workers: int) -> None:
    """Started by its socket, without any of root's capabilities, and with the calls that the unit leaves."""
    with short_directory() as place:
        place.chmod(0o755)
        config, socket, log = place / "softee.toml", place / "tee.sock", tmp_path / "log"
        paths = {"socket": socket, "state": tmp_path / "state", "root_key": tmp_path / "root.key"}
        lines = (f"{name} = {json.dumps(str(path))}\n" for name, path in paths.items())
        config.write_text("".join(lines) + f"workers = {workers}\n")
        modules = ":".join(str(path) for path in (SYSTEM.parents[1], Path(__file__).parents[1]))
        command = (
            *("systemd-socket-activate", f"--listen={socket}", f"--setenv=PYTHONPATH={modules}"),
            *("setpriv", "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs"),
            *(sys.executable, "-P", "-m", "support.units", ",".join(sorted(allowed_calls()))),
            *(sys.executable, "-P", "-m", "softee", "serve", f"--config={config}"),
        )
        with log.open("wb") as file:
            manager = subprocess.Popen(command, stderr=file, stdout=file)
        try:
            assert eventually(lambda: listens(socket)), log.read_text()
            socket.chmod(0o666)  # as a client's group would let it in
            assert status_as(33, socket) == 0, log.read_text()
            assert eventually(lambda: "ready at" in log.read_text())
        finally:
            manager.terminate()
            manager.wait(20)
    said = log.read_text()
    assert "little else be read: not" not in said, "it closes its own doors, too"
    assert "no programs, network, tracing, mounts: not" not in said
    assert said.rstrip().endswith("stopped")
