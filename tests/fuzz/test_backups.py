# SPDX-License-Identifier: Apache-2.0
"""Any file is a backup that its passphrase opens, or is refused; so is whatever such a file holds."""

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from softee.cli.failure import CliError, state_failures
from softee.daemon.at_rest.moving import Destination, import_token
from softee.daemon.at_rest.passphrase_file import MAGIC, PassphraseFileError, opened, sealed
from softee.daemon.at_rest.portable import read_portable
from softee.daemon.at_rest.restoring import restore
from softee.names import CKU, PKCS11_APPLICATION
from softee.tee.installation import installation_place, new_installation, seal_installation
from softee.wire.codec import Writer
from support.states import settings_in
from support.token_world import CHEAP

PASSPHRASE = bytearray(b"correct horse")
ROOT_KEY = bytes(32)
GOOD = (installation_place(PKCS11_APPLICATION).key, seal_installation(ROOT_KEY, PKCS11_APPLICATION, new_installation()))

RECORDS = st.dictionaries(st.binary(min_size=1, max_size=40) | st.just(GOOD[0]), st.binary(max_size=80), max_size=6)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("backups")


def holding(folder: Path, content: bytes) -> Path:
    """Return a file that the passphrase opens."""
    file = folder / "file"
    file.write_bytes(b"".join(sealed([content], PASSPHRASE, CHEAP)))
    return file


@given(st.binary(max_size=200))
def test_any_bytes_are_refused(folder: Path, content: bytes) -> None:
    for begin in (b"", MAGIC + b"\1" + b"".join(value.to_bytes(4, "little") for value in (8, 1, 1))):
        (folder / "file").write_bytes(begin + content)
        with pytest.raises(PassphraseFileError):
            list(opened(folder / "file", PASSPHRASE))


@given(st.binary(max_size=300))
def test_any_content_is_a_backup_or_refused(folder: Path, content: bytes) -> None:
    with suppress(PassphraseFileError):
        read_portable(holding(folder, content), PASSPHRASE)


@given(RECORDS)
def test_records_come_back_as_they_were(folder: Path, records: dict[bytes, bytes]) -> None:
    found = read_portable(holding(folder, written(records)), PASSPHRASE)
    assert {key: record.value for key, record in found.store.range(b"")} == records
    assert found.root_key == ROOT_KEY


def written(records: dict[bytes, bytes]) -> bytes:
    rows = (Writer().blob(key).blob(value).done() for key, value in sorted(records.items()))
    return ROOT_KEY + b"".join(rows)


@given(RECORDS, st.booleans())
@example(records={b"\1\0\0\0\0": b""}, is_good=False)
def test_whatever_a_backup_holds_is_restored_or_refused(
    folder: Path,
    records: dict[bytes, bytes],
    is_good: bool,  # noqa: FBT001 - hypothesis calls it
) -> None:
    file = holding(folder, written(records | dict([GOOD] if is_good else [])))
    settings = settings_in(folder / "here")
    with suppress(CliError), state_failures():
        restore(settings, file, PASSPHRASE, replace=True)


@given(RECORDS, st.booleans())
def test_whatever_a_backup_holds_has_a_token_or_is_refused(
    folder: Path,
    records: dict[bytes, bytes],
    is_good: bool,  # noqa: FBT001 - as above
) -> None:
    file = holding(folder, written(records | dict([GOOD] if is_good else [])))

    def ask(user: CKU) -> bytearray:
        raise AssertionError(user)

    with pytest.raises(CliError), state_failures():
        import_token(file, PASSPHRASE, ask, Destination(settings_in(folder / "there")))
