# SPDX-License-Identifier: Apache-2.0
"""A whole state is put back: what a counter outside of the disk vouches for, and what it costs when it fails."""

import pytest

from softee.names import CKR, CKU
from softee.stores.base import StoreDamagedError, StoreError, StoreUnavailableError
from softee.stores.memory import MemoryStore
from softee.tee.anchor import ANCHOR, AnchoredStore, AnchorError, anchor_key, open_anchor
from softee.tee.installation import rewrap
from softee.tee.records import RecordKind, kind_of
from softee.tee.sealing import TamperedError
from softee.tee.secure_storage import WrongRootKeyError
from softee.tee.vault import Vault
from support.anchors import FakeCounter, WatchedStore
from support.stores import APPLICATION, ROOT_KEY, open_storage, restore, snapshot
from support.token_world import USER_PIN, Caller, make_application

Records = dict[bytes, bytes]


@pytest.fixture
def counter() -> FakeCounter:
    return FakeCounter()


@pytest.fixture
def seen() -> list[Records]:
    """Whatever was ever written, or was to be."""
    return []


def start(records: Records, counter: FakeCounter, seen: list[Records] | None = None) -> tuple[AnchoredStore, Vault]:
    """Start a secure world on these records."""
    disk = WatchedStore([] if seen is None else seen)
    restore(MemoryStore(), records)
    MemoryStore.commit(disk, expected={}, puts=records)
    store = AnchoredStore(disk, counter, ROOT_KEY)
    return store, open_storage(store).vault("slot-0")


def add(vault: Vault) -> None:
    change = vault.change()
    change.add(b"object", vault.key, 0, [])
    change.commit()


def count(vault: Vault) -> None:
    """Count a try, as a token does before it checks a PIN."""
    change = vault.change()
    change.set_head(vault.head + b"x")
    change.commit()


def test_a_state_that_was_put_back_as_a_whole_is_refused(counter: FakeCounter) -> None:
    store, vault = start({}, counter)
    older = snapshot(store)
    add(vault)
    store.settle()
    newest = snapshot(store)
    with pytest.raises(TamperedError, match="older than its anchor's counter: it was rolled back as a whole"):
        start(older, counter)
    _, vault = start(newest, counter)
    assert vault.find([]) == [1]


def test_a_try_is_anchored_before_its_check(counter: FakeCounter) -> None:
    store, vault = start({}, counter)
    older = snapshot(store)
    count(vault)
    with pytest.raises(TamperedError, match="rolled back"):
        start(older, counter)


def test_a_change_of_an_object_is_pending_until_it_is_anchored(counter: FakeCounter) -> None:
    store, vault = start({}, counter)
    before = counter.read()
    add(vault)
    pending = [store.is_pending]
    assert counter.read() == before
    store.settle()
    pending.append(store.is_pending)
    assert pending == [True, False]
    assert counter.read() == (before or 0) + 1


def test_what_was_prepared_and_failed_is_never_taken_for_what_followed(
    counter: FakeCounter, seen: list[Records]
) -> None:
    """The attacker keeps a state that was to be anchored, without a try that was counted after it."""
    store, vault = start({}, counter, seen)
    before = snapshot(store)
    add(vault)
    counter.fails_before = True
    with pytest.raises(AnchorError):
        store.settle()
    prepared = seen[-1]
    counter.fails_before = False
    _, vault = start(before, counter)
    count(vault)
    with pytest.raises(TamperedError):
        start(prepared, counter)


def test_what_the_disk_refused_and_its_owner_kept_is_never_taken_for_what_followed(
    counter: FakeCounter, seen: list[Records]
) -> None:
    """The same within one run: the write fails for the secure world, and not for the attacker."""
    store, vault = start({}, counter, seen)
    disk = store._store
    assert isinstance(disk, WatchedStore)
    add(vault)
    disk.refuses = True
    with pytest.raises(StoreError):
        store.settle()
    kept = seen[-1]
    disk.refuses = False
    count(vault)
    with pytest.raises(TamperedError):
        start(kept, counter)


@pytest.mark.parametrize("failure", ["fails_before", "fails_after"])
def test_a_try_whose_anchor_fails_is_not_checked_and_all_goes_on_when_the_counter_does(
    counter: FakeCounter, failure: str
) -> None:
    store, _ = start({}, counter)
    caller = Caller(make_application(store))
    session = caller.set_up()
    assert caller.logout(session) is CKR.OK
    setattr(counter, failure, True)
    assert caller.login(session, CKU.USER, USER_PIN) is CKR.DEVICE_ERROR
    assert caller.login(session, CKU.USER, b"a wrong PIN") is CKR.DEVICE_ERROR
    setattr(counter, failure, False)
    assert caller.login(session, CKU.USER, USER_PIN) is CKR.OK


@pytest.mark.parametrize("failure", ["fails_before", "fails_after"])
def test_a_crash_at_the_counter_is_recovered_from(counter: FakeCounter, failure: str) -> None:
    store, vault = start({}, counter)
    setattr(counter, failure, True)
    with pytest.raises(StoreUnavailableError):
        count(vault)
    setattr(counter, failure, False)
    _, vault = start(snapshot(store), counter)
    assert vault.head == b"x"


def test_a_head_that_was_put_back_while_it_runs_is_refused(counter: FakeCounter) -> None:
    store, vault = start({}, counter)
    heads = {key: value for key, value in snapshot(store).items() if kind_of(key) is RecordKind.HEAD}
    count(vault)
    restore(store._store, snapshot(store._store) | heads)
    with pytest.raises(StoreDamagedError, match="rolled back"):
        open_storage(store).vault("slot-0")


def test_a_head_that_was_put_back_alone_is_refused_and_others_are_served(counter: FakeCounter) -> None:
    store, vault = start({}, counter)
    older = {key: value for key, value in snapshot(store).items() if b"slot-0" in key}
    count(vault)
    disk = MemoryStore()
    restore(disk, snapshot(store) | older)
    storage = open_storage(AnchoredStore(disk, counter, ROOT_KEY))
    with pytest.raises(StoreDamagedError, match="rolled back"):
        storage.vault("slot-0")
    assert storage.vault("slot-1").find([]) == []


def test_an_anchor_record_that_was_taken_away_is_missed(counter: FakeCounter) -> None:
    store, _ = start({}, counter)
    records = snapshot(store)
    del records[ANCHOR.key]
    with pytest.raises(TamperedError, match="anchor record is missing"):
        start(records, counter)


def test_an_anchor_record_that_was_altered_or_is_anothers_is_refused(counter: FakeCounter) -> None:
    store, _ = start({}, counter)
    records = snapshot(store)
    ours = records[ANCHOR.key]
    with pytest.raises(TamperedError, match="anchor record was altered"):
        start(records | {ANCHOR.key: ours[:-1] + bytes([ours[-1] ^ 1])}, counter)
    other, _ = start({}, FakeCounter())
    theirs = snapshot(other)[ANCHOR.key]
    with pytest.raises(AnchorError):
        start(records | {ANCHOR.key: theirs}, counter)


def test_a_counter_that_is_another_one_is_told(counter: FakeCounter) -> None:
    store, _ = start({}, counter)
    counter.value = 1
    with pytest.raises(TamperedError, match="newer than its anchor's counter"):
        start(snapshot(store), counter)


def test_a_counter_that_is_gone_while_it_runs_is_told() -> None:
    class Vanishing(FakeCounter):
        def increment(self, auth: bytes) -> None:
            super().increment(auth)
            self.value = None

    with pytest.raises(AnchorError, match="gone"):
        start({}, Vanishing())


def test_a_state_that_was_not_anchored_is_from_now_on(counter: FakeCounter) -> None:
    plain = MemoryStore()
    add(open_storage(plain).vault("slot-0"))
    store, vault = start(snapshot(plain), counter)
    assert vault.find([]) == [1]
    older = snapshot(store)
    count(vault)
    with pytest.raises(TamperedError):
        start(older, counter)
    with pytest.raises(TamperedError, match="missing"):
        start(snapshot(plain), counter)


def test_a_close_anchors_what_is_pending_and_a_counter_that_fails_does_not_stop_it(counter: FakeCounter) -> None:
    store, vault = start({}, counter)
    add(vault)
    before, records = counter.value, snapshot(store)
    store.close()
    assert counter.value != before
    with pytest.raises(TamperedError):
        start(records, counter)
    store, vault = start({}, FakeCounter())
    add(vault)
    store._counter.fails_before = True  # type: ignore[attr-defined] # a FakeCounter
    store.close()


def test_another_root_key_keeps_the_anchor(counter: FakeCounter) -> None:
    store, vault = start({}, counter)
    add(vault)
    store.settle()
    new_key = bytes(range(32, 64))
    disk = MemoryStore()
    restore(disk, snapshot(store))
    rewrap(disk, [APPLICATION], ROOT_KEY, new_key)
    assert open_anchor(anchor_key(new_key), snapshot(disk)[ANCHOR.key]).value == counter.value
    with pytest.raises(TamperedError):
        AnchoredStore(disk, counter, ROOT_KEY)
    again = AnchoredStore(disk, counter, new_key)
    assert open_storage(again, new_key).vault("slot-0").find([]) == [1]
    with pytest.raises(WrongRootKeyError):
        open_storage(again, ROOT_KEY)


@pytest.mark.parametrize(
    "key", [b"", b"short", bytes(22), bytes(16) + b"\xff" + bytes(5), bytes(17) + b"\x09" + bytes(4)]
)
def test_keys_that_are_not_ours_have_no_kind(key: bytes) -> None:
    assert kind_of(key) is None
