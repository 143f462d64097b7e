# SPDX-License-Identifier: Apache-2.0
"""Scripts of PKCS#11 calls for native/tests/calls, and their answers."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from board.differential.mechanisms import in_names
from softee.names import CKA, CKR

Value = bool | int | bytes | str


def attribute(kind: int, value: Value) -> str:
    """An attribute: a CK_BBOOL, a CK_ULONG, bytes, or a value as scripts have it (r8, n, x0102)."""
    if isinstance(value, bool):
        return f"{int(kind):#x}=x{int(value):02x}"
    if isinstance(value, int):
        return f"{int(kind):#x}=u{value}"
    if isinstance(value, bytes):
        return f"{int(kind):#x}=x{value.hex()}"
    return f"{int(kind):#x}={value}"


def template(attributes: Iterable[tuple[int, Value]]) -> str:
    """A template and its length, as two arguments."""
    return "t:" + ",".join(attribute(kind, value) for kind, value in attributes)


def mechanism(kind: int, parameter: str = "") -> str:
    """A mechanism, with its parameter's fields."""
    return f"m:{int(kind):#x}:{parameter}" if parameter else f"m:{int(kind):#x}"


@dataclass(frozen=True)
class Call:
    """A call: what it is called in the list of differences, and the unit that it belongs to.

    Where two tokens differ in a call, the later ones of its unit say nothing. ``chance``: its outputs depend on chance,
    and only their sizes are compared.
    """

    label: str
    function: str
    unit: int
    chance: bool


OWN = {"C_GetSlotInfo": slice(56, 128), "C_GetTokenInfo": slice(160, 192)}
"""The digits of an output that are the installation's own: the UUID in the slot's description, the serial number."""

LIST = "C_GetMechanismList"
"""Shows the names of the mechanisms that are compared, and not how many there are."""


@dataclass(frozen=True)
class Difference:
    """A call that the board answers otherwise than softee."""

    label: str
    board: str
    softee: str


@dataclass
class Script:
    """Lines for the program, and what the calls among them are."""

    lines: list[str] = field(default_factory=list)
    calls: dict[int, Call] = field(default_factory=dict)
    _case: str = ""
    _unit: int = 0
    _used: Counter[str] = field(default_factory=Counter)

    def setup(self, lines: Sequence[str]) -> None:
        """Say what all cases have."""
        self.lines += ["@setup", *lines, "@end"]

    def case(self, name: str) -> None:
        """Name what follows."""
        self._case = name
        self.begin()

    def begin(self) -> None:
        """Begin a unit, with a new session and nothing in it."""
        self._unit += 1
        self.lines.append("@case")

    def put(self, name: str, value: str) -> None:
        """Give a variable a value."""
        self.lines.append(f"@set {name} {value}")

    def call(self, label: str, line: str, *, chance: bool = False, alone: bool = False, fresh: bool = False) -> None:
        """Call; ``alone``: it is a unit by itself; ``fresh``: that too, and whatever it begins ends there."""
        self.lines.append(line)
        function = line.split(" ", 1)[0]
        name = f"{self._case}/{function}/{label}"
        self._used[name] += 1
        self._unit += alone or fresh
        unique = f"calls/{name}" if self._used[name] == 1 else f"calls/{name}, {self._used[name]}"
        self.calls[len(self.lines)] = Call(unique, function, self._unit, chance)
        if fresh:
            self.lines.append("@fresh")

    def text(self) -> str:
        """What the program reads."""
        return "\n".join([*self.lines, ""])

    def answers(self, output: str) -> dict[int, str]:
        """What the program printed, by line, in words and without what differs by chance."""
        found = {}
        for line in output.splitlines():
            number, _, answer = line.partition(" ")
            if number.isdigit() and (call := self.calls.get(int(number))) is not None:
                found[int(number)] = _in_words(answer, call)
        return found

    def differences(self, board: str, softee: str) -> Iterator[Difference]:
        """Where what the program printed on both sides differs: the first place in each unit."""
        theirs, ours = self.answers(board), self.answers(softee)
        told = 0
        for line, call in self.calls.items():
            if call.unit != told and theirs.get(line) != ours.get(line):
                told = call.unit
                yield Difference(call.label, theirs.get(line, "nothing"), ours.get(line, "nothing"))


def _in_words(answer: str, call: Call) -> str:
    rv, *outputs = answer.split()
    return " ".join([_name(CKR, "CKR", rv), *(_output(one, call) for one in outputs)])


def _name(names: type[CKR] | type[CKA], prefix: str, digits: str) -> str:
    try:
        return f"{prefix}_{names(int(digits, 16)).name}"
    except ValueError:
        return digits


def _output(text: str, call: Call) -> str:
    name, _, value = text.partition("=")
    if name == "o":
        return f"o={_written(value, call)}"
    if name.startswith("h") or (name == "n" and call.function == LIST):  # any handle will do, and any number of them
        return f"{name}={'none' if value == '0' else 'some'}"
    if re.fullmatch("[0-9a-f]+", name):
        name = _name(CKA, "CKA", name)
    length, colon, content = value.partition(":")
    length = "unavailable" if length == "f" * 16 else length
    if call.chance and content:
        content = f"({len(content) // 2} bytes)"
    return f"{name}={length}{colon}{content}"


def _written(digits: str, call: Call) -> str:
    if call.function == LIST:
        return in_names(digits)
    own = OWN.get(call.function, slice(0))
    shown = digits[: own.start or 0] + digits[own.stop :]
    return "(written)" if call.chance and shown else shown
