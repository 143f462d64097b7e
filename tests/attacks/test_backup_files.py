# SPDX-License-Identifier: Apache-2.0
"""An attacker who has the file of an encrypted backup, and not its passphrase: nothing altered is ever taken."""

from pathlib import Path

import pytest

from softee.daemon.at_rest import passphrase_file
from softee.daemon.at_rest.passphrase_file import PIECE, PassphraseFileError, opened, sealed, write_sealed
from softee.daemon.at_rest.portable import read_portable
from softee.wire.codec import Writer
from support.token_world import CHEAP

PASSPHRASE = bytearray(b"correct horse")
HEADER = 37
SEALED_PIECE = PIECE + 16


def written(file: Path, content: bytes) -> bytes:
    file.write_bytes(b"".join(sealed([content], PASSPHRASE, CHEAP)))
    return file.read_bytes()


def refused(file: Path, content: bytes, passphrase: bytearray = PASSPHRASE) -> str:
    """Return what is said of a file that is not to be taken."""
    file.write_bytes(content)
    with pytest.raises(PassphraseFileError) as error:
        list(opened(file, passphrase))
    return str(error.value)


def test_every_bit_that_is_flipped_is_noticed(tmp_path: Path) -> None:
    file = tmp_path / "file"
    whole = written(file, b"a small backup")
    for place in range(len(whole)):
        for bit in range(8):
            refused(file, whole[:place] + bytes([whole[place] ^ 1 << bit]) + whole[place + 1 :])


def test_every_place_at_which_it_is_cut_off_is_noticed(tmp_path: Path) -> None:
    file = tmp_path / "file"
    whole = written(file, b"a small backup")
    for end in range(len(whole)):
        refused(file, whole[:end])


def test_pieces_that_are_left_out_swapped_doubled_or_added_are_noticed(tmp_path: Path) -> None:
    file = tmp_path / "file"
    whole = written(file, b"1" * PIECE + b"2" * PIECE + b"3" * PIECE)
    header, pieces = whole[:HEADER], [whole[HEADER + at * SEALED_PIECE :][:SEALED_PIECE] for at in range(3)]
    one, two, three = pieces
    assert header + one + two + three == whole
    for instead in (
        [one, two],  # cut off between two pieces
        [two, three],
        [one, three],
        [two, one, three],
        [one, one, two, three],
        [one, two, three, three],
        [one, two, three, b"\0"],
        [three],
        [],
    ):
        assert "does not open" in refused(file, header + b"".join(instead))


def test_pieces_of_another_file_of_the_same_passphrase_do_not_open(tmp_path: Path) -> None:
    one, other = written(tmp_path / "one", bytes(100)), written(tmp_path / "other", bytes(100))
    refused(tmp_path / "file", one[:HEADER] + other[HEADER:])


def test_another_passphrase_does_not_open_it(tmp_path: Path) -> None:
    whole = written(tmp_path / "file", b"a small backup")
    for passphrase in (b"", b"correct horsf", b"correct horse ", b"correct hors", b"x" * 10000):
        said = refused(tmp_path / "file", whole, bytearray(passphrase))
        assert "the passphrase is another one, or the file was altered" in said


@pytest.mark.parametrize(
    ("at", "value"), [(9, 0xFFFFFFFF), (9, 0), (9, 31), (13, 17), (13, 0), (17, 17), (17, 0)], ids=str
)
def test_a_header_does_not_have_the_machine_work_itself_to_death(tmp_path: Path, at: int, value: int) -> None:
    whole = written(tmp_path / "file", b"a small backup")
    lanes = whole if at != 9 or value != 31 else whole[:17] + (4).to_bytes(4, "little") + whole[21:]
    said = refused(tmp_path / "file", lanes[:at] + value.to_bytes(4, "little") + lanes[at + 4 :])
    assert "asks for more work than any such file does, or for none" in said


def test_what_a_friend_of_the_passphrase_wrote_is_not_believed_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passphrase_file, "COST", CHEAP)
    key = bytes(32)
    row = Writer().blob(b"key").blob(b"value").done()
    for number, (content, said) in enumerate(
        (
            (key[:31], "32 bytes wanted"),
            (key + row + row, "records out of order"),
            (key + row[:-1], "5 bytes wanted"),
            (key + b"\1", "4 bytes wanted"),
            (key + Writer().u32(278).done(), "278 bytes are more than 277"),
            (key + Writer().blob(b"key").u32(0xFFFFFFFF).done(), "4294967295 bytes are more than"),
        )
    ):
        file = tmp_path / str(number)
        write_sealed(file, [content], PASSPHRASE)
        with pytest.raises(PassphraseFileError, match=f"opens, but holds no backup: {said}"):
            read_portable(file, PASSPHRASE)
