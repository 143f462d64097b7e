# SPDX-License-Identifier: Apache-2.0
"""Where the root key comes from: a table of kinds of sources, and the one text that names a source.

``KIND:PLACE`` names one; a path alone is the file there. A key is made only where its source can keep one, and only
where there is nothing that another key would have to open.
"""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final, Self

from softee.daemon.root_key import file, handed, tpm
from softee.daemon.root_key.reading import ROOT_KEY_SIZE, RootKeyError
from softee.tee.wiping import wipe


@dataclass(frozen=True)
class Kind:
    """A kind of source.

    ``read`` returns the key at a place; FileNotFoundError says that there is none yet. ``make`` keeps a new one there;
    None where others make it. ``checked`` returns a place as it is written down, or raises ValueError.
    """

    read: Callable[[str], bytearray]
    make: Callable[[str, bytearray], None] | None
    checked: Callable[[str], str]


def absolute_path(place: str) -> str:
    """Return a path with ``~`` expanded. Raises ValueError where it is not absolute then."""
    path = Path(place).expanduser()
    if not path.is_absolute():
        raise ValueError("expected an absolute path")
    return str(path)


KINDS: Final[Mapping[str, Kind]] = MappingProxyType(
    {
        "file": Kind(file.read, file.make, absolute_path),
        "credential": Kind(handed.credential, None, handed.credential_name),
        "command": Kind(handed.command, None, handed.command_line),
        "descriptor": Kind(handed.descriptor, None, handed.descriptor_number),
        "tpm": Kind(tpm.read, tpm.make, tpm.sealed_file),
    }
)


def is_path(text: str) -> bool:
    """Tell whether a text names no kind of source: it is the path of a file then."""
    kind, colon, _ = text.partition(":")
    return not colon or "/" in kind


class RootKeySource(str):
    """A source, written as the text that names it."""

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        """Check a text, and write it in the one way. Raises ValueError, whose text says what is wrong."""
        kind, _, place = ("file", "", text) if is_path(text) else text.partition(":")
        if kind not in KINDS:
            raise ValueError(f"{kind!r} is no source of root keys; there are {', '.join(KINDS)}")
        checked = KINDS[kind].checked(place)
        return super().__new__(cls, checked if kind == "file" else f"{kind}:{checked}")

    @property
    def kind(self) -> str:
        """Its row of KINDS."""
        return "file" if is_path(self) else self.partition(":")[0]

    @property
    def place(self) -> str:
        """What its kind reads and makes."""
        return str(self) if is_path(self) else self.partition(":")[2]

    @property
    def file(self) -> Path | None:
        """The file that has the key as it is; None for other kinds."""
        return Path(self.place) if self.kind == "file" else None

    def read(self) -> bytearray:
        """Return the key, 32 bytes. The caller wipes it.

        Raises:
            RootKeyError: it cannot be used, cannot be read, or is not there.

        """
        try:
            return self._read()
        except FileNotFoundError:
            raise RootKeyError(f"The root key {self} is missing.") from None

    def read_or_make(self, *, is_needed: Callable[[], bool]) -> bytearray:
        """Return the key, made now if it is not there and not needed yet. The caller wipes it.

        Args:
            is_needed: tells whether anything was sealed under it; asked only where it is missing. The store knows: on a
                second machine the key is missing, and one of its own would open nothing.

        Raises:
            RootKeyError: it cannot be used, read or made, or is missing though it is needed.

        """
        try:
            return self._read()
        except FileNotFoundError:
            pass
        if is_needed():
            raise RootKeyError(f"The root key {self} is missing; without it nothing that is stored opens.")
        self._make()
        return self.read()

    def _read(self) -> bytearray:
        try:
            return KINDS[self.kind].read(self.place)
        except FileNotFoundError:
            raise
        except OSError as error:
            raise RootKeyError(f"The root key {self} cannot be read: {error.strerror or error}.") from None

    def _make(self) -> None:
        make = KINDS[self.kind].make
        if make is None:
            raise RootKeyError(f"The root key {self} is missing: put 32 random bytes there, or name another source.")
        key = bytearray(secrets.token_bytes(ROOT_KEY_SIZE))
        try:
            make(self.place, key)
        except OSError as error:
            raise RootKeyError(f"The root key {self} cannot be made: {error.strerror or error}.") from None
        finally:
            wipe(key)
