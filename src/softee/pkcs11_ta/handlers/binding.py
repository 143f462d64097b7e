# SPDX-License-Identifier: Apache-2.0
"""Ties handlers to their commands."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from softee.pkcs11_ta.abi.command import Command
from softee.pkcs11_ta.session.call import Call

R = TypeVar("R")

Answer = bytes | bytearray
"""What a handler gives for parameter 2."""

Handler = Callable[[Call, R], Answer]


@dataclass(frozen=True, slots=True)
class Bound:
    """A command with its handler."""

    command: Command[Any]
    handle: Handler[Any]


def bind(command: Command[R], handler: Handler[R]) -> Bound:
    """Tie a handler to its command; the type checker compares their requests."""
    return Bound(command, handler)


Handlers = Mapping[int, Bound]


def table(*bounds: Bound) -> Handlers:
    """Return the handlers by command number. Raises ValueError where a command has two."""
    made = {bound.command.number: bound for bound in bounds}
    if len(made) != len(bounds):
        raise ValueError("a command has two handlers")
    return made
