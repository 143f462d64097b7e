# SPDX-License-Identifier: Apache-2.0
"""Crashes, full disks, and who changes the audit log's files while it is written: nothing is lost or hidden."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from softee.daemon.audit.files import log_files
from softee.daemon.health import health
from softee.stores.base import StoreError, StoreFullError
from softee.tee import audit_log
from softee.tee.audit import PLACE, StoredAudit
from softee.tee.audit_chain import encode_line
from softee.tee.audit_head import AuditHead, load_head, store_head
from softee.tee.audit_log import SIGNED_EVERY
from softee.tee.audit_verification import KeyTextError, load_key
from softee.tee.sealing import TamperedError
from softee.wire.health import AUDIT_FAILED
from support.audit import AuditWorld, Lines, rewrite, ten_events


@pytest.fixture
def world(tmp_path: Path) -> AuditWorld:
    return ten_events(tmp_path / "audit")


def test_a_crash_between_store_and_file_loses_no_line_and_leaves_no_hole(tmp_path: Path) -> None:
    whole = AuditWorld(tmp_path / "audit")
    whole.log.write({"event": "login"})
    whole.log.write({"event": "logout"})
    whole.crash()
    (path,) = log_files(whole.folder)
    good, last = path.read_bytes(), whole.lines()[-1]
    for left in (*range(5), len(last) // 2, len(last) - 1):
        path.write_bytes(good[: len(good) - len(last) + left])
        assert whole.findings() == []
        whole.start()
        whole.log.require_room()
        assert path.read_bytes() == good
        whole.crash()


def test_a_crash_at_the_first_line_of_a_file_loses_none(tmp_path: Path) -> None:
    world = AuditWorld(tmp_path / "audit", largest=1)
    world.log.write({"event": "login"})
    world.log.write({"event": "logout"})
    world.crash()
    good = world.lines()
    for left in (*range(5), len(good[-1]) // 2, len(good[-1]) - 1):
        log_files(world.folder)[-1].write_bytes(good[-1][:left])
        world.start()
        world.log.require_room()
        assert world.lines() == good
        world.crash()
    assert len(log_files(world.folder)) == 2


@pytest.mark.parametrize("change", [lambda lines: lines[:-2], lambda lines: [*lines, b"{}\n"], lambda lines: lines[:1]])
def test_attack_a_log_that_was_changed_while_nobody_wrote_is_told_and_never_written_over(
    world: AuditWorld, change: Callable[[Lines], Lines], caplog: pytest.LogCaptureFixture
) -> None:
    rewrite(world, change)
    (path,) = log_files(world.folder)
    left = path.read_bytes()
    world.start()
    assert "the audit log's files do not end with line 12, the newest: they were changed" in caplog.text
    world.log.write({"event": "login"})
    world.stop()
    first, second = log_files(world.folder)
    assert (first.read_bytes(), second.name) == (left, "audit-000000000013.jsonl")
    assert world.events()[-4]["event"] == "damaged"
    assert world.findings(), "what was changed is still found"


def test_attack_the_newest_file_was_emptied_while_nobody_wrote(world: AuditWorld) -> None:
    rewrite(world, lambda _: [])
    world.start()
    world.stop()
    assert [event["event"] for event in world.events()] == ["damaged", "stop", "signed"]
    assert world.verify().first == 13


def test_attack_a_file_stands_where_the_next_one_belongs(world: AuditWorld) -> None:
    forged = world.folder / "audit-000000000013.jsonl"
    forged.write_bytes(encode_line(13, world.lines()[-1], {"event": "logout"}))
    world.start()
    world.stop()
    assert (world.folder / "audit-000000000013.jsonl.aside-1").exists()
    assert [event["event"] for event in world.events()[12:]] == ["damaged", "stop", "signed"]
    assert world.findings() == []


def test_attack_the_file_is_removed_while_it_is_written_to(tmp_path: Path) -> None:
    world = AuditWorld(tmp_path / "audit")
    world.log.write({"event": "login"})
    (path,) = log_files(world.folder)
    path.unlink()
    world.log.write({"event": "logout"})  # the store has it
    for _ in range(2):
        with pytest.raises(StoreError, match="was removed"):
            world.log.write({"event": "login"})
        with pytest.raises(StoreError, match="was removed"):
            world.log.require_room()


@pytest.mark.parametrize("kind", ["link", "fifo", "directory"])
def test_attack_what_is_no_file_stands_in_its_place(tmp_path: Path, kind: str) -> None:
    folder = tmp_path / "audit"
    folder.mkdir(mode=0o700)
    path = folder / "audit-000000000001.jsonl"
    match kind:
        case "link":
            path.symlink_to(tmp_path / "elsewhere")
        case "fifo":
            os.mkfifo(path)
        case _:
            path.mkdir()
    with pytest.raises(StoreError):
        AuditWorld(folder)
    assert not (tmp_path / "elsewhere").exists()


class FullDisk:
    """A disk on which files cannot grow while it is ``full``."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.full = False
        write, allocate = os.write, os.posix_fallocate
        monkeypatch.setattr(os, "write", lambda *its: write(*its) if not self.full else self._refuse())
        monkeypatch.setattr(os, "posix_fallocate", lambda *its: allocate(*its) if not self.full else self._refuse())

    def _refuse(self) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_full_disk_refuses_before_anything_is_done_and_what_was_noted_comes_when_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, disk = AuditWorld(tmp_path / "audit"), FullDisk(monkeypatch)
    audit = StoredAudit(world.audited, lambda _: 0, required=True)
    audit.require()
    disk.full = True
    audit.note({"event": "login"})  # it was let in before
    with pytest.raises(StoreFullError):
        audit.require()
    disk.full = False
    audit.require()
    world.stop()
    assert [event["event"] for event in world.events()] == ["login", "stop", "signed"]
    assert world.findings() == []


@pytest.mark.parametrize("required", [True, False])
def test_a_log_that_cannot_be_written_is_told_by_the_secure_world_s_health(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, required: bool
) -> None:
    world, disk = AuditWorld(tmp_path / "audit", required=required), FullDisk(monkeypatch)
    assert health(world.audited, None, lambda: True) == 0
    disk.full = True
    world.log.write({"event": "login"})
    assert health(world.audited, None, lambda: True) == AUDIT_FAILED.bit
    disk.full = False
    assert health(world.audited, None, lambda: True) == 0


def test_on_a_full_disk_the_best_effort_counts_what_it_leaves_out_and_the_count_outlives_a_crash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, disk = AuditWorld(tmp_path / "audit", required=False), FullDisk(monkeypatch)
    world.log.write({"event": "login"})
    disk.full = True
    for _ in range(4):  # the first one is in the store
        world.log.write({"event": "logout"})
    assert world.vouch().left_out == 3
    world.crash()
    disk.full = False
    world.start()
    world.stop()
    assert [(event["event"], event.get("left_out")) for event in world.events()] == [
        *(("login", None), ("logout", None)),
        *(("stop", 3), ("signed", None)),
    ]
    report = world.verify()
    assert (report.findings, report.left_out) == ([], 3)


def test_a_store_that_fails_is_told_once_and_the_best_effort_goes_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    world = AuditWorld(tmp_path / "audit", required=False)
    world.store.failing = True
    for _ in range(3):
        world.log.write({"event": "login"})
    assert caplog.text.count("the audit log cannot be written") == 1
    world.store.failing = False
    world.log.write({"event": "login"})
    assert world.events()[-1]["left_out"] == 3


def test_where_it_is_required_a_store_that_fails_refuses_the_event(tmp_path: Path) -> None:
    world = AuditWorld(tmp_path / "audit")
    world.store.failing = True
    with pytest.raises(StoreFullError):
        world.log.write({"event": "login"})
    world.store.failing = False
    world.log.write({"event": "logout"})
    assert [event["event"] for event in world.events()] == ["logout"]
    assert world.findings() == []


def test_attack_a_worker_s_event_that_is_none_is_refused(tmp_path: Path) -> None:
    world = AuditWorld(tmp_path / "audit")
    for event in (b"", b"[]", b'"login"', b"{" * 9000, b'{"event":"' + b"x" * 9000 + b'"}'):
        with pytest.raises(StoreError, match="takes no such event"):
            world.audited.commit(expected={}, puts={PLACE: event})
    world.audited.commit(expected={}, puts={PLACE: b'{"event":"login","number":9,"time":"","previous":""}'})
    world.stop()
    assert world.findings() == []
    assert world.events()[0]["number"] == 1


def test_files_follow_each_other_and_old_ones_may_be_moved_away(tmp_path: Path) -> None:
    world = AuditWorld(tmp_path / "audit", largest=2000)
    for number in range(SIGNED_EVERY):
        world.log.write({"event": "login", "uid": number})
    world.stop()
    files = log_files(world.folder)
    assert len(files) > 10
    report = world.verify()
    assert (report.findings, report.lines, report.signed) == ([], SIGNED_EVERY + 3, SIGNED_EVERY + 3)
    for path in files[:5]:
        path.unlink()
    report = world.verify()
    assert (report.findings, report.first > 1) == ([], True)
    files[7].unlink()
    assert len(world.findings()) == 1


@pytest.mark.parametrize("kept", [b"no line\n", b"{}\n", b'{"number":1}'])
def test_attack_an_end_of_the_log_that_is_no_line_is_tampering(tmp_path: Path, kept: bytes) -> None:
    world = AuditWorld(tmp_path / "audit")
    store_head(world.vault(), AuditHead(kept))
    with pytest.raises(TamperedError, match="newest line does not decode"):
        load_head(world.vault())


def test_what_was_left_out_before_the_first_line_is_counted(tmp_path: Path) -> None:
    world = AuditWorld(tmp_path / "audit", required=False)
    world.store.failing = True
    world.log.write({"event": "login"})
    world.store.failing = False
    world.log.write({"event": "login"})
    assert [event.get("left_out") for event in world.events()] == [1]


def test_a_line_that_cannot_be_signed_now_is_signed_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = AuditWorld(tmp_path / "audit")
    monkeypatch.setattr(audit_log, "SIGNED_EVERY", 2)
    signing = world.log._sign

    def fails() -> None:
        raise StoreFullError("the disk is full")

    monkeypatch.setattr(world.log, "_sign", fails)
    world.log.write({"event": "login"})
    world.log.close()
    assert [event["event"] for event in world.events()] == ["login"]
    monkeypatch.setattr(world.log, "_sign", signing)
    world.log.close()
    assert [event["event"] for event in world.events()] == ["login", "signed"]
    assert world.findings() == []


def test_a_key_of_another_kind_verifies_no_log() -> None:
    other = generate_private_key(SECP256R1()).public_key()
    with pytest.raises(KeyTextError, match="no Ed25519 key"):
        load_key(other.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
