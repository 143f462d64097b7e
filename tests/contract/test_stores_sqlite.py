# SPDX-License-Identifier: Apache-2.0
"""What the SQLite store promises beyond the contract: its file, its settings, its word on files of others."""

import shutil
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from softee.stores import sqlite
from softee.stores.base import StoreDamagedError, StoreError, StoreFullError, StoreUnavailableError
from softee.stores.sqlite import APPLICATION_ID, SCHEMA_VERSION, SqliteStore
from support.channel_attack import open_descriptors
from support.stores import snapshot


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


@pytest.fixture
def store(path: Path) -> Iterator[SqliteStore]:
    store = SqliteStore(path)
    yield store
    store.close()


def edit(path: Path, *statements: str) -> None:
    """Change the file behind the store's back."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


def test_a_closed_store_and_one_that_does_not_open_leave_nothing_open(path: Path) -> None:
    before = open_descriptors()
    for _ in range(2):
        SqliteStore(path).close()
    path.write_bytes(b"no database at all, but long enough to be looked at" * 100)
    with pytest.raises(StoreError):
        SqliteStore(path)
    assert open_descriptors() <= before


def test_all_files_are_readable_by_their_owner_alone(store: SqliteStore, path: Path) -> None:
    store.commit(expected={}, puts={b"key": b"value"})
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    assert modes == dict.fromkeys(["store.db", "store.db-wal"], 0o600)


def test_a_file_that_others_could_read_is_closed_to_them(path: Path) -> None:
    SqliteStore(path).close()
    path.chmod(0o644)
    SqliteStore(path).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("pragma", "value"),
    [
        ("locking_mode", "exclusive"),
        ("journal_mode", "wal"),
        ("synchronous", 2),
        ("secure_delete", 1),
        ("journal_size_limit", 0),
        ("trusted_schema", 0),
        ("cell_size_check", 1),
    ],
)
def test_durability_settings_are_in_force(store: SqliteStore, pragma: str, value: object) -> None:
    assert store._connection.execute(f"PRAGMA {pragma}").fetchone() == (value,)


def test_a_setting_that_sqlite_does_not_follow_is_an_error(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "_SETTINGS", (("secure_delete", "FAST", 1),))
    with pytest.raises(StoreError, match="SQLite refuses secure_delete = FAST"):
        SqliteStore(path)


def test_replaced_and_removed_values_are_not_left_in_any_file(path: Path) -> None:
    with closing(SqliteStore(path)) as store:
        store.commit(
            expected={}, puts={b"replaced": b"needle-1" * 900, b"removed": b"needle-2" * 900, b"kept": b"kept"}
        )
        store.commit(expected={}, puts={b"replaced": b"new"}, deletes=[b"removed"])
    left = b"".join(file.read_bytes() for file in path.parent.iterdir())
    assert b"kept" in left
    assert b"needle" not in left


def test_the_log_of_a_long_running_store_does_not_keep_what_was_removed(store: SqliteStore, path: Path) -> None:
    store.commit(expected={}, puts={b"removed": b"needle" * 900})
    store.commit(expected={}, puts={}, deletes=[b"removed"])
    for step in range(6):
        store.commit(expected={}, puts={b"other": bytes([step]) * (1 << 20)})
    assert path.with_name("store.db-wal").stat().st_size < 8 << 20
    assert not any(b"needle" in file.read_bytes() for file in path.parent.iterdir())


def test_a_full_disk_is_reported_and_changes_nothing(store: SqliteStore) -> None:
    store.commit(expected={}, puts={b"key": b"value"})
    (pages,) = store._connection.execute("PRAGMA page_count").fetchone()
    store._connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StoreFullError, match="the disk is full"):
        store.commit(expected={}, puts={b"key": b"other", b"big": bytes(1 << 20)})
    assert snapshot(store) == {b"key": b"value"}
    store._connection.execute("PRAGMA max_page_count = 1000000")
    store.commit(expected={}, puts={b"key": b"other"})
    assert snapshot(store) == {b"key": b"other"}


def test_a_file_that_is_open_is_unavailable_to_everybody_else(
    store: SqliteStore, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("softee.stores.sqlite.BUSY_TIMEOUT_SECONDS", 0.05)
    store.commit(expected={}, puts={b"key": b"value"})
    with pytest.raises(StoreUnavailableError, match="another process holds the file"):
        SqliteStore(path)
    store.commit(expected={}, puts={b"key": b"2"})
    store.close()
    with closing(SqliteStore(path)) as other:
        assert snapshot(other) == {b"key": b"2"}


def test_attack_no_file_that_is_mapped_lies_beside_the_store(store: SqliteStore, path: Path) -> None:
    """Who truncates one kills the process (SIGBUS)."""
    for number in range(100):
        store.commit(expected={}, puts={b"%d" % number: bytes(1000)})
    assert {file.name for file in path.parent.iterdir()} == {"store.db", "store.db-wal"}
    mapped = Path("/proc/self/maps").read_text()
    assert str(path) not in mapped


def test_a_closed_store_says_so_with_a_store_error(path: Path) -> None:
    store = SqliteStore(path)
    store.close()
    with pytest.raises(StoreError):
        store.get(b"key")


@pytest.mark.parametrize(
    "content", [b"not a database" * 100, bytes(range(256)) * 16, b"SQLite format 3\0" + bytes(4080)]
)
def test_a_file_that_is_no_database_is_refused_with_its_name(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(StoreDamagedError, match=r"store\.db"):
        SqliteStore(path)


def test_a_database_of_another_program_is_refused_and_left_alone(path: Path) -> None:
    edit(path, "CREATE TABLE passwords (name, password)")
    before = path.read_bytes()
    with pytest.raises(StoreError, match="another program"):
        SqliteStore(path)
    assert path.read_bytes() == before


def test_a_newer_schema_is_refused(path: Path) -> None:
    SqliteStore(path).close()
    edit(path, f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    with pytest.raises(StoreError, match="newer softee"):
        SqliteStore(path)


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TRIGGER t AFTER INSERT ON records BEGIN DELETE FROM records; END",
        "CREATE INDEX i ON records (revision)",
        "CREATE VIEW v AS SELECT * FROM records",
        "DROP TABLE counter",
    ],
)
def test_a_schema_that_was_changed_is_refused(path: Path, statement: str) -> None:
    SqliteStore(path).close()
    edit(path, statement)
    with pytest.raises(StoreDamagedError, match="not those of a softee store"):
        SqliteStore(path)


@pytest.mark.parametrize(
    "statement",
    ["UPDATE records SET value = 'text'", "UPDATE records SET value = 7", "UPDATE records SET revision = 'text'"],
)
def test_columns_of_wrong_types_are_store_errors(path: Path, statement: str) -> None:
    with closing(SqliteStore(path)) as store:
        store.commit(expected={}, puts={b"key": b"value"})
    edit(path, statement)
    with closing(SqliteStore(path)) as store:
        with pytest.raises(StoreDamagedError, match="altered"):
            store.get(b"key")
        with pytest.raises(StoreDamagedError, match="altered"):
            store.range(b"k")


@pytest.mark.parametrize("statement", ["DELETE FROM counter", "UPDATE counter SET revision = 9223372036854775807"])
def test_a_counter_that_was_altered_is_a_store_error(path: Path, statement: str) -> None:
    SqliteStore(path).close()
    edit(path, statement)
    with closing(SqliteStore(path)) as store:
        with pytest.raises(StoreDamagedError, match="altered"):
            store.commit(expected={}, puts={b"key": b"value"})
        assert snapshot(store) == {}


def test_damaged_database_pages_never_raise_anything_but_a_store_error(path: Path) -> None:
    with closing(SqliteStore(path)) as store:
        store.commit(expected={}, puts={b"%d" % i: bytes([i]) * 300 for i in range(100)})
    original = path.read_bytes()
    refused = 0
    for start in range(0, len(original), 1024):
        path.write_bytes(original[:start] + bytes(64) + original[start + 64 :])
        try:
            with closing(SqliteStore(path)) as store:
                snapshot(store)
        except StoreError:
            refused += 1
    assert refused


def test_attack_a_damaged_schema_that_is_no_text_is_a_store_error(path: Path) -> None:
    SqliteStore(path).close()
    path.write_bytes(path.read_bytes().replace(b"WITHOUT ROWID", b"WITHOUT ROWI\xc4"))
    with pytest.raises(StoreDamagedError, match="restore it from a backup"):
        SqliteStore(path)


def test_a_missing_directory_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="nowhere"):
        SqliteStore(tmp_path / "nowhere" / "store.db")


def test_a_symbolic_link_is_not_followed(path: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").touch()
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StoreError):
        SqliteStore(path)


@pytest.mark.parametrize("name", ["store.db", "store.db-wal"])
@pytest.mark.parametrize("action", ["removed", "replaced"])
def test_a_file_that_went_away_under_the_store_takes_no_change(
    store: SqliteStore, path: Path, name: str, action: str
) -> None:
    """What is written to a file without a name is gone with the process."""
    store.commit(expected={}, puts={b"key": b"value"})
    file, aside = path.with_name(name), path.with_name("aside")
    file.rename(aside)
    if action == "replaced":
        file.write_bytes(aside.read_bytes())
    for _ in range(2):
        with pytest.raises(StoreDamagedError, match=rf"{name} was removed, or replaced, while it was in use"):
            store.commit(expected={}, puts={b"key": b"lost"})
        with pytest.raises(StoreDamagedError):
            store.check()
    assert store.get(b"key") is not None
    aside.rename(file)
    store.commit(expected={}, puts={b"key": b"other"})
    assert snapshot(store) == {b"key": b"other"}


def test_a_directory_that_was_removed_takes_no_change(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    with closing(SqliteStore(tmp_path / "state" / "store.db")) as store:
        store.commit(expected={}, puts={b"key": b"value"})
        shutil.rmtree(tmp_path / "state")
        with pytest.raises(StoreDamagedError, match="nothing is stored any more"):
            store.commit(expected={}, puts={b"key": b"lost"})


def test_the_file_says_whose_it_is(path: Path) -> None:
    SqliteStore(path).close()
    assert path.read_bytes()[68:72] == APPLICATION_ID.to_bytes(4, "big") == b"STEE"
