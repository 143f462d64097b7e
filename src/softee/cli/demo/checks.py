# SPDX-License-Identifier: Apache-2.0
"""What a program's answer must hold: its exit status, its text. A check raises CheckFailedError.

The files that a program made are judged in ``files``, the token's state in ``token``.
"""

from dataclasses import dataclass

from softee.cli.demo.patterns import Pattern
from softee.cli.demo.step import Answer, Check, CheckFailedError


def exits(status: int) -> Check:
    """Check that the command's exit status is ``status``; a server's is 0 as long as it runs."""

    def check(answer: Answer) -> None:
        if answer.status != status:
            raise CheckFailedError(f"exit status {status}", f"exit status {answer.status}: {shortened(answer.output)}")

    return check


def fails(answer: Answer) -> None:
    """Check that the command's exit status is not zero."""
    if answer.status == 0:
        raise CheckFailedError("an exit status that is not 0", "exit status 0")


@dataclass(frozen=True)
class Says:
    """Checks that a pattern is in the output; with ``times``, exactly so often and always with the same text."""

    pattern: Pattern
    times: int | None = None

    def __call__(self, answer: Answer) -> None:
        """Make the check."""
        found = _found(self.pattern, answer)
        if self.times and (len(found) != self.times or len(set(found)) != 1):
            raise CheckFailedError(f"{self.times} times alike: {self.pattern.what}", f"{found}")


@dataclass(frozen=True)
class Remembers:
    """Checks that a pattern is in the output, and remembers what it finds first as ``fact`` for later steps."""

    fact: str
    pattern: Pattern

    def __call__(self, answer: Answer) -> None:
        """Make the check."""
        answer.facts[self.fact] = _found(self.pattern, answer)[0]


def shortened(text: str) -> str:
    """Return the beginning of a text, on one line."""
    text = text.strip()
    return repr(text if len(text) <= 300 else f"{text[:300]}…")


def _found(pattern: Pattern, answer: Answer) -> list[str]:
    found = pattern.findall(answer.output)
    if not found:
        raise CheckFailedError(pattern.what, shortened(answer.output))
    return found
