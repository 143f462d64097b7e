# SPDX-License-Identifier: Apache-2.0
"""The form of the audit log: a JSON object in each line, which has the SHA-256 of the line before it; some are signed.

So whoever knows the newest line's hash knows of every line before it whether it is as it was written. A signed line
vouches for all before it, to whoever has the public key alone.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives.hashes import SHA256, Hash

LARGEST_LINE: Final = 8192
"""Bytes, with the newline: what is written has a few hundred, five named keys with long labels would have 6 KiB."""
NOTHING: Final = b""
"""The line before the first one."""
HASH_SIZE: Final = 32
LAST_NUMBER: Final = (1 << 53) - 1
"""What every reader of JSON takes for a whole number."""
SIGNED: Final = "signed"
"""The event of a line that is signed."""

_DOMAIN: Final = b"softee audit 1\0"

Fields = Mapping[str, object]
"""What a line says: names with what JSON has."""


class LineError(ValueError):
    """Bytes are no line of the log. The text is for a person, and holds nothing of them."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line that was read. Its number and hash say where it claims to belong; nothing of it is believed yet."""

    number: int
    previous: bytes
    fields: Fields


def encode_line(number: int, previous: bytes, fields: Fields) -> bytes:
    """Return a line. ``previous`` is the line before it.

    Raises:
        LineError: it would be too long.

    """
    line = _encoded({"number": 0, **fields} | {"number": number, "previous": line_hash(previous).hex()})
    if len(line) > LARGEST_LINE:
        raise LineError(f"a line of {len(line)} bytes")
    return line


def decode_line(line: bytes) -> Line:
    """Read a line. Raises LineError for what is not written as ``encode_line`` writes."""
    if len(line) > LARGEST_LINE or not line.endswith(b"\n"):
        raise LineError("it is too long" if len(line) > LARGEST_LINE else "it has no end")
    try:
        fields = json.loads(line)
    except (ValueError, RecursionError):
        raise LineError("it is no JSON") from None
    if not isinstance(fields, dict) or _encoded(fields) != line:
        raise LineError("it is not written as the secure world writes")
    number, previous = fields.get("number"), fields.get("previous")
    if type(number) is not int or not 1 <= number <= LAST_NUMBER or not isinstance(fields.get("event"), str):
        raise LineError("it has no number, or no event")
    try:
        before = bytes.fromhex(previous) if isinstance(previous, str) else b""
    except ValueError:
        before = b""
    if len(before) != HASH_SIZE:
        raise LineError("it has no hash of the line before it")
    return Line(number, before, fields)


def line_hash(line: bytes) -> bytes:
    """Return the hash by which the next line knows a line: zeros for the one before the first."""
    if line == NOTHING:
        return bytes(HASH_SIZE)
    digest = Hash(SHA256())
    digest.update(line)
    return digest.finalize()


def signed_message(number: int, previous: bytes) -> bytes:
    """Return what the signature in a line is of: its number, and the hash of the line before it."""
    return _DOMAIN + number.to_bytes(8, "big") + previous


def _encoded(fields: Fields) -> bytes:
    """Write JSON in one way only: ASCII, so that no text in it steers a terminal or ends a line."""
    written = json.dumps(fields, ensure_ascii=True, separators=(",", ":")).encode("ascii")
    return written.replace(b"\x7f", b"\\u007f") + b"\n"
