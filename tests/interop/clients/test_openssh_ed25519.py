# SPDX-License-Identifier: Apache-2.0
"""OpenSSH 10.3 of Debian 13's backports: RSA, ECDSA and Ed25519 keys of the token log in to a server.

Debian 12's OpenSSH 9.2 and Debian 13's 10.0 know no Ed25519 keys of tokens, which came with 10.1. The others are tested
with the OpenSSH of this machine, too, in tests/interop/test_openssh.py.
"""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from interop.clients.debian import LIBRARIES, WORK, Debian
from interop.clients.ports import free_port, wait_for_port
from interop.tools import PIN

KEYS = {
    "ed25519": ("EC:edwards25519", "ssh-ed25519", "01"),
    "p256": ("EC:prime256v1", "ecdsa-sha2-nistp256", "02"),
    "p384": ("EC:secp384r1", "ecdsa-sha2-nistp384", "03"),
    "rsa": ("rsa:3072", "ssh-rsa", "04"),
}
SERVER = f"""\
ListenAddress 127.0.0.1:{{port}}
HostKey {WORK}/host
PidFile none
AuthorizedKeysFile {WORK}/authorized_keys
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
"""


@pytest.fixture
def ssh(debian13: Debian) -> Debian:
    """Debian 13 with a token that has a key of each type."""
    debian13.init_token()
    for label, (key_type, _, key_id) in KEYS.items():
        debian13.p11_in("--keypairgen", "--key-type", key_type, "--label", label, "--id", key_id)
    program = debian13.directory / "askpass"
    program.write_text(f"#!/bin/sh\necho {PIN}\n")
    program.chmod(0o700)
    return debian13.with_variables({"SSH_ASKPASS": f"{WORK}/askpass", "SSH_ASKPASS_REQUIRE": "force"})


def public_keys(ssh: Debian) -> dict[str, str]:
    """Return the lines of ssh-keygen by label."""
    lines = ssh.run("ssh-keygen", "-D", ssh.inner_module).splitlines()
    return {line.split()[2]: line for line in lines if line.count(" ") == 2}


def test_keys_of_all_types_are_listed(ssh: Debian) -> None:
    assert {label: line.split()[0] for label, line in public_keys(ssh).items()} == {
        label: name for label, (_, name, _) in KEYS.items()
    }


@contextmanager
def sshd(ssh: Debian) -> Iterator[int]:
    """Run a server that lets the token's keys in, and yield its port."""
    directory, port = ssh.directory, free_port()
    ssh.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "host")
    (directory / "authorized_keys").write_text("\n".join(public_keys(ssh).values()) + "\n")
    (directory / "known_hosts").write_text(f"[127.0.0.1]:{port} {(directory / 'host.pub').read_text()}")
    (directory / "sshd.conf").write_text(SERVER.format(port=port))
    command = ssh.command("/usr/sbin/sshd", "-D", "-e", "-f", f"{WORK}/sshd.conf")
    with subprocess.Popen(command, env=ssh.environment, stderr=subprocess.PIPE) as server:
        try:
            wait_for_port(port, server)
            yield port
        finally:
            server.terminate()


@contextmanager
def ssh_agent(ssh: Debian) -> Iterator[Debian]:
    """Run an agent that may load the module, and yield programs that find it."""
    command = ssh.command("ssh-agent", "-D", "-a", f"{WORK}/agent", "-P", f"{LIBRARIES}/*")
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=ssh.environment) as agent:
        assert agent.stdout
        agent.stdout.readline()  # which it writes when it listens
        try:
            yield ssh.with_variables({"SSH_AUTH_SOCK": f"{WORK}/agent"})
        finally:
            agent.terminate()


def login(ssh: Debian, port: int, *options: str) -> str:
    hosts = ("-o", f"UserKnownHostsFile={WORK}/known_hosts", "-o", "StrictHostKeyChecking=yes")
    return ssh.run("ssh", "-F", "none", *hosts, *options, "-p", str(port), "root@127.0.0.1", "echo in")


def test_an_agent_with_the_token_logs_in_with_each_key(ssh: Debian) -> None:
    with sshd(ssh) as port, ssh_agent(ssh) as agent:
        assert "Card added" in agent.run("ssh-add", "-s", ssh.inner_module)
        assert agent.run("ssh-add", "-l").count("\n") == len(KEYS)
        for label, line in public_keys(ssh).items():
            (ssh.directory / f"{label}.pub").write_text(f"{line}\n")
            one = ("-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes", "-i", f"{label}.pub")
            assert login(agent, port, *one).splitlines()[-1] == "in", label


def test_ssh_itself_logs_in_with_the_token(ssh: Debian) -> None:
    with sshd(ssh) as port:
        assert login(ssh, port, "-I", ssh.inner_module).splitlines()[-1] == "in"
