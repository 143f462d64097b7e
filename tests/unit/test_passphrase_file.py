# SPDX-License-Identifier: Apache-2.0
"""Files that a passphrase opens: what was written comes back, of any size; what cannot be written or read is said."""

import os
from pathlib import Path

import pytest

from softee.daemon.at_rest import passphrase_file
from softee.daemon.at_rest.passphrase_file import PIECE, PassphraseFileError, opened, write_sealed
from support.token_world import CHEAP

PASSPHRASE = bytearray(b"correct horse")
REAL_COST = passphrase_file.COST


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passphrase_file, "COST", CHEAP)


@pytest.mark.parametrize("size", [0, 1, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE, 3 * PIECE + 5])
def test_what_was_written_comes_back_in_bounded_pieces(tmp_path: Path, size: int) -> None:
    content = os.urandom(size)
    parts = [content[: size // 3], b"", content[size // 3 :]]
    write_sealed(tmp_path / "file", parts, PASSPHRASE)
    pieces = list(opened(tmp_path / "file", PASSPHRASE))
    assert b"".join(pieces) == content
    assert {len(piece) for piece in pieces[:-1]} <= {PIECE}
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o600


def test_no_two_files_have_a_key_in_common(tmp_path: Path) -> None:
    for name in ("one", "other"):
        write_sealed(tmp_path / name, [bytes(100)], PASSPHRASE)
    one, other = (tmp_path / "one").read_bytes(), (tmp_path / "other").read_bytes()
    assert one[21:37] != other[21:37], "the salts"
    assert one[37:] != other[37:]


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"precious")
    with pytest.raises(PassphraseFileError, match="is there already; name another file"):
        write_sealed(tmp_path / "file", [b"content"], PASSPHRASE)
    assert (tmp_path / "file").read_bytes() == b"precious"


def test_a_short_passphrase_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PassphraseFileError, match="A passphrase has at least 8 bytes"):
        write_sealed(tmp_path / "file", [b"content"], bytearray(b"7 bytes"))
    assert not (tmp_path / "file").exists()


def test_what_could_not_be_finished_is_not_left(tmp_path: Path) -> None:
    def failing() -> "object":
        yield b"content"
        raise OSError(28, "No space left on device")

    with pytest.raises(PassphraseFileError, match="cannot be written: No space left"):
        write_sealed(tmp_path / "file", failing(), PASSPHRASE)  # type: ignore[arg-type]
    assert not (tmp_path / "file").exists()
    with pytest.raises(PassphraseFileError, match="cannot be written: No such file"):
        write_sealed(tmp_path / "none" / "file", [b"content"], PASSPHRASE)


def test_a_file_that_is_none_is_told_from_one_that_does_not_open(tmp_path: Path) -> None:
    file = tmp_path / "file"
    with pytest.raises(PassphraseFileError, match="cannot be read: No such file"):
        list(opened(file, PASSPHRASE))
    for content in (b"", b"SOFTEEBK", b"PK\3\4" + bytes(100)):
        file.write_bytes(content)
        with pytest.raises(PassphraseFileError, match="is no backup that a passphrase opens"):
            list(opened(file, PASSPHRASE))
    file.unlink()
    write_sealed(file, [b"content"], PASSPHRASE)
    written = file.read_bytes()
    file.write_bytes(written[:8] + b"\2" + written[9:])
    with pytest.raises(PassphraseFileError, match="version 2 of this format; a newer softee wrote it"):
        list(opened(file, PASSPHRASE))


def test_what_a_new_file_costs_is_within_what_is_read() -> None:
    assert REAL_COST.memory <= passphrase_file.MOST_MEMORY
    assert REAL_COST.passes <= passphrase_file.MOST_PASSES
    assert REAL_COST.lanes <= passphrase_file.MOST_LANES
