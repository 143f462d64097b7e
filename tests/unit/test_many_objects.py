# SPDX-License-Identifier: Apache-2.0
"""What a token of many objects costs, counted: which records are opened and written does not grow with the objects.

``python -m bench.many`` has the times.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from typing import Final

import pytest

from softee.names import CKA, CKR
from softee.pkcs11_ta.attributes.values import AttributeValue, Given
from softee.pkcs11_ta.objects import rules
from softee.pkcs11_ta.objects.content import complete
from softee.stores.base import Record, Revision
from softee.stores.memory import MemoryStore
from softee.tee.pages import OBJECTS_PER_PAGE, Entry, pack_terms
from softee.tee.records import Place, RecordKind, open_record
from softee.tee.sealing import SealKey
from softee.tee.term_index import TermIndex
from support.commands import c
from support.object_calls import search
from support.samples import as_template, sample
from support.token_world import Caller, make_application, template

MANY: Final = 3 * OBJECTS_PER_PAGE
CHOSEN: Final = b"label 77"


class CountingStore(MemoryStore):
    """Counts what is asked of it."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: Counter[str] = Counter()

    def get(self, key: bytes) -> Record | None:
        self.asked["get"] += 1
        return super().get(key)

    def range(self, prefix: bytes) -> list[tuple[bytes, Record]]:
        self.asked["range"] += 1
        return super().range(prefix)

    def sizes(self, prefix: bytes) -> list[tuple[bytes, int]]:
        self.asked["sizes"] += 1
        return super().sizes(prefix)

    def commit(
        self, *, expected: Mapping[bytes, Revision], puts: Mapping[bytes, bytes], deletes: Collection[bytes] = ()
    ) -> Revision:
        self.asked["put"] += len(puts)
        return super().commit(expected=expected, puts=puts, deletes=deletes)


class World:
    """A token with many objects, after a restart: half of them private, each with a label of its own."""

    def __init__(self) -> None:
        self.store = CountingStore()
        application = make_application(self.store)
        Caller(application).set_up()
        application.slots.token(0).objects.create(
            *(made(LABEL=b"label %d" % number, PRIVATE=bool(number % 2)) for number in range(MANY))
        )
        self.caller = Caller(make_application(self.store))
        self.opened: Counter[RecordKind] = Counter()

    def spent(self) -> tuple[Counter[str], Counter[RecordKind]]:
        """Return what the store was asked and which records were opened since the last time."""
        spent = Counter(self.store.asked), Counter(self.opened)
        self.store.asked.clear()
        self.opened.clear()
        return spent


def made(**attributes: AttributeValue) -> Given:
    given = rules.make(rules.parse(as_template(sample("AES key", TOKEN=True, **attributes))), rules.CREATE, is_so=False)
    complete(given)
    return given


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    made_world = World()

    def counted(key: SealKey, place: Place, version: int, record: bytes | None) -> bytearray:
        made_world.opened[place.kind] += 1
        return open_record(key, place, version, record)

    monkeypatch.setattr("softee.tee.opening.open_record", counted)
    made_world.spent()
    return made_world


def test_opening_a_token_reads_its_pages_at_once_and_none_of_its_objects(world: World) -> None:
    world.caller.open()
    asked, opened = world.spent()
    assert asked == {"get": 1, "range": 1}
    assert opened == {RecordKind.HEAD: 1, RecordKind.PAGE: MANY // OBJECTS_PER_PAGE + 1}


def test_a_login_and_a_logout_open_no_object(world: World) -> None:
    session = world.caller.open()
    world.spent()
    assert world.caller.login(session) is CKR.OK
    assert world.caller.logout(session) is CKR.OK
    asked, opened = world.spent()
    assert not opened
    assert set(asked) <= {"put"}, "a try is counted on the disk"


def test_a_search_by_label_opens_no_object_and_a_look_at_it_opens_one(world: World) -> None:
    session = world.caller.open()
    world.caller.login(session)
    world.spent()
    (found,) = search(world.caller, session, template((CKA.LABEL, CHOSEN)))
    assert world.spent() == (Counter(), Counter())
    world.caller.ok(c.GET_ATTRIBUTE_VALUE, session, found, template((CKA.LABEL, b"")))
    assert world.spent() == ({"get": 1}, {RecordKind.OBJECT: 1})


def test_a_search_by_label_and_use_opens_what_has_the_label(world: World) -> None:
    session = world.caller.open()
    world.caller.login(session)
    world.spent()
    assert len(search(world.caller, session, template((CKA.LABEL, CHOSEN), (CKA.TRUSTED, False)))) == 1
    assert world.spent() == ({"get": 1}, {RecordKind.OBJECT: 1})


def test_a_new_object_writes_itself_its_page_and_the_head(world: World) -> None:
    """The first one after a start asks how large the others are, once."""
    session = world.caller.open()
    world.caller.login(session)
    world.spent()
    for asked in ({"put": 3, "sizes": 1}, {"put": 3}):
        world.caller.ok(c.CREATE_OBJECT, session, as_template(sample("AES key", TOKEN=True, LABEL=b"one more")))
        assert world.spent() == (asked, Counter())


def test_labels_of_private_objects_lead_nowhere_before_login(world: World) -> None:
    session = world.caller.open()
    assert search(world.caller, session, template((CKA.LABEL, CHOSEN))) == []
    assert search(world.caller, session, template((CKA.LABEL, b"label 78"))) != []


def test_a_search_that_has_begun_keeps_what_it_finds_while_another_object_goes() -> None:
    term = bytes(16)
    one, other = (Entry(number, 1, bytes(16), 0, pack_terms([term])) for number in (1, 2))
    index = TermIndex([one, other])
    found = index._objects(term)
    index.replace(1, one.packed_terms, b"")
    assert 2 in found
    assert index.find([term]) == [2]
