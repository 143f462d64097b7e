# SPDX-License-Identifier: Apache-2.0
"""The softee command as a user calls it: run, status, doctor, module."""

import ctypes
import json
import os
import re
import select
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from interop.tools import Programs
from softee.names import MechanismFlag
from softee.pkcs11_ta.token.policy import Policy
from softee.pkcs11_ta.token.profiles import OPTEE, PORTABLE, STRICT
from support.channel_attack import eventually
from support.secure_world import RunningDaemon

SOFTEE = (sys.executable, "-P", "-m", "softee")
USE_THE_TOKEN = "pkcs11-tool --module $SOFTEE_MODULE --token-label softee --login --pin $SOFTEE_PIN"


def softee(*arguments: str, home: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the softee command as a user with this home directory and nothing else."""
    return subprocess.run(
        [*SOFTEE, *arguments],
        capture_output=True,
        text=True,
        env=environment(home) | variables,
        timeout=60,
        check=False,
    )


def environment(home: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name.startswith(("PATH", "PYTHON", "COVERAGE_"))}
    places = {"HOME": home, "XDG_CONFIG_HOME": home / "config", "XDG_STATE_HOME": home / "state"}
    return kept | {name: str(place) for name, place in places.items()}


def test_module_prints_the_path_of_the_shared_object(module: Path, tmp_path: Path) -> None:
    answer = softee("module", home=tmp_path)
    assert answer.stdout == f"{module}\n"
    assert answer.returncode == 0


@pytest.mark.parametrize("status", [0, 3])
def test_run_ends_with_the_commands_status(tmp_path: Path, status: int) -> None:
    answer = softee("run", "--ephemeral", "--", "sh", "-c", f"exit {status}", home=tmp_path)
    assert (answer.returncode, answer.stderr) == (status, "")


def test_run_says_what_it_cannot_run(tmp_path: Path) -> None:
    answer = softee("run", "--ephemeral", "--", "softee-has-no-such", home=tmp_path)
    assert answer.returncode == 127
    assert answer.stderr == "softee: There is no program 'softee-has-no-such' on the PATH.\n"


def test_an_ephemeral_token_is_ready_for_use(tmp_path: Path) -> None:
    script = f"{USE_THE_TOKEN} --keypairgen --key-type EC:prime256v1 --label ci && {USE_THE_TOKEN} --list-objects"
    answer = softee("run", "--ephemeral", "--", "sh", "-c", script, home=tmp_path)
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.count("label:      ci") == 4


def test_an_ephemeral_token_has_the_keys_that_were_asked_for(tmp_path: Path) -> None:
    script = f"echo $SOFTEE_TOKEN $SOFTEE_KEYS; {USE_THE_TOKEN} --list-objects --type privkey"
    kinds = "rsa:2048,ec:prime256v1,ed25519,ed25519"
    answer = softee("run", "--ephemeral", "--keys", kinds, "--", "sh", "-c", script, home=tmp_path)
    assert answer.returncode == 0, answer.stderr
    labels = ["rsa-2048", "ec-prime256v1", "ed25519", "ed25519-2"]
    assert answer.stdout.splitlines()[0] == f"softee {','.join(labels)}"
    assert re.findall(r"label: +(\S+)", answer.stdout) == labels
    assert re.findall(r"  ID: +(\S+)", answer.stdout) == ["01", "02", "03", "04"]


@pytest.mark.parametrize(("program", "status"), [("softee-has-no-such", 127), ("/etc/passwd", 126)])
def test_what_cannot_be_run_leaves_nothing_behind(tmp_path: Path, program: str, status: int) -> None:
    answer = softee("run", "--", program, home=tmp_path, SOFTEE_SOCKET=str(tmp_path / "none.sock"))
    assert answer.returncode == status
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("temporary", ["/nonexistent", "/proc"])
def test_an_ephemeral_token_needs_no_home_and_no_place_for_temporary_files(temporary: str) -> None:
    nowhere = Path("/nonexistent")
    answer = softee("run", "--ephemeral", "--", "sh", "-c", "test -S $SOFTEE_SOCKET", home=nowhere, TMPDIR=temporary)
    assert (answer.returncode, answer.stderr) == (0, "")


def test_the_doctor_judges_the_secure_world_that_runs_the_command(tmp_path: Path) -> None:
    state, key = tmp_path / "token", tmp_path / "key" / "root.key"
    places = ("--state", str(state), "--root-key", str(key))
    answer = softee("run", *places, "--", *SOFTEE, "doctor", "--json", home=tmp_path)
    found = {finding["check"]: finding["what"] for finding in json.loads(answer.stdout)}
    assert found["state"].startswith(f"{state}, mode")
    assert found["root key"].startswith(f"{key}, mode")


def test_an_ephemeral_token_leaves_nothing_behind(tmp_path: Path) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    script = f"echo $SOFTEE_SOCKET; ls {temporary}"
    answer = softee("run", "--ephemeral", "--", "sh", "-c", script, home=tmp_path, TMPDIR=str(temporary))
    served, *during = answer.stdout.split()
    assert during
    assert not Path(served).parent.exists()
    assert not list(temporary.iterdir())


def test_a_state_is_kept_and_its_root_key_stands_elsewhere(tmp_path: Path) -> None:
    state, key = tmp_path / "token", tmp_path / "elsewhere" / "root.key"
    places = ("--state", str(state), "--root-key", str(key))
    tool = "pkcs11-tool --module $SOFTEE_MODULE"
    made = softee("run", *places, "--", "sh", "-c", f"{tool} --init-token --label kept --so-pin 1234", home=tmp_path)
    assert made.returncode == 0, made.stderr + made.stdout
    again = softee("run", *places, "--", "sh", "-c", f"{tool} --list-slots", home=tmp_path)
    assert "token label        : kept" in again.stdout
    assert key.stat().st_mode & 0o777 == 0o600
    assert state.stat().st_mode & 0o777 == 0o700


def test_a_state_in_use_is_refused_in_one_sentence(tmp_path: Path, daemon: RunningDaemon) -> None:
    places = ("--state", str(daemon.state), "--root-key", str(daemon.root_key))
    answer = softee("run", *places, "--", "true", home=tmp_path)
    assert answer.returncode == 1
    assert answer.stderr == f"softee: Another secure world uses the state {daemon.state}.\n"


def test_a_deep_state_directory_works(tmp_path: Path) -> None:
    """A socket's path ends at 107 bytes; a state's does not."""
    deep = tmp_path.joinpath(*["d" * 40] * 4)
    places = ("--state", str(deep), "--root-key", str(tmp_path / "root.key"))
    answer = softee("run", *places, "--", "sh", "-c", "test -S $SOFTEE_SOCKET", home=tmp_path)
    assert answer.returncode == 0, answer.stderr


def test_run_uses_a_secure_world_that_answers(tmp_path: Path, daemon: RunningDaemon) -> None:
    answer = softee("run", "--", "sh", "-c", "echo $SOFTEE_SOCKET", home=tmp_path, SOFTEE_SOCKET=str(daemon.socket))
    assert answer.stdout == f"{daemon.socket}\n"
    assert daemon.process.poll() is None


@pytest.mark.parametrize(
    ("options", "policy"), [((), PORTABLE), (("--profile", "optee"), OPTEE), (("--profile", "strict"), STRICT)]
)
def test_a_secure_world_is_started_with_the_profile(tmp_path: Path, options: tuple[str, ...], policy: Policy) -> None:
    script = "pkcs11-tool --module $SOFTEE_MODULE --list-mechanisms"
    answer = softee("run", "--ephemeral", *options, "--", "sh", "-c", script, home=tmp_path)
    wrapping = [spec for spec in policy.mechanisms.values() if spec.flags & MechanismFlag.WRAP]
    assert answer.stdout.count(", wrap, unwrap") == len(wrapping), answer.stderr


def test_a_profile_that_there_is_not_is_refused_in_one_sentence(tmp_path: Path) -> None:
    answer = softee("run", "--ephemeral", "--profile", "loose", "--", "true", home=tmp_path)
    assert answer.returncode == 2
    assert "'loose' is not one of 'portable', 'optee', 'strict'" in answer.stderr
    assert answer.stderr.count("\n") == 1


def test_a_secure_world_that_answers_takes_no_profile(tmp_path: Path, daemon: RunningDaemon) -> None:
    answer = softee("run", "--profile", "optee", "--", "true", home=tmp_path, SOFTEE_SOCKET=str(daemon.socket))
    assert answer.returncode == 2
    assert answer.stderr.startswith(
        f"softee: The secure world that answers on {daemon.socket} has profiles of its own;"
    )


def test_settings_that_name_what_there_is_not_keep_the_daemon_from_starting(tmp_path: Path) -> None:
    settings = tmp_path / "softee.toml"
    settings.write_text('[pkcs11.slot.1]\ncurves = ["P-255"]\n')
    answer = softee("serve", "--config", str(settings), "--state", str(tmp_path / "state"), home=tmp_path)
    assert answer.returncode == 1
    assert answer.stderr.startswith(
        "softee: A setting in [pkcs11.slot.1] is wrong: curves: 'P-255' is none of the curves"
    )
    assert answer.stderr.count("\n") == 1


def test_options_of_the_command_are_its_own(tmp_path: Path) -> None:
    answer = softee("run", "--ephemeral", "echo", "--ephemeral", "--help", home=tmp_path)
    assert answer.stdout == "--ephemeral --help\n"


def test_signals_reach_the_command_and_the_secure_world_goes_with_it(tmp_path: Path) -> None:
    script = "trap 'exit 9' TERM; echo $SOFTEE_SOCKET; while :; do sleep 0.05; done"
    runner = subprocess.Popen(
        [*SOFTEE, "run", "--ephemeral", "--", "sh", "-c", script],
        stdout=subprocess.PIPE,
        text=True,
        env=environment(tmp_path),
    )
    assert runner.stdout
    with runner, runner.stdout as output:
        path = Path(output.readline().strip())
        assert path.is_socket()
        runner.send_signal(signal.SIGTERM)
        assert runner.wait(30) == 9
    assert not path.exists()


def test_no_thread_of_run_takes_a_signal_that_is_the_commands(tmp_path: Path) -> None:
    libc = ctypes.CDLL(None)
    script = "trap 'exit 9' TERM; echo ready; while :; do sleep 0.05; done"
    runner = subprocess.Popen(
        [*SOFTEE, "run", "--ephemeral", "--", "sh", "-c", script],
        stdout=subprocess.PIPE,
        env=environment(tmp_path),
    )
    assert runner.stdout
    with runner, runner.stdout as output:
        assert output.readline()
        threads = {int(thread.name) for thread in Path(f"/proc/{runner.pid}/task").iterdir()} - {runner.pid}
        assert threads
        for thread in threads:
            assert libc.tgkill(runner.pid, thread, signal.SIGUSR1) == 0
        runner.send_signal(signal.SIGTERM)
        assert runner.wait(30) == 9


def test_a_killed_run_takes_its_secure_world_along_and_leaves_nothing_behind(tmp_path: Path) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    runner = subprocess.Popen(
        [*SOFTEE, "run", "--ephemeral", "--", "sh", "-c", "echo $SOFTEE_SOCKET; exec cat"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment(tmp_path) | {"TMPDIR": str(temporary), "XDG_RUNTIME_DIR": ""},
    )
    assert runner.stdin
    assert runner.stdout
    with runner, runner.stdin, runner.stdout as output:
        path = Path(output.readline().strip())
        world = os.pidfd_open(serving(path))
        assert list(temporary.rglob("softee.db"))
        assert not list(temporary.rglob("*.key"))
        runner.kill()
        ended, _, _ = select.select([world], [], [], 20)
        os.close(world)
    assert ended
    assert eventually(lambda: not list(temporary.iterdir()))
    assert eventually(lambda: not path.parent.exists())


KILL_SERVER = """
import os, select, signal, socket
with socket.socket(socket.AF_UNIX) as connection:
    connection.connect(os.environ["SOFTEE_SOCKET"])
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
server = os.pidfd_open(int.from_bytes(credentials[:4], "little"))
signal.pidfd_send_signal(server, signal.SIGKILL)
select.select([server], [], [])
raise SystemExit(3)
"""


def test_run_says_that_its_secure_world_has_ended_and_ends_as_the_command(tmp_path: Path) -> None:
    answer = softee("run", "--ephemeral", "--", sys.executable, "-c", KILL_SERVER, home=tmp_path)
    assert answer.returncode == 3
    assert "softee: The secure world has ended (status -9): " in answer.stderr


def serving(path: Path) -> int:
    """Return the process id of the secure world behind a socket."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(path))
        credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
    return int.from_bytes(credentials[:4], sys.byteorder)


def test_status_shows_the_tokens(token: Programs, tmp_path: Path) -> None:
    answer = softee("status", "--json", home=tmp_path, SOFTEE_SOCKET=str(token.socket))
    status = json.loads(answer.stdout)
    assert status["socket"] == str(token.socket)
    first, second, _ = status["tokens"]
    assert (first["label"], first["initialized"], first["profile"]) == ("mytoken", True, "portable")
    assert "user pin initialized" in first["flags"]
    assert (second["label"], second["initialized"]) == (None, False)
    assert "mytoken" in softee("status", home=tmp_path, SOFTEE_SOCKET=str(token.socket)).stdout


def test_status_without_a_secure_world_fails_in_one_sentence(tmp_path: Path) -> None:
    answer = softee("status", home=tmp_path, SOFTEE_SOCKET=str(tmp_path / "none.sock"))
    assert answer.returncode == 1
    assert answer.stdout == ""
    assert answer.stderr.startswith(f"softee: No secure world answers on {tmp_path}/none.sock;")
    assert answer.stderr.count("\n") == 1


def findings(daemon: RunningDaemon, home: Path) -> tuple[int, list[dict[str, str]]]:
    places = ("--state", str(daemon.state), "--root-key", str(daemon.root_key))
    answer = softee("doctor", "--json", *places, home=home, SOFTEE_SOCKET=str(daemon.socket))
    return answer.returncode, json.loads(answer.stdout)


def judged(found: list[dict[str, str]], check: str) -> set[str]:
    return {finding["verdict"] for finding in found if finding["check"] == check}


def test_the_doctor_finds_nothing_wrong_with_what_is_right(programs: Programs, daemon: RunningDaemon) -> None:
    programs.init_token()
    programs.generate("EC:prime256v1", "behind the PIN")
    status, found = findings(daemon, programs.directory)
    assert status == 0
    assert {finding["verdict"] for finding in found} == {"good"}
    assert {"module", "libteec", "root key", "state", "secure world", "tokens"} <= {item["check"] for item in found}


def test_the_doctor_warns_of_keys_that_need_no_pin(programs: Programs, daemon: RunningDaemon) -> None:
    """Stock pkcs11-tool asks for CKA_PRIVATE false when it generates a secret key."""
    programs.init_token()
    programs.p11_in("--keygen", "--key-type", "AES:32", "--label", "open to all")
    status, found = findings(daemon, programs.directory)
    assert status == 0
    assert judged(found, "tokens") == {"warning"}


def test_the_doctor_finds_a_root_key_that_others_can_read(programs: Programs, daemon: RunningDaemon) -> None:
    daemon.root_key.chmod(0o644)
    status, found = findings(daemon, programs.directory)
    assert status == 1
    wrong = next(finding for finding in found if finding["check"] == "root key")
    assert wrong["mend"] == f"chmod 600 {daemon.root_key}"


def test_the_doctor_finds_that_nothing_answers(daemon: RunningDaemon, tmp_path: Path) -> None:
    daemon.kill()
    status, found = findings(daemon, tmp_path)
    assert status == 1
    assert judged(found, "secure world") == {"wrong"}


def test_the_doctor_finds_another_libteec(daemon: RunningDaemon, module: Path, tmp_path: Path) -> None:
    other = tmp_path / "lib"
    other.mkdir()
    (other / "libteec.so.2").write_bytes((module.parent / "libteec.so.2").read_bytes())
    answer = softee("doctor", "--json", home=tmp_path, LD_LIBRARY_PATH=str(other), SOFTEE_SOCKET=str(daemon.socket))
    found = json.loads(answer.stdout)
    assert judged(found, "libteec") == {"warning"}
