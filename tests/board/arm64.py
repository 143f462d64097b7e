# SPDX-License-Identifier: Apache-2.0
"""What runs on a board, and beside it under qemu-user: Debian 13's arm64 programs, and our libraries, cross-built."""

import os
import shlex
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from board.machine import Said

ROOT = Path(__file__).parents[2]
CROSS_FILE = ROOT / "tools" / "board" / "aarch64-linux-gnu.ini"
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")

PACKAGES = ("libckteec0t64", "optee-test-qemu", "opensc", "openssl", "libengine-pkcs11-openssl")
"""OP-TEE's client library and tests, and the programs of its documentation. What they need comes along."""

APT_CONF = """\
APT::Architecture "arm64"; APT::Architectures {{ "arm64"; }}; APT::Sandbox::User "root";
Dir::State "{0}"; Dir::State::lists "{0}/lists"; Dir::State::status "{0}/status"; Dir::Cache "{0}/cache";
Dir::Etc::sourcelist "{0}/sources.list"; Dir::Etc::sourceparts "/dev/null"; Dir::Etc::preferencesparts "/dev/null";
"""
"""An apt of our own: the host's mirror and keys, another release and architecture, nothing of it on the host."""


def run(*command: str | Path, **environment: str) -> str:
    """Run a command that must succeed, and return what it printed."""
    variables = {**os.environ, **environment}
    done = subprocess.run(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        env=variables,
        check=False,
    )
    assert done.returncode == 0, f"{shlex.join(map(str, command))} ended with {done.returncode}:\n{done.stdout}"
    return done.stdout


def fetch(directory: Path) -> Path:
    """Fetch the packages and unpack them into a root file system of their own, once; return it."""
    root, stamp = directory / "root", directory / "fetched"
    wanted = " ".join(PACKAGES)
    if stamp.exists() and stamp.read_text() == wanted:
        return root
    for part in ("lists/partial", "cache/archives/partial"):
        (directory / "apt" / part).mkdir(parents=True, exist_ok=True)
    _configure(directory / "apt")
    apt = {"APT_CONFIG": str(directory / "apt" / "apt.conf"), "DEBIAN_FRONTEND": "noninteractive"}
    run("apt-get", "update", "-q", **apt)
    run("apt-get", "install", "-q", "-y", "--no-install-recommends", "--download-only", *PACKAGES, **apt)
    for package in sorted((directory / "apt" / "cache" / "archives").glob("*.deb")):
        run("dpkg", "-x", package, root)
    if not (root / "lib").exists():
        (root / "lib").symlink_to("usr/lib")
    stamp.write_text(wanted)
    return root


def _configure(apt: Path) -> None:
    targets = run("apt-get", "indextargets", "--format", "$(REPO_URI)")
    site = next(line for line in targets.splitlines() if "security" not in line)
    (apt / "sources.list").write_text(f"deb [signed-by={KEYRING}] {site} trixie main\n")
    (apt / "status").write_text("")
    (apt / "apt.conf").write_text(APT_CONF.format(apt))


@dataclass(frozen=True)
class Ours:
    """Our libraries and the test's programs for a board."""

    build: Path

    @property
    def libteec(self) -> Path:
        return self.build / "native" / "teec" / "libteec.so.2"

    @property
    def libckteec(self) -> Path:
        return self.build / "native" / "ckteec" / "libckteec.so.0"

    def program(self, name: str) -> Path:
        return self.build / "native" / "tests" / name


def cross_build(directory: Path) -> Ours:
    """Build the native part for a board."""
    if not (directory / "build.ninja").exists():
        options = ("--cross-file", CROSS_FILE, "-Dpython=false", "-Dnative_tests=true")
        run("meson", "setup", *options, directory, ROOT)
    run("ninja", "-C", directory)
    return Ours(directory)


@dataclass(frozen=True)
class Emulated:
    """Debian's arm64 programs under qemu-user, with some of our libraries in front of Debian's.

    Each is a script of its own in ``directory``: xtest starts itself again by the name that it was started by.
    """

    root: Path
    directory: Path
    variables: Mapping[str, str]

    @property
    def libraries(self) -> Path:
        return self.root / "usr" / "lib" / "aarch64-linux-gnu"

    @property
    def libckteec(self) -> Path:
        """The module for pkcs11-tool: ours, or Debian's."""
        front = self.directory / "lib" / "libckteec.so.0"
        return front if front.exists() else self.libraries / front.name

    def install(self, *ours: Path) -> None:
        """Put libraries in front of Debian's."""
        front = self.directory / "lib"
        front.mkdir(parents=True)
        for library in ours:
            (front / library.name).symlink_to(library)
        for name in ("xtest", "pkcs11-tool"):
            script = self.directory / name
            path = f"LD_LIBRARY_PATH={front}:{self.libraries}"
            program = self.root / "usr" / "bin" / name
            script.write_text(f'#!/bin/sh\nexec qemu-aarch64 -0 "$0" -L {self.root} -E {path} {program} "$@"\n')
            script.chmod(0o755)

    def run(self, name: str, *arguments: str) -> Said:
        """Run a program, which may fail."""
        done = subprocess.run(
            [self.directory / name, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env={**os.environ, **self.variables},
            check=False,
        )
        return Said(done.stdout, done.returncode)
