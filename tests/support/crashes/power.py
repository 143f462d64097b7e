# SPDX-License-Identifier: Apache-2.0
"""What a power cut leaves of a directory: what was synced, and of the rest anything, by sectors."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from support.crashes.observer import Deed, DiskCall

SECTOR = 512
"""Bytes that a disk writes whole or not at all."""

Survives = Callable[[], bool]
"""Says of each sector and length that was not synced, and of new names, whether they are there after the cut."""


@dataclass
class _File:
    """What a file has: bytes, zeros after them up to its length, and what was done since it was last synced."""

    content: bytearray = field(default_factory=bytearray)
    length: int = 0
    since: list[DiskCall] = field(default_factory=list)

    def sync(self) -> None:
        for call in self.since:
            self._do(call, lambda: True)
        self.since.clear()

    def cut(self, survives: Survives) -> "_File":
        """Return what a power cut leaves."""
        left = _File(bytearray(self.content), self.length)
        for call in self.since:
            left._do(call, survives)
        return left

    def _do(self, call: DiskCall, survives: Survives) -> None:
        if call.deed is Deed.TRUNCATE:
            if survives():
                self.length = call.number
                del self.content[self.length :]
            return
        for start, end in _sectors(call.number, call.number + len(call.data)):
            if survives():
                self.content.extend(bytes(max(0, start - len(self.content))))
                self.content[start:end] = call.data[start - call.number : end - call.number]
                self.length = max(self.length, end)


def _sectors(start: int, end: int) -> Iterator[tuple[int, int]]:
    while start < end:
        after = min(end, start - start % SECTOR + SECTOR)
        yield start, after
        start = after


class Disk:
    """A directory to which what was recorded is done once more."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._names: dict[str, _File] = {}
        self._synced_names: dict[str, _File] = {}

    def do(self, call: DiskCall) -> None:
        """Do a recorded call. What is done to a file that has no name any more is lost anyway."""
        match call.deed:
            case Deed.CREATE:
                self._names[call.path] = _File()
            case Deed.UNLINK:
                del self._names[call.path]
            case Deed.RENAME:
                self._names[call.data.decode()] = self._names.pop(call.path)
            case Deed.SYNC if call.path == str(self._directory):
                self._synced_names = dict(self._names)
            case Deed.SYNC if call.path in self._names:
                self._names[call.path].sync()
            case _ if call.path in self._names:
                self._names[call.path].since.append(call)

    def cut(self, survives: Survives, into: Path) -> None:
        """Write what a power cut at this moment leaves into an empty directory."""
        names = self._names if survives() else self._synced_names
        for path, file in names.items():
            left = file.cut(survives)
            with (into / Path(path).name).open("wb") as written:
                written.write(left.content)
                written.truncate(left.length)
