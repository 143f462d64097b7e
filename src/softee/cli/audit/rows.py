# SPDX-License-Identifier: Apache-2.0
"""The audit log's lines as people read them: the cells of a row for each."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

COLUMNS: Final = ("number", "time (UTC)", "event", "result", "uid", "pid", "slot", "what")

Event = Mapping[str, Any]
"""A line's fields, or none where a line cannot be read."""

_CELLS: Final = ("result", "uid", "pid", "slot")
_SHOWN: Final = frozenset({"number", "time", "event", *_CELLS, "token", "previous", "function"})
_NAMED: Final = ("key", "object", "wrapped", "made")
_LONG: Final = frozenset({"signature", "identity"})


def read_event(line: bytes) -> Event:
    """Return a line's fields; none where the secure world does not write so."""
    from softee.tee.audit_chain import LineError, decode_line  # noqa: PLC0415 - the help does not wait for cryptography

    try:
        return decode_line(line).fields
    except LineError:
        return {}


def cells(line: bytes) -> tuple[str, ...]:
    """Return the cells of a line's row. What is in them is as the log has it: nothing is made printable."""
    event = read_event(line)
    if not event:
        return *("" for _ in COLUMNS[1:]), "a line that the secure world did not write so"
    when = str(event.get("time", ""))[:19].replace("T", " ")
    first = (event["number"], when, event["event"], *(event.get(name, "") for name in _CELLS))
    return *map(str, first), _what(event)


def objects_of(event: Event) -> Iterator[tuple[str, Event]]:
    """Yield the objects that an event names, with what they are to it."""
    for name in _NAMED:
        told = event.get(name)
        for one in told if isinstance(told, list) else [told]:
            if isinstance(one, dict):
                yield name, one


def _what(event: Event) -> str:
    """Return what else an event says, in a few words."""
    others = {name: value for name, value in event.items() if name not in _SHOWN | _LONG | {*_NAMED}}
    words = [f"{name} {value if isinstance(value, str | int) else json.dumps(value)}" for name, value in others.items()]
    return ", ".join([*words, *(f"{name} {_object(one)}" for name, one in objects_of(event))])


def _object(one: Event) -> str:
    number = one.get("number", one.get("session_handle", one.get("handle", 0)))
    words = [str(one.get("class", "object")), f"{number:#x}" if isinstance(number, int) else ""]
    words += [f"id {one['id']}"] if "id" in one else []
    words += [f'"{one["label"]}"'] if "label" in one else []
    return " ".join(words)
