# SPDX-License-Identifier: Apache-2.0
"""How a command says that it failed: one sentence on stderr, and an exit status that is not zero."""


class CliError(Exception):
    """A command cannot do what was asked. The text is one sentence: why and, where there is one, the way out."""

    def __init__(self, sentence: str, status: int = 1) -> None:
        super().__init__(sentence)
        self.status = status
