# SPDX-License-Identifier: Apache-2.0
"""What every store promises (softee.stores.base), over every store."""

import tempfile
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from softee.stores.base import ABSENT, ConflictError, Revision, Store, StoreError, end_of_prefix
from softee.wire.frames import MAX_LENGTH
from support.stores import DURABLE, STORES, snapshot

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


@pytest.mark.parametrize(
    "value", [b"", b"\0", b"value", bytes(MAX_LENGTH + 4096)], ids=["empty", "zero", "short", "the largest object"]
)
def test_a_value_comes_back_byte_for_byte_with_its_revision(store: Store, value: bytes) -> None:
    revision = store.commit(expected={}, puts={b"key": value})
    record = store.get(b"key")
    assert record is not None
    assert (record.value, record.revision) == (value, revision)


def test_a_store_that_takes_changes_says_so_and_changes_nothing(store: Store) -> None:
    before = store.commit(expected={}, puts={b"key": b""})
    store.check()
    assert store.commit(expected={}, puts={b"key": b""}) == before + 1


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


@pytest.mark.parametrize("prefix", [b"", b"k", b"\xff"])
def test_sizes_are_those_of_what_range_gives(store: Store, prefix: bytes) -> None:
    store.commit(expected={}, puts={b"k1": bytes(70_000), b"k2": b"", b"other": b"x", b"\xff\xff": b"yz"})
    assert sorted(store.sizes(prefix)) == [(key, len(record.value)) for key, record in store.range(prefix)]


def test_a_removed_record_is_gone_and_removing_nothing_is_no_error(store: Store) -> None:
    store.commit(expected={}, puts={b"key": b"value"})
    store.commit(expected={}, puts={}, deletes=[b"key", b"other"])
    assert store.get(b"key") is None


def test_what_is_put_and_deleted_at_once_is_put(store: Store) -> None:
    for value in (b"1", b"2"):
        store.commit(expected={}, puts={b"key": value}, deletes=[b"key", b"other"])
        assert snapshot(store) == {b"key": value}


def test_a_thousand_records_change_in_one_commit_or_not_at_all(store: Store) -> None:
    """C_InitToken removes all objects of a token at once."""
    keys = [b"%04d" % number for number in range(1000)]
    revision = store.commit(expected=dict.fromkeys(keys, ABSENT), puts=dict.fromkeys(keys, bytes(200)))
    assert [(key, record.revision) for key, record in store.range(b"")] == [(key, revision) for key in keys]
    with pytest.raises(ConflictError):
        store.commit(expected={keys[-1]: ABSENT}, puts={b"head": b"new"}, deletes=keys)
    assert snapshot(store).keys() == set(keys)
    store.commit(expected={keys[-1]: revision}, puts={b"head": b"new"}, deletes=keys)
    assert snapshot(store) == {b"head": b"new"}


@pytest.mark.parametrize("kind", DURABLE)
def test_what_was_committed_is_there_after_reopening_with_its_revision(kind: str, tmp_path: Path) -> None:
    with closing(STORES[kind](tmp_path)) as store:
        store.commit(expected={}, puts={b"key": b"value", b"gone": b"value"})
        last = store.commit(expected={}, puts={b"other": b"value"}, deletes=[b"gone"])
        before = store.range(b"")
    with closing(STORES[kind](tmp_path)) as store:
        assert store.range(b"") == before
        assert store.commit(expected={b"other": last, b"gone": ABSENT}, puts={b"key": b"2"}) > last


def test_a_closed_store_says_so_and_is_closed_again_without_harm(kind: str, tmp_path: Path) -> None:
    store = STORES[kind](tmp_path)
    store.commit(expected={}, puts={b"key": b"value"})
    store.close()
    store.close()
    for use in (
        lambda: store.get(b"key"),
        lambda: store.range(b""),
        lambda: store.commit(expected={}, puts={b"key": b"value"}),
    ):
        with pytest.raises(StoreError):
            use()


def test_a_store_has_a_name_for_sentences(store: Store) -> None:
    assert store.name
    assert store.name.isprintable()


def test_the_end_of_a_prefix_is_after_all_that_begin_with_it() -> None:
    assert [end_of_prefix(prefix) for prefix in (b"a", b"a\xff", b"a\xff\xff", b"\0", b"\xfe\xff")] == [
        *(b"b", b"b", b"b", b"\1", b"\xff"),
    ]
    assert [end_of_prefix(prefix) for prefix in (b"", b"\xff", b"\xff\xff")] == [None, None, None]


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
            store.commit(expected={}, puts=puts, deletes=deletes)
            model = {key: value for key, value in model.items() if key not in deletes} | puts
            assert [(key, record.value) for key, record in store.range(b"")] == sorted(model.items())
        store.close()
