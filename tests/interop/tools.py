# SPDX-License-Identifier: Apache-2.0
"""Runs other people's programs against a token, as a user would."""

import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from support.cryptoki import Module, Session
from support.secure_world import running_daemon

LABEL = "mytoken"
SO_PIN = "1234567890"
PIN = "12345"

ENGINE_CONF = """\
openssl_conf = openssl_conf
[openssl_conf]
engines = engine_section
[engine_section]
pkcs11 = pkcs11_section
[pkcs11_section]
engine_id = pkcs11
MODULE_PATH = {module}
PIN = {pin}
init = 0
[req]
distinguished_name = req_distinguished_name
[req_distinguished_name]
"""


_MODULE_FILES = ("libckteec.so.0", "libteec.so.2")


def copied_module(module: Path, directory: Path) -> Path:
    """Copy a module, with the library that it needs, so that C_Finalize ends nothing of other tests in this process.

    It is the file itself that is copied: libckteec.so would lead to whichever libckteec.so.0 is loaded already.
    """
    for name in _MODULE_FILES:
        shutil.copy(module.with_name(name), directory / name)
    return directory / _MODULE_FILES[0]


@contextmanager
def own_session(module: Path, directory: Path, settings: str = "") -> Iterator[Session]:
    """Log in to the token of a secure world that runs for this session alone, by a copy of the module."""
    with running_daemon(directory, settings=settings) as daemon, pytest.MonkeyPatch.context() as patch:
        Programs(module, daemon.socket, directory).init_token()
        patch.setenv("SOFTEE_SOCKET", str(daemon.socket))
        loaded = Module(copied_module(module, directory))
        yield loaded.login(0, PIN)
        loaded.close()


def key_id(label: str) -> str:
    """Return a CKA_ID for a key with that label, in hexadecimal."""
    return hashlib.sha256(label.encode()).hexdigest()[:16]


def run_in(
    directory: Path | None,
    environment: Mapping[str, str],
    command: Sequence[str | Path],
    *,
    stdin: str = "",
    fails: bool = False,
    within: float = 60,
) -> str:
    """Run a command, assert that it succeeds (or fails) within so many seconds, return its stdout and stderr."""
    done = subprocess.run(
        command,
        input=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd=directory,
        env=environment,
        text=True,
        errors="replace",
        timeout=within,
        check=False,
    )
    assert (done.returncode != 0) == fails, f"{command} ended with {done.returncode}:\n{done.stdout}"
    return done.stdout


@dataclass(frozen=True)
class Programs:
    """Other people's programs with the module and a secure world at ``socket``; they run in ``directory``."""

    module: Path
    socket: Path
    directory: Path
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        """Return the environment that leads to the secure world."""
        kept = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
        return kept | {"SOFTEE_SOCKET": str(self.socket), "LC_ALL": "C"} | self.variables

    def run(self, *command: str | Path, stdin: str = "", fails: bool = False) -> str:
        """Run a command, assert that it succeeds (or fails), return its stdout and stderr."""
        return run_in(self.directory, self.environment, command, stdin=stdin, fails=fails)

    def p11(self, *arguments: str, fails: bool = False) -> str:
        """Run pkcs11-tool."""
        return self.run("pkcs11-tool", "--module", self.module, *arguments, fails=fails)

    def p11_in(self, *arguments: str, fails: bool = False) -> str:
        """Run pkcs11-tool, logged in as the user."""
        return self.p11("--login", "--pin", PIN, *arguments, fails=fails)

    def openssl(self, *arguments: str, stdin: str = "", fails: bool = False) -> str:
        """Run OpenSSL with the pkcs11 engine configured."""
        conf = self.directory / "engine.conf"
        conf.write_text(ENGINE_CONF.format(module=self.module, pin=PIN))
        engine = Programs(self.module, self.socket, self.directory, {"OPENSSL_CONF": str(conf)})
        return engine.run("openssl", *arguments, stdin=stdin, fails=fails)

    def init_token(self, *, slot: int = 0, label: str = LABEL) -> None:
        """Initialize a token and its user's PIN."""
        where = ("--slot", str(slot))
        self.p11(*where, "--init-token", "--label", label, "--so-pin", SO_PIN)
        self.p11(*where, "--login", "--so-pin", SO_PIN, "--init-pin", "--pin", PIN)

    def generate(self, key_type: str, label: str, *more: str) -> str:
        """Generate a key pair; its CKA_ID is ``key_id(label)`` if not said otherwise.

        Without one pkcs11-tool and libp11 take the first key that they find: they look for no label.
        """
        own = () if "--id" in more else ("--id", key_id(label))
        return self.p11_in("--keypairgen", "--key-type", key_type, "--label", label, *own, *more)
