# SPDX-License-Identifier: Apache-2.0
"""The sources of root keys besides the file: what names them, what they give; that none holds up a start."""

import os
import shlex
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from softee.daemon.root_key import reading
from softee.daemon.root_key.reading import ROOT_KEY_SIZE, RootKeyError
from softee.daemon.root_key.source import KINDS, RootKeySource
from support.channel_attack import open_descriptors

KEY = bytes(range(ROOT_KEY_SIZE))
HEXADECIMAL = KEY.hex().encode()


def read(text: object) -> bytes:
    return bytes(RootKeySource(str(text)).read())


def printing(content: bytes, then: str = "") -> str:
    """Return the source of a program that prints this."""
    script = f"import sys; sys.stdout.buffer.write({content!r}); sys.stdout.close(); {then}"
    return f"command:{shlex.join([sys.executable, '-c', script])}"


@contextmanager
def passed(content: bytes) -> Iterator[int]:
    """Yield a descriptor that gives this and ends; whoever reads it closes it."""
    readable, writable = os.pipe()
    os.write(writable, content)
    os.close(writable)
    yield readable


@pytest.fixture
def credential(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    file = tmp_path / "softee.root-key"
    file.write_bytes(KEY)
    file.chmod(0o440)  # as systemd's access control lists show
    return file


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("/etc/root.key", "/etc/root.key"),
        ("file:/etc/root.key", "/etc/root.key"),
        ("/etc/with:colon", "/etc/with:colon"),
        ("~/root.key", f"{Path.home()}/root.key"),
        ("credential:", "credential:softee.root-key"),
        ("credential:other", "credential:other"),
        ("command:/bin/cat '/my key'", "command:/bin/cat '/my key'"),
        ("descriptor:3", "descriptor:3"),
        ("tpm:/etc/root.tpm", "tpm:/etc/root.tpm"),
        ("tpm:/root.tpm?pcrs=sha256:7&tcti=device:/dev/tpmrm0", "tpm:/root.tpm?pcrs=sha256:7&tcti=device:/dev/tpmrm0"),
    ],
)
def test_a_text_names_a_source_and_is_written_back(text: str, written: str) -> None:
    source = RootKeySource(text)
    assert str(source) == written
    assert RootKeySource(str(source)) == source
    assert (source.file is not None) == written.startswith("/")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("root.key", "absolute path"),
        ("vault:secret", "'vault' is no source of root keys; there are file, credential"),
        ("credential:../x", "without slashes"),
        ("credential:..", "without slashes"),
        ("command:", "absolute path of a program"),
        ("command:cat /key", "absolute path of a program"),
        ("command:/bin/cat '", "quotation"),
        ("descriptor:", "at least 3"),
        ("descriptor:2", "at least 3"),
        ("descriptor:-1", "at least 3"),
        ("tpm:root.tpm", "absolute path"),
        ("tpm:/root.tpm?pin=1", "not pin"),
        ("tpm:/root.tpm?pcrs", "bad query"),
    ],
)
def test_a_text_that_names_no_source_is_refused(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        RootKeySource(text)


def test_all_hand_over_the_same_key_and_leave_nothing_open(credential: Path) -> None:
    before = open_descriptors()
    assert read("credential:") == KEY
    assert read(printing(KEY)) == KEY
    assert read(f"command:/bin/cat {credential}") == KEY
    with passed(KEY) as descriptor:
        assert read(f"descriptor:{descriptor}") == KEY
    assert open_descriptors() <= before


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
def test_a_key_may_be_written_in_hexadecimal(end: bytes) -> None:
    with passed(HEXADECIMAL + end) as descriptor:
        assert read(f"descriptor:{descriptor}") == KEY


@pytest.mark.parametrize(
    "content",
    [b"", KEY[:-1], KEY + b"\0", b"x" * 64, HEXADECIMAL[:-1], HEXADECIMAL + b" \n", b"z" * 4096],
)
def test_what_is_no_key_is_damaged(content: bytes) -> None:
    with passed(content) as descriptor, pytest.raises(RootKeyError, match="damaged: it must have exactly 32 bytes"):
        read(f"descriptor:{descriptor}")


def test_no_sentence_and_no_repr_has_the_key(credential: Path) -> None:
    source = RootKeySource("credential:")
    credential.chmod(0o600)
    credential.write_bytes(HEXADECIMAL + b"0")
    with pytest.raises(RootKeyError) as caught:
        source.read()
    assert KEY.hex()[:8] not in f"{caught.value} {source!r}"


@pytest.mark.parametrize("kind", [kind for kind, row in KINDS.items() if row.make is None])
def test_no_key_is_made_where_others_keep_it(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    place = {"credential": "", "command": f"{tmp_path}/none", "descriptor": "999"}[kind]
    source = RootKeySource(f"{kind}:{place}")
    with pytest.raises(RootKeyError, match=r"is missing|cannot be read"):
        source.read_or_make(is_needed=lambda: False)
    assert list(tmp_path.iterdir()) == []


def test_a_service_without_credentials_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    with pytest.raises(RootKeyError, match="no credentials"):
        read("credential:")


def test_a_missing_credential_is_told(credential: Path) -> None:
    credential.unlink()
    with pytest.raises(RootKeyError, match=r"softee\.root-key is missing"):
        read("credential:")


@pytest.mark.parametrize("mode", [0o620, 0o602])
def test_a_credential_that_others_could_write_is_refused(credential: Path, mode: int) -> None:
    credential.chmod(mode)
    with pytest.raises(RootKeyError, match="written by others"):
        read("credential:")


def test_a_credential_that_is_a_pipe_does_not_hang(credential: Path) -> None:
    credential.unlink()
    os.mkfifo(credential)
    with pytest.raises(RootKeyError, match="not a regular file"):
        read("credential:")


def test_a_program_that_fails_gives_no_key() -> None:
    with pytest.raises(RootKeyError, match=r"failed \(status 3\)"):
        read(printing(KEY, "import os; os._exit(3)"))


def test_a_program_that_does_not_end_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("softee.daemon.root_key.handed.READ_WITHIN", 0.01)
    with pytest.raises(RootKeyError, match="did not end"):
        read(printing(KEY, "import time; os = __import__('os'); os.close(1); time.sleep(60)"))


def test_a_program_that_prints_without_end_is_not_read_to_its_end() -> None:
    with pytest.raises(RootKeyError, match="damaged"):
        read("command:/bin/cat /dev/zero")


def test_a_descriptor_that_never_gives_a_key_does_not_hang_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "READ_WITHIN", 0.0)
    ours, theirs = socket.socketpair()
    with ours, pytest.raises(RootKeyError, match="did not come from of descriptor"):
        read(f"descriptor:{theirs.detach()}")


def test_a_descriptor_that_is_not_open_is_told() -> None:
    with pytest.raises(RootKeyError, match="Bad file descriptor"):
        read("descriptor:999")
