# SPDX-License-Identifier: Apache-2.0
"""OpenSSH: the token's keys are listed, and an agent that has the token logs in to a server."""

import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from interop.clients.ports import free_port
from interop.tools import PIN, Programs
from support.secure_world import short_directory

SSHD = Path("/usr/sbin/sshd")
PRIVILEGES = Path("/run/sshd")
"""Where sshd wants to lock itself up, where root runs it. Debian makes it when the service starts."""

SERVER = """\
ListenAddress 127.0.0.1:{port}
HostKey {directory}/host
PidFile none
AuthorizedKeysFile {directory}/authorized_keys
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
"""

pytestmark = pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="needs Debian's openssh-client")


@pytest.fixture
def ssh(programs: Programs) -> Programs:
    """Programs with a token that has an EC and an RSA key."""
    programs.init_token()
    programs.generate("EC:prime256v1", "login")
    programs.generate("rsa:2048", "other")
    return programs


@pytest.mark.parametrize("name", ["libckteec.so.0", "libckteec.so"])
def test_the_tokens_keys_are_listed_without_a_pin(ssh: Programs, module: Path, name: str) -> None:
    """OpenSSH looks for the name of C_GetFunctionList in a module's file before it loads it."""
    listed = [
        line.split()
        for line in ssh.run("ssh-keygen", "-D", module.with_name(name)).splitlines()
        if line.count(" ") == 2
    ]
    assert {(key_type, label) for key_type, _, label in listed} == {
        ("ecdsa-sha2-nistp256", "login"),
        ("ssh-rsa", "other"),
    }


@contextmanager
def sshd(programs: Programs, module: Path) -> Iterator[int]:
    """Run a server that lets the token's keys in, and yield its port."""
    directory, port = programs.directory, free_port()
    programs.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "host")
    (directory / "authorized_keys").write_text(programs.run("ssh-keygen", "-D", module))
    (directory / "known_hosts").write_text(f"[127.0.0.1]:{port} {(directory / 'host.pub').read_text()}")
    (directory / "sshd.conf").write_text(SERVER.format(port=port, directory=directory))
    if os.geteuid() == 0:
        PRIVILEGES.mkdir(mode=0o755, exist_ok=True)
    command = (SSHD, "-D", "-e", "-f", directory / "sshd.conf")
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr
        started = server.stderr.readline()
        assert "Server listening on" in started, started
        try:
            yield port
        finally:
            server.terminate()


@contextmanager
def ssh_agent(programs: Programs, module: Path) -> Iterator[Programs]:
    """Run an agent that loads the module, and yield programs that find it."""
    with short_directory() as directory:
        path = directory / "agent"
        command = ("ssh-agent", "-D", "-a", path, "-P", f"{module.resolve().parent}/*")
        with subprocess.Popen(command, stdout=subprocess.PIPE, env=programs.environment) as agent:
            assert agent.stdout
            agent.stdout.readline()  # which it writes when it listens
            try:
                yield Programs(programs.module, programs.socket, programs.directory, {"SSH_AUTH_SOCK": str(path)})
            finally:
                agent.terminate()


def ask_pass(programs: Programs) -> dict[str, str]:
    """Return variables by which OpenSSH asks a program for the PIN."""
    program = programs.directory / "askpass"
    program.write_text(f"#!/bin/sh\necho {PIN}\n")
    program.chmod(0o700)
    return {"SSH_ASKPASS": str(program), "SSH_ASKPASS_REQUIRE": "force"}


@pytest.mark.skipif(not SSHD.exists(), reason="needs Debian's openssh-server")
def test_an_agent_with_the_token_logs_in_to_a_server(ssh: Programs, module: Path) -> None:
    with sshd(ssh, module) as port, ssh_agent(ssh, module) as agent:
        asked = Programs(ssh.module, ssh.socket, ssh.directory, agent.variables | ask_pass(ssh))
        assert "Card added" in asked.run("ssh-add", "-s", module)
        assert "(ECDSA)" in agent.run("ssh-add", "-l")
        hosts = ("-o", f"UserKnownHostsFile={ssh.directory / 'known_hosts'}", "-o", "StrictHostKeyChecking=yes")
        for key in ("login", "other"):
            public = next(line for line in authorized(ssh) if line.endswith(f" {key}"))
            (ssh.directory / f"{key}.pub").write_text(public)
            chosen = ("-o", "IdentitiesOnly=yes", "-i", f"{key}.pub")
            there = f"{pwd.getpwuid(os.geteuid()).pw_name}@127.0.0.1"
            command = ("ssh", "-F", "none", "-o", "BatchMode=yes", *hosts, *chosen, "-p", str(port), there, "echo in")
            assert agent.run(*command).splitlines()[-1] == "in"


def authorized(programs: Programs) -> list[str]:
    return (programs.directory / "authorized_keys").read_text().splitlines()


def test_the_module_that_is_told_is_the_library_itself(module: Path) -> None:
    assert module.name == "libckteec.so.0"
