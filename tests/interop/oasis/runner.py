# SPDX-License-Identifier: Apache-2.0
"""Runs a test case of the profiles against a module: every call, every return value, every answer."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from interop.oasis.comparison import Difference, compare
from interop.oasis.document import Element, Step
from interop.oasis.functions import call
from interop.oasis.nodes import Node, UnboundError, Variables
from interop.oasis.values import OF_C_TYPES, Value, constants
from support.cryptoki import Module

_RV = OF_C_TYPES["CK_RV"]


class CaseError(Exception):
    """A test case cannot be run as it is written."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call that was made: what it was given, what it has returned, and its answer."""

    request: Element
    rv: int
    answer: Node


@dataclass(frozen=True, slots=True)
class Run:
    """What came of a test case."""

    calls: list[Call] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)

    @property
    def failures(self) -> list[str]:
        """What was not as the test case says, nor varied as it may."""
        return [str(one) for one in self.differences if not one.is_note]

    @property
    def notes(self) -> list[str]:
        """The provider's own measures, where the test case has others."""
        return [str(one) for one in self.differences if one.is_note]


def run(steps: Iterable[Step], module: Module, known: Mapping[str, Value]) -> Run:
    """Make the calls, with the variables that are ``known`` from the start, until one fails: later ones build on it.

    Raises:
        CaseError: a request does not fit its function, or names a variable that nothing has bound.

    """
    variables, done = Variables(known), Run()
    for number, step in enumerate(steps, 1):
        try:
            rv, answer = call(module, step.request, variables)
            found = [*_return_value(step, rv), *compare(step.response, answer, variables)]
        except (ValueError, KeyError, UnboundError) as error:
            raise CaseError(f"call {number}, {step.function}: {error!r}") from error
        done.calls.append(Call(step.request, rv, answer))
        done.differences.extend(_numbered(number, one) for one in found)
        if done.failures:
            break
    return done


def _return_value(step: Step, rv: int) -> Iterator[Difference]:
    wanted = step.response.rv or ""
    if _RV.parse(wanted) != rv:
        names = [name for name, number in constants("CKR").items() if number == rv]
        yield Difference(f"{step.function} rv", wanted, names[0] if names else f"{rv:#x}")


def _numbered(number: int, one: Difference) -> Difference:
    return Difference(f"call {number}, {one.where}", one.expected, one.actual, one.is_note)
