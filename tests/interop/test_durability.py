# SPDX-License-Identifier: Apache-2.0
"""What happens to the keys, and to the application, when something happens to the secure world."""

import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

from interop.tools import Programs
from softee.daemon.root_key.reading import ROOT_KEY_SIZE
from support.secure_world import RunningDaemon, running_daemon


def test_keys_are_there_after_kill_9(module: Path, tmp_path: Path) -> None:
    with running_daemon(tmp_path) as first:
        programs = Programs(module, first.socket, tmp_path)
        programs.init_token()
        programs.generate("EC:prime256v1", "survivor")
        point = ec_point(programs)
        first.kill()
    with running_daemon(tmp_path) as second:
        programs = Programs(module, second.socket, tmp_path)
        assert ec_point(programs) == point
        assert "survivor" in programs.p11_in("--list-objects", "--type", "privkey")


def ec_point(programs: Programs) -> str:
    answer = programs.p11("--list-objects", "--type", "pubkey")
    return next(line for line in answer.splitlines() if "EC_POINT:" in line)


def test_a_state_opens_elsewhere_with_its_root_key(module: Path, tmp_path: Path) -> None:
    with running_daemon(tmp_path) as here:
        programs = Programs(module, here.socket, tmp_path)
        programs.init_token()
        programs.generate("EC:prime256v1", "traveller")
        point = ec_point(programs)
    elsewhere = tmp_path / "else" / "where"
    shutil.copytree(here.state, elsewhere / "state")
    shutil.copy2(here.root_key, elsewhere / "root.key")
    with running_daemon(tmp_path, state=elsewhere / "state", root_key=elsewhere / "root.key") as there:
        assert ec_point(Programs(module, there.socket, tmp_path)) == point


def serve(state: Path, root_key: Path, socket: Path) -> subprocess.CompletedProcess[str]:
    """Run a daemon that is expected not to start."""
    places = ["--state", str(state), "--root-key", str(root_key), "--socket", str(socket)]
    command = [sys.executable, "-P", "-m", "softee", "serve", *places]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)


def made_state(tmp_path: Path) -> RunningDaemon:
    with running_daemon(tmp_path) as made:
        return made


def test_without_the_root_key_nothing_opens(tmp_path: Path) -> None:
    made = made_state(tmp_path)
    made.root_key.unlink()
    refused = serve(made.state, made.root_key, made.socket)
    assert refused.returncode != 0
    assert f"{made.root_key} is missing" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert not made.root_key.exists()


def test_with_another_root_key_nothing_opens(tmp_path: Path) -> None:
    made = made_state(tmp_path)
    made.root_key.write_bytes(os.urandom(ROOT_KEY_SIZE))
    refused = serve(made.state, made.root_key, made.socket)
    assert refused.returncode != 0
    assert f"The root key {made.root_key} does not fit" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_root_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    made = made_state(tmp_path)
    made.root_key.chmod(0o644)
    refused = serve(made.state, made.root_key, made.socket)
    assert refused.returncode != 0
    assert "chmod 600" in refused.stderr


def test_a_stopped_daemon_is_a_device_error_after_ten_seconds(
    module: Path, daemon: RunningDaemon, tmp_path: Path
) -> None:
    programs = Programs(module, daemon.socket, tmp_path)
    programs.init_token()
    os.kill(daemon.process.pid, signal.SIGSTOP)
    started = time.monotonic()
    answer = programs.p11("--list-slots", fails=True)
    took = time.monotonic() - started
    assert "CKR_DEVICE_ERROR" in answer
    assert took >= 9
    os.kill(daemon.process.pid, signal.SIGCONT)
    programs.p11("--list-slots")


def test_a_daemon_that_is_gone_is_a_device_error_and_a_clear_line_for_who_asks(
    programs: Programs, daemon: RunningDaemon
) -> None:
    daemon.kill()
    assert "softee" not in programs.p11("--list-slots", fails=True)
    answer = replace(programs, variables={"SOFTEE_VERBOSE": "1"}).p11("--list-slots", fails=True)
    assert answer.count("softee serve") == 1
    assert "CKR_DEVICE_ERROR" in answer
