# SPDX-License-Identifier: Apache-2.0
"""The steps of OP-TEE's documentation that need no network: the demo's table, elsewhere than on its own stage."""

import shlex
from collections.abc import Iterator
from pathlib import Path

from softee.cli.demo import token
from softee.cli.demo.stage import OPENSSL_CONF
from softee.cli.demo.step import Answer, CheckFailedError, DemoStep
from softee.cli.demo.walkthrough import STEPS

CONF = "optee_hsm.conf"


def _without_network() -> Iterator[DemoStep]:
    for step in STEPS:
        if step.name == "the TLS server's key":
            return
        yield step


OFFLINE = tuple(_without_network())
PKCS11_TOOL = tuple(step for step in OFFLINE if step.command.startswith("p11 "))


def written_files() -> list[str]:
    """Return the names of the files that the steps write."""
    words = [shlex.split(step.command) for step in OFFLINE]
    return [command[command.index("-out") + 1] for command in words if "-out" in command]


def openssl_conf(engine: str, module: str) -> str:
    """Return the documentation's configuration of OpenSSL."""
    return OPENSSL_CONF.format(engine=engine, module=module)


def shell_command(step: DemoStep) -> str:
    """Return a step as a line for a shell, in which p11 is a command."""
    return f"OPENSSL_CONF={CONF} {step.command}" if step.engine else step.command


def failure(step: DemoStep, status: int, output: str, directory: Path, socket: Path | None = None) -> str:
    """Make a step's checks of what was answered; return the first that does not hold, or nothing.

    Where there is no ``socket`` the token is not asked, but by the programs themselves.
    """
    answer = Answer(status, output, directory, socket or Path("/nowhere"), {})
    for check in step.checks:
        if socket is None and check.__module__ == token.__name__:
            continue
        try:
            check(answer)
        except CheckFailedError as error:
            return f"{step.name}: {error}"
    return ""
