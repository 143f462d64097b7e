# SPDX-License-Identifier: Apache-2.0
"""The audit log, as the one process that writes it has it.

The newest line lies sealed in a vault, whole, and then goes to the end of the log's file. So the vault always knows
where the log ends; a crash between the two loses nothing, since the line is written when the log is opened again; and
what stands in the file beyond it was not written here.

A line that the vault has is written. Where the file cannot take it, the next line waits for that.
"""

import logging
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from enum import Enum
from threading import Lock
from typing import Final, Protocol

from softee.stores.base import StoreError
from softee.tee.audit_chain import NOTHING, SIGNED, Fields, decode_line, encode_line, line_hash, signed_message
from softee.tee.audit_head import AuditHead, AuditVouch, fingerprint, load_head, signing_key, store_head, vouch
from softee.tee.vault import Vault

log = logging.getLogger(__name__)

SIGNED_EVERY: Final = 256
"""Lines of which one is signed; so is the last one of an orderly end."""
KEPT: Final = 24
"""How many of the newest lines are kept to be shown."""


class End(Enum):
    """What the log's files end with."""

    WRITTEN = "the newest line"
    WAITING = "the line before it"
    DAMAGED = "something else"


class Lines(Protocol):
    """The files of the log. Their errors are StoreErrors, after which nothing of a line is there."""

    def resume(self, line: bytes) -> End:
        """Look what they end with, and go on there; after something else, in a new file.

        Args:
            line: the newest line, NOTHING where there is none. Where a crash has cut it, what is there is taken away.

        """
        ...

    def append(self, number: int, line: bytes) -> None:
        """Write a line durably."""
        ...

    def require_room(self) -> None:
        """Raise StoreFullError where there is no room for further lines."""
        ...


Tell = Callable[[int, int], object]
"""Is told the number of the newest line, and how many events were left out since."""


def tell_nobody(_line: int, _left_out: int) -> None:
    """Do nothing."""


class AuditLog:
    """The log. Safe to use from several threads."""

    def __init__(
        self,
        vault: Vault,
        lines: Lines,
        now: Callable[[], str],
        *,
        required: bool,
        tell: Tell = tell_nobody,
    ) -> None:
        """Open the log, or begin it.

        Args:
            vault: the log's own.
            lines: where the lines go.
            now: tells the time, as it is written.
            required: what cannot be written is refused; else it is counted.
            tell: is told of each change.

        Raises:
            TamperedError: the vault holds no line.
            StoreError: the vault, or the files, failed.

        """
        self._vault = vault
        self._lines = lines
        self._now = now
        self._required = required
        self._lock = Lock()
        self._key = signing_key(vault)
        self._head = load_head(vault)
        self._number = self._head.number
        self._latest = deque([self._head.line] if self._head.line else [], KEPT)
        self._is_failing = False
        self._tell = tell
        self._tell(self._number, self._head.left_out)
        end = lines.resume(self._head.line)
        self._is_written = end is not End.WAITING
        if end is End.DAMAGED:
            log.error("the audit log's files do not end with line %d, the newest: they were changed", self._number)
            self.write({"event": "damaged", "expected": self._number})

    def vouch(self) -> AuditVouch:
        """Return what is said of the log to whoever verifies it."""
        with self._lock:
            return vouch(self._vault, self._head)

    def latest(self) -> bytes:
        """Return the newest lines, those before the log was opened left out but for the last."""
        with self._lock:
            return b"".join(self._latest)

    def require_room(self) -> None:
        """Raise StoreError where a line could not be written now."""
        with self._lock:
            self._settle()
            self._lines.require_room()

    def write(self, fields: Fields) -> None:
        """Write a line; when it returns, the line is durable.

        Raises:
            StoreError: it could not, and lines are required. Where they are not, it is counted, and the next line says
                how many were left out.

        """
        with self._lock:
            try:
                self._write(fields)
            except StoreError as error:
                self._say(error)
                if self._required:
                    raise
                self._leave_out()

    def close(self, fields: Fields | None = None) -> None:
        """Write a last line, if there is anything to say, and sign what is not signed yet."""
        with self._lock:
            try:
                if fields is not None:
                    self._write(fields)
                if not self._is_signed():
                    self._sign()
            except StoreError as error:
                self._say(error)

    def _write(self, fields: Fields) -> None:
        left_out = {"left_out": self._head.left_out} if self._head.left_out else {}
        self._add({**fields, **left_out})
        if (self._number + 1) % SIGNED_EVERY == 0:
            try:
                self._sign()
            except StoreError as error:
                self._say(error)  # the event is written; another line will be signed

    def _is_signed(self) -> bool:
        line = self._head.line
        return line == NOTHING or decode_line(line).fields["event"] == SIGNED

    def _sign(self) -> None:
        signature = self._key.sign(signed_message(self._number + 1, line_hash(self._head.line)))
        self._add({"event": SIGNED, "key": fingerprint(self._key.public_key()), "signature": signature.hex()})

    def _add(self, fields: Fields) -> None:
        """Add a line, when the one before it is in the file. Raises StoreError: it was not added."""
        self._settle()
        line = encode_line(self._number + 1, self._head.line, {"time": "", **fields} | {"time": self._now()})
        head = AuditHead(line)
        store_head(self._vault, head)
        self._head, self._number, self._is_written = head, self._number + 1, False
        self._latest.append(line)
        self._tell(self._number, 0)
        try:
            self._settle()
        except StoreError as error:
            self._say(error)
        else:
            self._is_failing = False

    def _settle(self) -> None:
        """Have the newest line in the file. Raises StoreError."""
        if not self._is_written:
            self._lines.append(self._number, self._head.line)
            self._is_written = True

    def _leave_out(self) -> None:
        self._head = replace(self._head, left_out=self._head.left_out + 1)
        self._tell(self._number, self._head.left_out)
        try:
            store_head(self._vault, self._head)
        except StoreError as error:
            self._say(error)  # it is still counted here

    def _say(self, error: StoreError) -> None:
        """Say, once, that the log cannot be written."""
        if not self._is_failing:
            what = "what must be noted is refused" if self._required else "events are left out, and counted"
            log.error("the audit log cannot be written, %s: %s", what, error)
        self._is_failing = True
