# SPDX-License-Identifier: Apache-2.0
"""A file that a passphrase opens: Argon2id (RFC 9106), then AES-256-GCM in pieces, by the STREAM construction.

STREAM is of Hoang, Reyhanitabar, Rogaway and Vizár (2015): a piece's nonce is its number and whether it is the last, so
pieces that were cut off, left out, put elsewhere or added do not open. The header is each piece's associated data; its
salt, which is random, makes the key, so no key sees two files. docs/storage-format.md has the tables.

What is read has not been vouched for as a whole before the last piece has opened: who reads uses nothing before that.
"""

import itertools
import os
import struct
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, Final, cast

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from softee.daemon.errors import StartError
from softee.disk.files import sync_names
from softee.pkcs11_ta.token.state import Cost
from softee.tee.wiping import wipe

MAGIC: Final = b"SOFTEEBK"
VERSION: Final = 1
PIECE: Final = 64 << 10
"""Bytes of plaintext in each piece but the last, which has at most as many."""

COST: Final = Cost(memory=256 << 10, passes=3, lanes=4)
"""Of new files: 1.1 s on two shared CPUs. Who has the file may guess for as long as he likes, unlike at a PIN."""
MOST_MEMORY: Final = 1 << 20
MOST_PASSES: Final = 16
MOST_LANES: Final = 16
"""What a file may ask for before anything in it can be believed: 1 GiB, and all together 13 s."""

SHORTEST_PASSPHRASE: Final = 8
"""Bytes of the passphrase of a new file."""

_HEADER: Final = struct.Struct("<8sBIII16s")
_TAG: Final = 16
_KEY: Final = 32
_LAST: Final = b"\1"
_NOT_LAST: Final = b"\0"


class PassphraseFileError(StartError):
    """A file cannot be written, or is not what was written; the text is a sentence."""


def write_sealed(file: Path, content: Iterable[bytes], passphrase: bytearray) -> None:
    """Write a new file, mode 0600, which is on the disk when this returns; what could not be finished is removed.

    Args:
        file: where; nothing may be there.
        content: in parts of any size.
        passphrase: what opens it.

    Raises:
        PassphraseFileError: the passphrase is too short; something is there already, or the file cannot be written.

    """
    if len(passphrase) < SHORTEST_PASSPHRASE:
        raise PassphraseFileError(f"A passphrase has at least {SHORTEST_PASSPHRASE} bytes.")
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as out:
                out.writelines(sealed(content, passphrase, COST))
                out.flush()
                os.fsync(descriptor)
        except BaseException:
            file.unlink(missing_ok=True)
            raise
        sync_names(file.parent)
    except FileExistsError:
        raise PassphraseFileError(f"{file} is there already; name another file.") from None
    except OSError as error:
        raise PassphraseFileError(f"{file} cannot be written: {error.strerror}.") from None


def sealed(content: Iterable[bytes], passphrase: bytearray, cost: Cost) -> Iterator[bytes]:
    """Yield the header, and then the pieces."""
    salt = os.urandom(16)
    header = _HEADER.pack(MAGIC, VERSION, cost.memory, cost.passes, cost.lanes, salt)
    cipher = _cipher(passphrase, salt, cost)
    yield header
    for number, (piece, is_last) in enumerate(_with_last(_in_pieces(content))):
        yield cipher.encrypt(_nonce(number, is_last=is_last), piece, header)


def opened(file: Path, passphrase: bytearray) -> Iterator[bytes]:
    """Yield what is in a file, in pieces.

    Raises:
        PassphraseFileError: the file cannot be read, is none of these, was altered, or the passphrase is another one.

    """
    try:
        with file.open("rb") as stream:
            yield from _opened(file, stream, passphrase)
    except OSError as error:
        raise PassphraseFileError(f"{file} cannot be read: {error.strerror}.") from None


def _opened(file: Path, stream: BinaryIO, passphrase: bytearray) -> Iterator[bytes]:
    header = stream.read(_HEADER.size)
    cipher = _cipher(passphrase, *_read_header(file, header))
    for number, (piece, is_last) in enumerate(_with_last(iter(lambda: stream.read(PIECE + _TAG), b""))):
        try:
            yield cipher.decrypt(_nonce(number, is_last=is_last), piece, header)
        except InvalidTag:
            raise PassphraseFileError(_refusal(file, number)) from None


def _refusal(file: Path, number: int) -> str:
    if number:
        return f"{file} was altered or cut off: piece {number} of it does not open."
    return f"{file} does not open: the passphrase is another one, or the file was altered."


def _read_header(file: Path, header: bytes) -> tuple[bytes, Cost]:
    """Return salt and cost, if they are such as can be worked with."""
    if len(header) < _HEADER.size or not header.startswith(MAGIC):
        raise PassphraseFileError(f"{file} is no backup that a passphrase opens.")
    _, version, memory, passes, lanes, salt = _HEADER.unpack(header)
    if version != VERSION:
        raise PassphraseFileError(f"{file} has version {version} of this format; a newer softee wrote it.")
    if not (8 * lanes <= memory <= MOST_MEMORY and 1 <= passes <= MOST_PASSES and 1 <= lanes <= MOST_LANES):
        raise PassphraseFileError(f"{file} was altered: it asks for more work than any such file does, or for none.")
    return salt, Cost(memory, passes, lanes)


def _cipher(passphrase: bytearray, salt: bytes, cost: Cost) -> AESGCM:
    key = bytearray(_KEY)
    try:
        Argon2id(salt=salt, length=_KEY, iterations=cost.passes, lanes=cost.lanes, memory_cost=cost.memory).derive_into(
            cast("bytes", passphrase), key
        )  # any buffer does, and a bytearray can be wiped
        return AESGCM(key)
    finally:
        wipe(key)


def _nonce(number: int, *, is_last: bool) -> bytes:
    return number.to_bytes(11, "big") + (_LAST if is_last else _NOT_LAST)


def _in_pieces(content: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the same bytes in pieces of one size; the last one may be shorter."""
    held = bytearray()
    for part in content:
        held += part
        while len(held) >= PIECE:
            yield bytes(held[:PIECE])
            del held[:PIECE]
    if held:
        yield bytes(held)


def _with_last(pieces: Iterator[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Yield each piece, and whether it is the last one; an empty one where there is none."""
    piece = next(pieces, b"")
    for after in itertools.chain(pieces, [b""]):
        yield piece, not after
        piece = after
