# SPDX-License-Identifier: Apache-2.0
"""Is an audit log as it was written: what was changed, cut, reordered, added or dropped, and what proves it.

Each line has the hash of the line before it, so a line that was changed does not fit the one that follows. What says
where the log ends is the secure world (``AuditVouch``); without it the newest line that is signed.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from softee.tee.audit_chain import NOTHING, SIGNED, Line, LineError, decode_line, line_hash, signed_message
from softee.tee.audit_head import AuditVouch, fingerprint


class KeyTextError(ValueError):
    """A text is not the public key of an audit log."""


@dataclass(frozen=True, slots=True)
class Read:
    """A line as it was read, and where."""

    where: str
    """What it is called in a finding."""
    line: bytes
    first_of: int | None = None
    """The number that its file's name promises, where it is its first line."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong."""

    where: str
    what: str


@dataclass(slots=True)
class AuditReport:
    """What was found."""

    lines: int = 0
    first: int = 0
    """The number of the first line that is there; 0: there is none."""
    last: int = 0
    signed: int = 0
    """The last line with a right signature; 0: there is none."""
    left_out: int = 0
    """Events of which the log says that they were left out."""
    newest: int | None = None
    """The number of the newest line, as the secure world says; None: it was not asked."""
    findings: list[Finding] = field(default_factory=list)


def load_key(text: str | bytes) -> Ed25519PublicKey:
    """Return a public key from PEM. Raises KeyTextError."""
    try:
        key = load_pem_public_key(text.encode() if isinstance(text, str) else text)
    except (ValueError, UnsupportedAlgorithm):
        raise KeyTextError("it does not decode as a public key in PEM") from None
    if not isinstance(key, Ed25519PublicKey):
        raise KeyTextError("it is no Ed25519 key")
    return key


def verify_lines(
    lines: Iterable[Read],
    key: Ed25519PublicKey,
    vouch: AuditVouch | None = None,
    later: Callable[[], AuditVouch] | None = None,
) -> AuditReport:
    """Look at all lines of a log, in their order.

    Args:
        lines: of all its files that are there, the oldest first.
        key: by which it is signed.
        vouch: where it ended before the lines were read. None: what was dropped behind the last line is not noticed.
        later: says where it ends now, where it is written to meanwhile.

    """
    walk = _Walk(key)
    for read in lines:
        walk.take(read, vouch)
    if vouch is not None:
        walk.end(vouch, later)
    return walk.report


class _Walk:
    """A walk along the lines."""

    def __init__(self, key: Ed25519PublicKey) -> None:
        self._key = key
        self._name = fingerprint(key)
        self._before = NOTHING
        self._passed_newest = False
        self.report = AuditReport()

    def take(self, read: Read, vouch: AuditVouch | None) -> None:
        """Look at a line."""
        try:
            line = decode_line(read.line)
        except LineError as error:
            if vouch is None or not _is_waiting(self._before, read.line, vouch):
                self._find(read.where, str(error))
            return
        report = self.report
        for what in self._misplaced(read, line):
            self._find(read.where, what)
        if line.fields["event"] == SIGNED:
            self._check_signature(read, line)
        left_out = line.fields.get("left_out")
        report.left_out += left_out if isinstance(left_out, int) else 0
        report.first = report.first or line.number
        report.lines += 1
        report.last = line.number
        self._before = read.line
        self._passed_newest |= vouch is not None and read.line == vouch.line.encode()

    def end(self, vouch: AuditVouch, later: Callable[[], AuditVouch] | None) -> None:
        """Compare the last line with the newest one."""
        newest, report = vouch.line.encode(), self.report
        report.newest = _number(vouch)
        report.left_out += vouch.left_out
        where = f"after line {report.last}"
        if self._before == newest or _is_waiting(self._before, newest, vouch):
            return
        if self._passed_newest and later is not None and report.last <= _number(later()):
            report.newest = report.last
        elif report.last < report.newest:
            self._find(where, f"lines {report.last + 1} to {report.newest} are missing")
        elif report.last > report.newest:
            self._find(where, f"line {report.newest} is the newest: the secure world did not write what follows it")
        else:
            self._find(where, "it is not the newest line that the secure world has written: it was changed")

    def _misplaced(self, read: Read, line: Line) -> Iterator[str]:
        """Say what is wrong with a line where it stands."""
        last = self.report.last
        if read.first_of is not None and read.first_of != line.number:
            yield f"the file's first line is {line.number}, its name says {read.first_of}: it was cut"
        if not last:
            if line.number == 1 and line.previous != line_hash(NOTHING):
                yield "it is not the first line of a log"
            return
        if line.number > last + 1:
            yield f"lines {last + 1} to {line.number - 1} are missing"
        elif line.number <= last:
            yield f"line {line.number} follows line {last}: lines were reordered, or repeated"
        elif line.previous != line_hash(self._before):
            yield f"line {last} is not what line {line.number} follows: one of them was changed"

    def _check_signature(self, read: Read, line: Line) -> None:
        if self._is_signed(line):
            self.report.signed = line.number
        else:
            self._find(read.where, "the signature is not that of this secure world's key")

    def _is_signed(self, line: Line) -> bool:
        try:
            signature = bytes.fromhex(str(line.fields.get("signature")))
            self._key.verify(signature, signed_message(line.number, line.previous))
        except (InvalidSignature, ValueError):
            return False
        return line.fields.get("key") == self._name

    def _find(self, where: str, what: str) -> None:
        self.report.findings.append(Finding(where, what))


def _number(vouch: AuditVouch) -> int:
    return decode_line(vouch.line.encode()).number if vouch.line else 0


def _is_waiting(before: bytes, found: bytes, vouch: AuditVouch) -> bool:
    """Say whether the newest line, or a beginning of it, may stand after a line: a crash came before all of it did.

    The secure world has the whole, and writes it at its next start.
    """
    newest = vouch.line.encode()
    return bool(newest) and newest.startswith(found) and decode_line(newest).previous == line_hash(before)
