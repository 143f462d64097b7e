# SPDX-License-Identifier: Apache-2.0
"""What a step of the walkthrough is, what it answers and what is known of it afterwards."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path


class CheckFailedError(Exception):
    """An answer is not what the walkthrough says it must be."""

    def __init__(self, expected: str, got: str) -> None:
        super().__init__(f"expected {expected}; got {got}")
        self.expected = expected
        self.got = got


@dataclass(frozen=True)
class Answer:
    """What a command answered.

    ``output`` is its stdout and stderr together. ``directory`` is where it ran, ``socket`` the secure world behind it.
    ``facts`` is what earlier steps remembered (the server's port); a check may add to it.
    """

    status: int
    output: str
    directory: Path
    socket: Path
    facts: dict[str, str]


Check = Callable[[Answer], None]
"""Looks at an answer; raises CheckFailedError."""


@dataclass(frozen=True)
class DemoStep:
    """A row of the walkthrough.

    ``command`` is one line without shell syntax; ``p11`` as its first word stands for pkcs11-tool with our module, and
    ``{fact}`` for a fact. ``engine`` runs it with the OpenSSL configuration that knows the token. A step with
    ``ready`` is a server: it stays until the walkthrough ends, and its answer is what it printed up to the first line
    that holds ``ready``.
    """

    name: str
    command: str
    checks: tuple[Check, ...]
    stdin: str = ""
    engine: bool = False
    ready: str | None = None


@dataclass(frozen=True)
class Outcome:
    """What became of a step: ``failure`` is None where it passed; ``seconds`` is how long its command ran."""

    name: str
    command: str
    output: str
    seconds: float
    failure: CheckFailedError | None = field(default=None)

    @property
    def passed(self) -> bool:
        """Whether all of the step's checks held."""
        return self.failure is None
