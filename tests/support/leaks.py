# SPDX-License-Identifier: Apache-2.0
"""Searches texts for secrets, in every form in which a careless line could have them."""

import base64
import re
from collections.abc import Iterable, Iterator

PIECE = 8
"""Bytes of a secret that are looked for: a line may have cut it."""
_FEW = 4
"""Different bytes that make a piece worth looking for: zeros stand everywhere."""
_LARGEST_NUMBER = 1024
"""Bytes of a secret that Python writes as a number."""


class Secrets:
    """What must be in no text."""

    def __init__(self, secrets: Iterable[bytes] = ()) -> None:
        self._forms: dict[str, str] = {}
        for secret in secrets:
            self.add(secret)

    def __len__(self) -> int:
        return len(self._forms)

    def add(self, secret: bytes | bytearray) -> None:
        """Add a secret, and its pieces."""
        value = bytes(secret)
        for piece in {value, value[:PIECE], value[-PIECE:], value[len(value) // 2 :][:PIECE]}:
            if len(set(piece)) > _FEW:
                self._forms |= dict.fromkeys(_forms(piece), value.hex())

    def found_in(self, text: str) -> list[str]:
        """Return what was found, each in the form that was found."""
        return sorted(form for form in self._forms if form in text)


def _forms(value: bytes) -> Iterator[str]:
    yield value.hex()
    yield value.hex().upper()
    yield value.hex(" ")
    yield base64.b64encode(value)[: 4 * (len(value) // 3)].decode()
    yield repr(list(value))[1:-1]
    yield repr(value)[2:-1]
    yield value.decode("latin-1")
    yield value.decode("utf-8", "backslashreplace")
    if len(value) <= _LARGEST_NUMBER:
        yield str(int.from_bytes(value, "big"))
        yield str(int.from_bytes(value, "little"))


def pins_in(text: str, pins: Iterable[bytes]) -> list[str]:
    """Return the PINs that stand in a text by themselves: short ones are parts of many a number, or a process' own."""
    words = (pin.decode("ascii") for pin in pins)
    said = re.sub(r"\bpid \d+", "", text)
    return [word for word in words if re.search(rf"(?<![0-9A-Fa-f.]){re.escape(word)}(?![0-9A-Fa-f])", said)]
