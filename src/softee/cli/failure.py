# SPDX-License-Identifier: Apache-2.0
"""How a command says that it failed: one sentence on stderr, and an exit status that is not zero."""

from collections.abc import Iterator
from contextlib import contextmanager


class CliError(Exception):
    """A command cannot do what was asked. The text is one sentence: why and, where there is one, the way out."""

    def __init__(self, sentence: str, status: int = 1) -> None:
        super().__init__(sentence)
        self.status = status


@contextmanager
def state_failures(status: int = 1) -> Iterator[None]:
    """Turn what keeps a state from being used into a CliError, with an exit status."""
    from softee.daemon.failures import FAILURES, sentence  # noqa: PLC0415 - the help does not wait for cryptography

    try:
        yield
    except FAILURES as error:
        raise CliError(sentence(error), status) from None
