# SPDX-License-Identifier: Apache-2.0
"""Vaults: what a change does, and that it does all of it or nothing."""

import threading
from collections.abc import Collection, Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softee.stores.base import ConflictError, Record, Revision, StoreError
from softee.stores.memory import MemoryStore
from softee.tee.opening import HEAD_VERSION
from softee.tee.pages import (
    LAST_NUMBER,
    Entry,
    Head,
    PageRow,
    decode_head,
    decode_page,
    encode_head,
    encode_page,
    pack_terms,
)
from softee.tee.records import RecordKind, record_hash, seal_record
from softee.tee.sealing import SealKey, TamperedError
from softee.tee.vault import Vault
from softee.wire.codec import WireError
from support.stores import FailingStore, add, open_storage, snapshot

USER_KEY = SealKey(bytes(range(100, 132)))


@pytest.fixture
def store() -> FailingStore:
    return FailingStore(MemoryStore())


@pytest.fixture
def vault(store: FailingStore) -> Vault:
    return open_storage(store).vault("slot-0")


def reopen(store: FailingStore) -> Vault:
    return open_storage(store).vault("slot-0")


def object_records(store: FailingStore) -> int:
    return sum(value[5] == RecordKind.OBJECT for value in snapshot(store).values())


def test_a_new_vault_is_empty(vault: Vault) -> None:
    assert (vault.head, dict(vault.entries), vault.find([]), vault.epoch) == (b"", {}, [], 0)


def test_objects_and_head_are_there_after_a_restart(vault: Vault, store: FailingStore) -> None:
    change = vault.change()
    change.set_head(b"state")
    number = change.add(b"public", vault.key, 0, [vault.key.term(b"label")])
    private = change.add(bytearray(b"private"), USER_KEY, 1, [])
    change.commit()
    again = reopen(store)
    assert (again.head, again.epoch) == (b"state", 1)
    assert again.read(number, again.key) == b"public"
    assert again.read(private, USER_KEY) == b"private"
    assert again.find([again.key.term(b"label")]) == [number]
    assert dict(again.entries) == dict(vault.entries)
    assert (again.entries[private].compartment, again.entries[private].terms) == (1, frozenset())


def test_an_object_is_read_into_a_bytearray(vault: Vault) -> None:
    (number,) = add(vault, b"")
    assert vault.read(number, vault.key) == bytearray()
    assert isinstance(vault.read(number, vault.key), bytearray)


def test_the_wrong_compartments_key_opens_nothing(vault: Vault) -> None:
    (number,) = add(vault, b"value")
    with pytest.raises(TamperedError):
        vault.read(number, USER_KEY)


def test_find_wants_all_terms_and_answers_in_rising_order(vault: Vault) -> None:
    red, round_, unused = (vault.key.term(name) for name in (b"red", b"round", b"unused"))
    add(vault, *[b""] * 3, terms=(red,))
    add(vault, *[b""] * 3, terms=(red, round_))
    assert vault.find([red]) == [1, 2, 3, 4, 5, 6]
    assert vault.find([round_, red]) == [4, 5, 6]
    assert vault.find([red, unused]) == []
    assert vault.find(frozenset()) == [1, 2, 3, 4, 5, 6]


def test_a_replaced_object_has_its_new_content_version_and_terms(vault: Vault, store: FailingStore) -> None:
    old, kept, new = (vault.key.term(name) for name in (b"old", b"kept", b"new"))
    (number,) = add(vault, b"before", terms=(old, kept))
    version = vault.entries[number].version
    change = vault.change()
    change.replace(number, b"after", USER_KEY, 1, [kept, new])
    change.commit()
    for seen in (vault, reopen(store)):
        assert seen.read(number, USER_KEY) == b"after"
        assert seen.entries[number].version > version
        assert [seen.find([term]) for term in (old, kept, new)] == [[], [number], [number]]


def test_a_removed_object_is_gone_from_everywhere(vault: Vault, store: FailingStore) -> None:
    before = len(snapshot(store))
    term = vault.key.term(b"label")
    (number,) = add(vault, b"value", terms=(term,))
    change = vault.change()
    change.remove(number)
    change.commit()
    for seen in (vault, reopen(store)):
        assert (seen.find([term]), dict(seen.entries)) == ([], {})
        with pytest.raises(KeyError):
            seen.read(number, seen.key)
    assert len(snapshot(store)) == before


def test_numbers_are_never_reused_not_even_after_clear_and_a_restart(vault: Vault, store: FailingStore) -> None:
    assert add(vault, b"a", b"b", b"c") == [1, 2, 3]
    change = vault.change()
    change.remove(3)
    change.commit()
    assert add(reopen(store), b"d") == [4]
    vault = reopen(store)
    change = vault.change()
    change.clear()
    change.commit()
    assert add(reopen(store), b"e") == [5]


def test_clear_removes_what_was_there_and_what_the_change_had_added(vault: Vault, store: FailingStore) -> None:
    add(vault, *[b"old"] * 200)
    change = vault.change()
    change.set_head(b"new state")
    change.add(b"too early", vault.key, 0, [])
    change.clear()
    number = change.add(b"survivor", vault.key, 0, [])
    change.commit()
    for seen in (vault, reopen(store)):
        assert (seen.head, seen.find([])) == (b"new state", [number])
        assert seen.read(number, seen.key) == b"survivor"
    assert object_records(store) == 1


def test_a_change_may_touch_one_object_several_times(vault: Vault, store: FailingStore) -> None:
    (kept,) = add(vault, b"kept")
    change = vault.change()
    number = change.add(b"1", vault.key, 0, [])
    change.replace(number, b"2", vault.key, 0, [])
    gone = change.add(b"gone", vault.key, 0, [])
    change.remove(gone)
    change.replace(kept, b"replaced", vault.key, 0, [])
    change.remove(kept)
    for missing in (gone, kept, 99):
        with pytest.raises(KeyError):
            change.remove(missing)
        with pytest.raises(KeyError):
            change.replace(missing, b"", vault.key, 0, [])
    change.commit()
    assert reopen(store).find([]) == [number]
    assert vault.read(number, vault.key) == b"2"
    assert object_records(store) == 1


def test_nothing_happens_before_commit(vault: Vault, store: FailingStore) -> None:
    add(vault, b"value")
    before = snapshot(store)
    change = vault.change()
    change.set_head(b"never")
    change.add(b"never", vault.key, 0, [])
    change.remove(1)
    assert snapshot(store) == before
    assert (vault.head, vault.find([])) == (b"", [1])


def test_a_change_of_nothing_writes_nothing(vault: Vault, store: FailingStore) -> None:
    before = snapshot(store)
    vault.change().commit()
    assert snapshot(store) == before


def test_a_commit_that_fails_leaves_store_and_memory_as_they_were(vault: Vault, store: FailingStore) -> None:
    term = vault.key.term(b"label")
    add(vault, b"value", terms=(term,))
    before, entries = snapshot(store), dict(vault.entries)
    change = vault.change()
    change.set_head(b"lost")
    change.replace(1, b"lost", vault.key, 0, [])
    change.add(b"lost", vault.key, 0, [])
    store.failing = True
    with pytest.raises(StoreError, match="full"):
        change.commit()
    assert (snapshot(store), dict(vault.entries), vault.head, vault.find([term])) == (before, entries, b"", [1])
    store.failing = False
    assert add(vault, b"next") == [2]
    assert reopen(store).find([]) == [1, 2]


def test_of_two_changes_begun_together_only_the_first_commits(vault: Vault) -> None:
    first, second = vault.change(), vault.change()
    first.set_head(b"first")
    second.set_head(b"second")
    first.commit()
    for late in (second, first):
        with pytest.raises(ConflictError):
            late.commit()
    assert vault.head == b"first"


class PausingStore(FailingStore):
    """Once ``pausing``, a commit returns only after another thread has read what it wrote."""

    def __init__(self) -> None:
        super().__init__(MemoryStore())
        self.pausing = False
        self.written = threading.Event()
        self.read = threading.Event()

    def get(self, key: bytes) -> Record | None:
        record = super().get(key)
        if self.written.is_set():
            self.read.set()
        return record

    def commit(
        self, *, expected: Mapping[bytes, Revision], puts: Mapping[bytes, bytes], deletes: Collection[bytes] = ()
    ) -> Revision:
        revision = super().commit(expected=expected, puts=puts, deletes=deletes)
        if self.pausing:
            self.written.set()
            self.read.wait()
        return revision


@pytest.mark.parametrize("action", ["replace", "remove"])
def test_a_read_between_store_and_memory_is_not_called_tampering(action: str) -> None:
    """The store has a change before memory has it: a read that falls in between waits for the state after."""
    store = PausingStore()
    vault = open_storage(store).vault("slot-0")
    (number,) = add(vault, b"before")
    answers: list[bytes | str] = []

    def read() -> None:
        store.written.wait()
        try:
            answers.append(bytes(vault.read(number, vault.key)))
        except KeyError:
            answers.append("gone")

    reader = threading.Thread(target=read)
    reader.start()
    store.pausing = True
    change = vault.change()
    if action == "replace":
        change.replace(number, b"after", vault.key, 0, [])
    else:
        change.remove(number)
    change.commit()
    reader.join()
    assert answers == [b"after" if action == "replace" else "gone"]


def test_the_last_number_is_0x7fffffff(vault: Vault, store: FailingStore) -> None:
    vault._state.head = replace(vault._state.head, next_number=LAST_NUMBER)
    assert add(vault, b"last") == [LAST_NUMBER]
    with pytest.raises(StoreError, match="all"):
        add(reopen(store), b"one too many")


def rewrite_head(vault: Vault, store: FailingStore, plaintext: bytes) -> None:
    place = vault._state.place(RecordKind.HEAD)
    store.commit(expected={}, puts={place.key: seal_record(vault._state._key, place, HEAD_VERSION, plaintext)})


def test_a_head_of_our_own_that_does_not_decode_is_refused(vault: Vault, store: FailingStore) -> None:
    add(vault, b"content")
    rewrite_head(vault, store, encode_head(vault._state.head))
    assert reopen(store).find([]) == [1]
    rewrite_head(vault, store, encode_head(vault._state.head) + b"\0")
    with pytest.raises(TamperedError, match=r"head .* does not decode"):
        reopen(store)


def test_a_page_of_our_own_that_does_not_decode_is_refused(vault: Vault, store: FailingStore) -> None:
    add(vault, b"content")
    head, place = vault._state.head, vault._state.place(RecordKind.PAGE)
    page = seal_record(vault._state._key, place, head.epoch, encode_page(vault._state.entries.values()) + b"\0")
    store.commit(expected={}, puts={place.key: page})
    rewrite_head(vault, store, encode_head(replace(head, pages={0: PageRow(head.epoch, record_hash(page))})))
    with pytest.raises(TamperedError, match=r"page .* does not decode"):
        reopen(store)


@pytest.mark.parametrize(
    ("compartment", "terms"), [(256, []), (-1, []), (0, [b"short"]), (0, [n.to_bytes(16, "big") for n in range(256)])]
)
def test_what_a_page_cannot_hold_is_refused_at_once(vault: Vault, compartment: int, terms: list[bytes]) -> None:
    with pytest.raises(ValueError, match=r"compartment|terms"):
        vault.change().add(b"", vault.key, compartment, terms)


def test_derived_secrets_depend_on_label_and_vault(store: FailingStore) -> None:
    storage = open_storage(store)
    secrets = [storage.vault(name).derive(label) for name in ("slot-0", "slot-1") for label in ("a", "b")]
    assert len(set(secrets)) == 4
    assert all(len(secret) == 32 for secret in secrets)
    assert open_storage(store).vault("slot-0").derive("a") == secrets[0]


def test_nothing_in_the_store_shows_a_plaintext_or_a_term(vault: Vault, store: FailingStore) -> None:
    term = vault.key.term(b"needle-label")
    change = vault.change()
    change.set_head(b"needle-head")
    change.add(b"needle-content", vault.key, 0, [term])
    change.commit()
    everything = b"".join(key + value for key, value in snapshot(store).items())
    assert b"needle" not in everything
    assert term not in everything


ENTRIES = st.builds(
    Entry,
    number=st.integers(1, 127),
    version=st.integers(0, 2**64 - 1),
    tag=st.binary(min_size=16, max_size=16),
    compartment=st.integers(0, 255),
    packed_terms=st.lists(st.binary(min_size=16, max_size=16), max_size=5).map(pack_terms),
)


@given(entries=st.lists(ENTRIES, unique_by=lambda entry: entry.number))
def test_a_page_decodes_to_what_was_encoded(entries: list[Entry]) -> None:
    entries.sort(key=lambda entry: entry.number)
    assert list(decode_page(0, encode_page(entries)).values()) == entries


@given(
    head=st.builds(
        Head,
        epoch=st.integers(0, 2**64 - 1),
        next_number=st.integers(0, 2**32 - 1),
        data=st.binary(),
        pages=st.dictionaries(
            st.integers(0, 2**24), st.builds(PageRow, st.integers(0, 2**64 - 1), st.binary(min_size=32, max_size=32))
        ),
    )
)
def test_a_head_decodes_to_what_was_encoded(head: Head) -> None:
    assert decode_head(encode_head(head)) == head


@given(data=st.binary(max_size=200))
def test_any_bytes_decode_or_raise_a_wire_error(data: bytes) -> None:
    for decode in (decode_head, lambda plaintext: decode_page(0, plaintext)):
        try:
            decode(data)
        except WireError:
            continue


def test_entries_out_of_order_or_of_another_page_do_not_decode() -> None:
    first, second, on_page_1 = (Entry(number, 1, bytes(16), 0, b"") for number in (1, 2, 128))
    for page, entries in ((0, [second, first]), (0, [first, first]), (1, [first]), (0, [first, on_page_1])):
        with pytest.raises(WireError, match="out of order"):
            decode_page(page, encode_page(entries))


def test_leftovers_after_a_head_do_not_decode() -> None:
    with pytest.raises(WireError, match="left over"):
        decode_head(encode_head(Head(1, 1, b"", {})) + b"\0")
