# SPDX-License-Identifier: Apache-2.0
"""The interpreter of the walkthrough's table: runs each step's command and its checks."""

import shlex
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from threading import Timer
from time import monotonic
from typing import Self

from softee.cli.demo.stage import Stage
from softee.cli.demo.step import Answer, CheckFailedError, DemoStep, Outcome

PATIENCE = 20.0
"""Seconds that a command may take."""


class Runner:
    """Runs steps one after the other on a stage. A context manager: leaving it stops the steps' servers."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._facts: dict[str, str] = {}
        self._servers = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._servers.close()

    def run(self, step: DemoStep) -> Outcome:
        """Run one step. Where its command cannot even be made, because an earlier step failed, the step fails."""
        started, ended = monotonic(), None
        command, output, failure = step.command, "", None
        try:
            command = step.command.format_map(self._facts)
            answer = self._answer(step, command)
            ended, output = monotonic(), answer.output
            for check in step.checks:
                check(answer)
        except KeyError as error:
            failure = CheckFailedError(f"the {error.args[0]} that an earlier step finds", "nothing")
        except CheckFailedError as error:
            failure = error
        seconds = (ended or monotonic()) - started
        return Outcome(step.name, self.shown(step, command), output, seconds, failure)

    def shown(self, step: DemoStep, command: str) -> str:
        """Return a step's command as one would type it."""
        return f"OPENSSL_CONF={self._stage.openssl_conf.name} {command}" if step.engine else command

    def _answer(self, step: DemoStep, command: str) -> Answer:
        words = shlex.split(command)
        arguments = ["pkcs11-tool", "--module", str(self._stage.module), *words[1:]] if words[0] == "p11" else words
        conf = {"OPENSSL_CONF": str(self._stage.openssl_conf)} if step.engine else {}
        environment = {**self._stage.environment, **conf}
        ask = self._start if step.ready else self._finish
        status, output = ask(step, arguments, environment)
        return Answer(status, output, self._stage.directory, self._stage.socket, self._facts)

    def _finish(self, step: DemoStep, arguments: list[str], environment: dict[str, str]) -> tuple[int, str]:
        try:
            done = subprocess.run(
                arguments,
                input=step.stdin,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                cwd=self._stage.directory,
                env=environment,
                timeout=PATIENCE,
                text=True,
                errors="replace",
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise CheckFailedError(f"an answer within {PATIENCE:.0f} seconds", "none") from None
        return done.returncode, done.stdout

    def _start(self, step: DemoStep, arguments: list[str], environment: dict[str, str]) -> tuple[int, str]:
        server = self._servers.enter_context(_server(arguments, environment, self._stage.directory))
        self._servers.callback(server.kill)
        alarm = Timer(PATIENCE, server.kill)
        alarm.start()
        lines = list(_up_to(step.ready or "", server))
        alarm.cancel()
        return server.poll() or 0, "".join(lines)


def _server(arguments: list[str], environment: dict[str, str], directory: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        arguments,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd=directory,
        env=environment,
        text=True,
        errors="replace",
    )


def _up_to(word: str, server: subprocess.Popen[str]) -> Iterator[str]:
    """Yield the lines that a server prints up to the first one that holds ``word``, or to its end."""
    for line in server.stdout or ():
        yield line
        if word in line:
            return
