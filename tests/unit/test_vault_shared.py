# SPDX-License-Identifier: Apache-2.0
"""Two secure worlds with one vault: each sees what the other has done, and tells it from tampering."""

from collections.abc import Callable, Collection, Mapping

import pytest

from softee.stores.base import ConflictError, Record, Revision, StoreDamagedError, StoreUnavailableError
from softee.stores.memory import MemoryStore
from softee.stores.shown import ShownStore
from softee.tee.records import Place, RecordKind
from softee.tee.sealing import TamperedError
from softee.tee.secure_storage import head_keys
from softee.tee.vault import Change, Vault
from support.stores import APPLICATION, VAULTS, FailingStore, add, open_storage, restore, snapshot

HEAD = head_keys(APPLICATION, VAULTS)[0]
PAGES = Place(APPLICATION, "slot-0", RecordKind.PAGE).all_of_kind
MANY = 300
"""Objects: more than two pages of them."""


class LateStore(FailingStore):
    """It answers late: before it gives pages, something else happens."""

    def __init__(self) -> None:
        super().__init__(MemoryStore())
        self.before_pages: Callable[[], object] = bool
        self.gets: list[bytes] = []

    def get(self, key: bytes) -> Record | None:
        self.gets.append(key)
        if key.startswith(PAGES):
            self.wait()
        return super().get(key)

    def range(self, prefix: bytes) -> list[tuple[bytes, Record]]:
        if prefix == PAGES:
            self.wait()
        return super().range(prefix)

    def wait(self) -> None:
        meanwhile, self.before_pages = self.before_pages, bool
        meanwhile()


@pytest.fixture
def store() -> LateStore:
    return LateStore()


@pytest.fixture
def ours(store: LateStore) -> Vault:
    open_storage(store)
    return view(store)


@pytest.fixture
def theirs(ours: Vault, store: LateStore) -> Vault:
    assert ours.epoch == 0
    return view(store)


def view(store: FailingStore) -> Vault:
    return open_storage(store).vault("slot-0")


def change_of(vault: Vault, act: Callable[[Change], object]) -> None:
    change = vault.change()
    act(change)
    change.commit()


def test_refreshing_takes_over_what_was_added_replaced_and_removed(ours: Vault, theirs: Vault) -> None:
    term = ours.key.term(b"red")
    add(ours, b"one", b"two", b"three", terms=(term,))
    assert theirs.find([]) == []
    assert theirs.refresh() == {1, 2, 3}
    change = ours.change()
    change.replace(1, b"ONE", ours.key, 0, ())
    change.remove(2)
    change.set_head(b"h")
    change.commit()
    assert theirs.refresh() == {1, 2}
    assert (theirs.find([]), theirs.find([term]), theirs.head) == ([1, 3], [3], b"h")
    assert theirs.read(1, theirs.key) == b"ONE"
    assert theirs.next_number == ours.next_number
    assert (theirs.epoch, theirs.revision) == (ours.epoch, ours.revision)


def test_refreshing_without_news_changes_nothing(ours: Vault, store: LateStore) -> None:
    add(ours, b"one")
    store.gets.clear()
    assert ours.refresh() == frozenset()
    assert store.gets == [HEAD]


def test_only_the_pages_that_changed_are_read(ours: Vault, theirs: Vault, store: LateStore) -> None:
    add(ours, *[b"x"] * MANY)
    theirs.refresh()
    change_of(ours, lambda change: change.remove(MANY))
    store.gets.clear()
    assert theirs.refresh() == {MANY}
    assert len(store.gets) == 2


def test_clearing_is_taken_over_whole(ours: Vault, theirs: Vault) -> None:
    add(ours, *[b"x"] * MANY)
    theirs.refresh()
    change_of(ours, lambda change: change.clear())
    assert theirs.refresh() == frozenset(range(1, MANY + 1))
    assert theirs.find([]) == []


def test_whoever_commits_second_has_changed_nothing_and_may_begin_anew(ours: Vault, theirs: Vault) -> None:
    late = theirs.change()
    late.set_head(b"late")
    number = late.add(b"late", theirs.key, 0, ())
    assert add(ours, b"first") == [number]
    with pytest.raises(ConflictError):
        late.commit()
    assert theirs.head == b""
    theirs.refresh()
    assert theirs.read(number, theirs.key) == b"first"
    assert add(theirs, b"late") == [number + 1]


def test_a_head_written_anew_as_it_was_only_costs_another_try(ours: Vault, store: LateStore) -> None:
    restore(store, snapshot(store))
    with pytest.raises(ConflictError):
        add(ours, b"one")
    ours.refresh()
    assert add(ours, b"one") == [1]


@pytest.mark.parametrize("action", ["replace", "remove"])
def test_an_object_that_others_changed_is_not_called_damaged(ours: Vault, theirs: Vault, action: str) -> None:
    add(ours, b"before")
    theirs.refresh()
    if action == "replace":
        change_of(ours, lambda change: change.replace(1, b"after", ours.key, 0, ()))
    else:
        change_of(ours, lambda change: change.remove(1))
    with pytest.raises(ConflictError):
        theirs.read(1, theirs.key)


def test_a_change_between_head_and_page_is_not_called_tampering(ours: Vault, theirs: Vault, store: LateStore) -> None:
    add(ours, b"one")
    store.before_pages = lambda: add(ours, b"two")
    assert theirs.refresh() == {1, 2}
    store.before_pages = lambda: add(ours, b"three")
    assert view(store).find([]) == [1, 2, 3]


def test_a_vault_that_never_stands_still_is_given_up(ours: Vault, theirs: Vault, store: LateStore) -> None:
    def again() -> None:
        add(ours, b"more")
        store.before_pages = again

    add(ours, b"one")
    store.before_pages = again
    with pytest.raises(StoreUnavailableError):
        theirs.refresh()
    assert theirs.find([]) == []


def test_an_older_head_is_tampering_not_news(ours: Vault, store: LateStore) -> None:
    add(ours, b"one")
    before = snapshot(store)
    add(ours, b"two")
    restore(store, before)
    with pytest.raises(TamperedError, match="not the newest"):
        ours.refresh()
    with pytest.raises(TamperedError, match="not the newest"):
        add(ours, b"three")
    assert ours.find([]) == [1, 2]


def test_two_histories_are_tampering_not_news(ours: Vault, store: LateStore) -> None:
    """Somebody keeps a copy, lets one world go on over it, and gives it to the other."""
    before = snapshot(store)
    add(ours, b"ours")
    restore(store, before)
    add(view(store), b"theirs")
    with pytest.raises(TamperedError, match="not the newest"):
        ours.refresh()


@pytest.mark.parametrize("what", ["altered", "removed"])
def test_a_page_that_is_not_the_new_heads_is_tampering(ours: Vault, theirs: Vault, store: LateStore, what: str) -> None:
    pages = snapshot(store).keys()
    add(ours, b"one")
    (page,) = [key for key in snapshot(store) if key not in pages and key.startswith(PAGES)]
    if what == "altered":
        store.commit(expected={}, puts={page: snapshot(store)[page] + b"?"})
    else:
        store.commit(expected={}, puts={}, deletes=[page])
    with pytest.raises(TamperedError, match="page 0"):
        theirs.refresh()
    assert theirs.find([]) == []


def shown_pair() -> tuple[ShownStore, Vault, Vault]:
    below, numbers = MemoryStore(), [0] * (len(VAULTS) + 1)
    open_storage(below)
    store = ShownStore(below, head_keys(APPLICATION, VAULTS), numbers)
    one, other = (open_storage(store, shown=numbers).vault("slot-0") for _ in range(2))
    return store, one, other


def test_a_view_knows_without_asking_that_it_is_behind() -> None:
    _, ours, theirs = shown_pair()
    add(ours, b"one")
    assert (ours.is_behind, theirs.is_behind) == (False, True)
    theirs.refresh()
    assert (ours.is_behind, theirs.is_behind) == (False, False)


def test_a_commit_that_came_too_late_shows_nothing() -> None:
    _, ours, theirs = shown_pair()
    add(ours, b"one")
    with pytest.raises(ConflictError):
        add(theirs, b"one")
    assert not ours.is_behind


def test_each_vault_is_behind_by_itself() -> None:
    below, numbers = MemoryStore(), [0] * (len(VAULTS) + 1)
    open_storage(below)
    store = ShownStore(below, head_keys(APPLICATION, VAULTS), numbers)
    ours, theirs = (open_storage(store, shown=numbers) for _ in range(2))
    others = [theirs.vault(name) for name in VAULTS]
    add(ours.vault("slot-1"), b"one")
    assert [vault.is_behind for vault in others] == [False, True]


def test_no_world_is_served_a_head_that_none_of_them_wrote() -> None:
    """Also a world that has just begun, and knows no epoch yet, gets no older head than the others wrote."""
    below, numbers = MemoryStore(), [0] * (len(VAULTS) + 1)
    open_storage(below)
    store = ShownStore(below, head_keys(APPLICATION, VAULTS), numbers)
    before = snapshot(below)
    add(open_storage(store, shown=numbers).vault("slot-0"), b"one")
    restore(below, before)
    with pytest.raises(StoreDamagedError, match="another program"):
        open_storage(store, shown=numbers).vault("slot-0")


def test_no_world_commits_over_a_head_that_none_of_them_wrote() -> None:
    below, numbers = MemoryStore(), [0] * (len(VAULTS) + 1)
    open_storage(below)
    store = ShownStore(below, head_keys(APPLICATION, VAULTS), numbers)
    ours = open_storage(store, shown=numbers).vault("slot-0")
    restore(below, snapshot(below))
    with pytest.raises(StoreDamagedError, match="another program"):
        add(ours, b"one")


class Unanswered(FailingStore):
    """A store whose commits are done, and whose answers are lost."""

    unanswered: bool = True

    def commit(
        self, *, expected: Mapping[bytes, Revision], puts: Mapping[bytes, bytes], deletes: Collection[bytes] = ()
    ) -> Revision:
        revision = super().commit(expected=expected, puts=puts, deletes=deletes)
        if self.unanswered:
            raise StoreUnavailableError("the answer was lost")
        return revision


def test_a_commit_whose_answer_was_lost_is_found_by_refreshing() -> None:
    below = MemoryStore()
    open_storage(below)
    ours = view(Unanswered(below))
    with pytest.raises(StoreUnavailableError) as lost:
        add(ours, b"one")
    assert "lost" in str(lost.value)
    assert ours.find([]) == []
    assert ours.refresh() == {1}
    assert ours.read(1, ours.key) == b"one"
