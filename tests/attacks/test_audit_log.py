# SPDX-License-Identifier: Apache-2.0
"""Attacks on the audit log by who can write to its files: a verification finds each."""

import io
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softee.daemon.audit.files import log_files
from softee.tee.audit_chain import LineError, decode_line, encode_line
from softee.tee.audit_verification import KeyTextError, Read, load_key, verify_lines
from support.audit import AuditWorld, Lines, rewrite, ten_events


@pytest.fixture
def world(tmp_path: Path) -> AuditWorld:
    return ten_events(tmp_path / "audit")


def changed_at(at: int, lines: Lines) -> Lines:
    return [*lines[:at], lines[at].replace(b"Z", b"z"), *lines[at + 1 :]]


def test_a_log_that_nobody_touched_is_as_it_was_written(world: AuditWorld) -> None:
    report = world.verify()
    assert (report.findings, report.first, report.last, report.signed, report.newest) == ([], 1, 12, 12, 12)
    assert world.verify(key_alone=True).findings == []


def test_attack_a_line_is_changed_with_its_own_hash_left_alone(world: AuditWorld) -> None:
    for at in range(11):
        before = world.lines()
        rewrite(world, partial(changed_at, at))
        assert world.findings() == [f"line {at + 1} is not what line {at + 2} follows: one of them was changed"]
        (path,) = log_files(world.folder)
        path.write_bytes(b"".join(before))


def test_attack_a_line_is_changed_and_all_hashes_after_it_are_made_anew(world: AuditWorld) -> None:
    def forge(lines: Lines) -> Lines:
        forged = [lines[0]]
        for line in lines[1:]:
            fields = dict(decode_line(line).fields)
            if fields.get("uid") == 5:
                fields["uid"] = 6
            forged.append(encode_line(len(forged) + 1, forged[-1], fields))
        return forged

    rewrite(world, forge)
    assert world.findings() == [
        "the signature is not that of this secure world's key",
        "it is not the newest line that the secure world has written: it was changed",
    ]
    assert world.verify(key_alone=True).findings, "the signature tells it without the state, too"


@pytest.mark.parametrize("count", [1, 2, 11])
def test_attack_the_tail_is_dropped(world: AuditWorld, count: int) -> None:
    rewrite(world, lambda lines: lines[:-count])
    gone = [f"lines {13 - count} to 12 are missing"]
    # The newest line is in the store: where it alone is gone, nothing is lost, and the next start writes it again.
    assert world.findings() == ([] if count == 1 else gone)


def test_attack_all_files_are_removed(world: AuditWorld) -> None:
    (path,) = log_files(world.folder)
    path.unlink()
    assert world.findings() == ["lines 1 to 12 are missing"]


def test_attack_lines_are_taken_out_of_the_middle(world: AuditWorld) -> None:
    rewrite(world, lambda lines: lines[:4] + lines[6:])
    assert world.findings() == ["lines 5 to 6 are missing"]


def test_attack_a_file_is_cut_at_its_beginning(world: AuditWorld) -> None:
    rewrite(world, lambda lines: lines[3:])
    assert world.findings() == ["the file's first line is 4, its name says 1: it was cut"]


def test_attack_lines_are_reordered_or_repeated(world: AuditWorld) -> None:
    rewrite(world, lambda lines: [*lines[:4], lines[5], lines[4], *lines[6:]])
    assert "line 5 follows line 6: lines were reordered, or repeated" in world.findings()
    rewrite(world, lambda lines: [*lines[:4], lines[5], lines[4], *lines[6:]])
    assert world.findings() == []
    rewrite(world, lambda lines: [*lines[:4], lines[3], *lines[4:]])
    assert world.findings() == ["line 4 follows line 4: lines were reordered, or repeated"]


def test_attack_a_line_is_added_behind_the_newest(world: AuditWorld) -> None:
    rewrite(world, lambda lines: [*lines, encode_line(13, lines[-1], {"event": "logout"})])
    assert world.findings() == ["line 12 is the newest: the secure world did not write what follows it"]


def test_attack_another_log_is_put_in_its_place(world: AuditWorld, tmp_path: Path) -> None:
    other = ten_events(tmp_path / "other")
    rewrite(world, lambda _: other.lines())
    assert world.findings() == [
        "the signature is not that of this secure world's key",
        "it is not the newest line that the secure world has written: it was changed",
    ]


def reader(world: AuditWorld) -> Callable[[bytes], bool]:
    """Return what tells of a file's content whether it is the log, as it was written."""
    vouch = world.vouch()
    key = load_key(vouch.public_key)

    def is_whole(data: bytes) -> bool:
        reads = (Read(f"{at}", line, None if at else 1) for at, line in enumerate(io.BytesIO(data)))
        return not verify_lines(reads, key, vouch).findings

    return is_whole


def test_attack_every_bit_of_the_log_is_flipped(tmp_path: Path) -> None:
    world = AuditWorld(tmp_path / "audit")
    world.log.write({"event": "login"})
    world.stop()
    is_whole = reader(world)
    (path,) = log_files(world.folder)
    good = path.read_bytes()
    assert is_whole(good)
    for bit in range(8 * len(good)):
        bad = bytearray(good)
        bad[bit // 8] ^= 1 << bit % 8
        assert not is_whole(bytes(bad)), bit


def test_attack_the_log_is_cut_at_every_byte(world: AuditWorld) -> None:
    (path,) = log_files(world.folder)
    good = path.read_bytes()
    is_whole, without_last = reader(world), len(good) - len(world.lines()[-1])
    for size in range(len(good)):
        assert is_whole(good[:size]) == (size >= without_last), size


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, int, Callable[[bytes], bool]]:
    """Return a log, how much of it is not its last line, and what tells whether it is whole."""
    world = ten_events(tmp_path_factory.mktemp("known") / "audit")
    lines = world.lines()
    return b"".join(lines), len(b"".join(lines[:-1])), reader(world)


@given(st.data())
def test_attack_whatever_is_written_over_any_part_of_the_log_is_found(
    known: tuple[bytes, int, Callable[[bytes], bool]], data: st.DataObject
) -> None:
    good, without_last, is_whole = known
    lines = good.splitlines(keepends=True)
    where = st.integers(0, len(good)) | st.sampled_from([len(b"".join(lines[:count])) for count in range(len(lines))])
    begin, end = sorted((data.draw(where), data.draw(where)))
    put = data.draw(st.binary(max_size=200) | st.sampled_from(lines))
    edited = good[:begin] + put + good[end:]
    unharmed = edited == good or (good.startswith(edited) and len(edited) >= without_last)
    assert is_whole(edited) == unharmed


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"\n",
        b"{}\n",
        b"[]\n",
        b"[" * 4000 + b"\n",
        b'{"number":1}' * 1000 + b"\n",
        b'{"number":true,"event":"x","previous":"' + b"0" * 64 + b'"}\n',
        b'{"number":0,"event":"x","previous":"' + b"0" * 64 + b'"}\n',
        b'{"number":1,"event":1,"previous":"' + b"0" * 64 + b'"}\n',
        b'{"number":1,"event":"x","previous":"' + b"0" * 62 + b'"}\n',
        b'{"number":1,"event":"x","previous":"' + b"z" * 64 + b'"}\n',
        b'{"number":1,"event":"x","event":"x","previous":"' + b"0" * 64 + b'"}\n',
        b'{"number": 1,"event":"x","previous":"' + b"0" * 64 + b'"}\n',
        b'{"number":1,"event":"\xc3\xa4","previous":"' + b"0" * 64 + b'"}\n',
        b'{"number":1,"event":"x","previous":"' + b"0" * 64 + b'"}',
        b'{"number":1,"event":"' + b"x" * 9000 + b'","previous":"' + b"0" * 64 + b'"}\n',
        b'{"number":' + b"9" * 5000 + b',"event":"x","previous":"' + b"0" * 64 + b'"}\n',
    ],
)
def test_what_is_no_line_is_refused(line: bytes) -> None:
    with pytest.raises(LineError):
        decode_line(line)


@given(st.binary(max_size=300))
def test_any_bytes_are_a_line_or_refused(data: bytes) -> None:
    with pytest.raises(LineError):
        decode_line(data)


@given(st.dictionaries(st.text(max_size=9), st.text(max_size=99) | st.integers(-9, 9), max_size=5))
def test_a_line_is_ascii_without_control_characters_and_read_as_it_was_written(fields: dict[str, object]) -> None:
    line = encode_line(7, b"before\n", {"event": "e"} | fields | {"event": "e"})
    assert all(0x20 <= byte < 0x7F for byte in line[:-1])
    read = decode_line(line)
    assert (read.number, dict(read.fields)) == (
        7,
        {**fields, "event": "e", "number": 7, "previous": read.previous.hex()},
    )


def test_a_text_that_is_no_key_is_refused() -> None:
    for text in ("", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"):
        with pytest.raises(KeyTextError):
            load_key(text)
