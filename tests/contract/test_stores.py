# SPDX-License-Identifier: Apache-2.0
"""What every store promises (softee.stores.base), over every store."""

import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from softee.stores.base import ABSENT, ConflictError, Revision, Store
from support.stores import STORES, snapshot

KEYS = st.binary(min_size=1, max_size=3)


@pytest.fixture(params=STORES)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def store(kind: str, tmp_path: Path) -> Iterator[Store]:
    store = STORES[kind](tmp_path)
    yield store
    store.close()


def test_an_empty_store_has_nothing(store: Store) -> None:
    assert store.get(b"key") is None
    assert store.range(b"") == []


@pytest.mark.parametrize("value", [b"", b"\0", b"value", bytes(1 << 20)], ids=["empty", "zero", "short", "1 MiB"])
def test_a_value_comes_back_byte_for_byte_with_its_revision(store: Store, value: bytes) -> None:
    revision = store.commit(expected={}, puts={b"key": value})
    record = store.get(b"key")
    assert record is not None
    assert (record.value, record.revision) == (value, revision)


def test_revisions_rise_with_each_commit_even_when_records_are_removed(store: Store) -> None:
    revisions = [ABSENT]
    for _ in range(3):
        revisions.append(store.commit(expected={}, puts={b"key": b""}))
        revisions.append(store.commit(expected={}, puts={}, deletes=[b"key"]))
    assert revisions == sorted(set(revisions))


def test_range_gives_the_keys_with_the_prefix_in_byte_order(store: Store) -> None:
    keys = [b"a", b"a\0", b"a\xff", b"a\xff\xff", b"b", b"\xff", b"\xff\xff", b"A", b"aa"]
    store.commit(expected={}, puts=dict.fromkeys(keys, b""))
    for prefix in (b"", b"a", b"a\xff", b"\xff", b"\xff\xff", b"\xff\xff\xff", b"c"):
        assert [key for key, _ in store.range(prefix)] == sorted(key for key in keys if key.startswith(prefix))


def test_a_removed_record_is_gone_and_removing_nothing_is_no_error(store: Store) -> None:
    store.commit(expected={}, puts={b"key": b"value"})
    store.commit(expected={}, puts={}, deletes=[b"key", b"other"])
    assert store.get(b"key") is None


def test_the_expected_revision_lets_a_commit_through(store: Store) -> None:
    first = store.commit(expected={b"key": ABSENT}, puts={b"key": b"1"})
    store.commit(expected={b"key": first, b"other": ABSENT}, puts={b"key": b"2"})
    assert snapshot(store) == {b"key": b"2"}


@pytest.mark.parametrize("stale", [ABSENT, Revision(1)], ids=["absent", "older"])
def test_another_revision_than_expected_changes_nothing_at_all(store: Store, stale: Revision) -> None:
    store.commit(expected={}, puts={b"key": b"1", b"victim": b"1"})
    store.commit(expected={}, puts={b"key": b"2"})
    before = store.range(b"")
    with pytest.raises(ConflictError):
        store.commit(expected={b"key": stale}, puts={b"key": b"3", b"new": b"3"}, deletes=[b"victim"])
    assert store.range(b"") == before


def test_a_removed_record_conflicts_with_its_old_revision(store: Store) -> None:
    revision = store.commit(expected={}, puts={b"key": b"1"})
    store.commit(expected={}, puts={}, deletes=[b"key"])
    with pytest.raises(ConflictError):
        store.commit(expected={b"key": revision}, puts={b"key": b"2"})


def test_concurrent_writers_lose_no_update(store: Store) -> None:
    store.commit(expected={}, puts={b"count": b"0"})

    def count_to(limit: int) -> None:
        done = 0
        while done < limit:
            record = store.get(b"count")
            assert record is not None
            try:
                store.commit(expected={b"count": record.revision}, puts={b"count": b"%d" % (int(record.value) + 1)})
            except ConflictError:
                continue
            done += 1

    threads = [threading.Thread(target=count_to, args=(20,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert snapshot(store) == {b"count": b"80"}


@pytest.mark.parametrize("kind", STORES)
@settings(max_examples=40)
@given(commits=st.lists(st.tuples(st.dictionaries(KEYS, st.binary(max_size=8), max_size=4), st.sets(KEYS, max_size=3))))
def test_a_store_is_a_sorted_map(kind: str, commits: list[tuple[dict[bytes, bytes], set[bytes]]]) -> None:
    model: dict[bytes, bytes] = {}
    with tempfile.TemporaryDirectory() as directory:
        store = STORES[kind](Path(directory))
        for puts, deletes in commits:
            store.commit(expected={}, puts=puts, deletes=deletes - puts.keys())
            model = {key: value for key, value in model.items() if key not in deletes} | puts
            assert [(key, record.value) for key, record in store.range(b"")] == sorted(model.items())
        store.close()
