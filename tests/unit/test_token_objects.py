# SPDX-License-Identifier: Apache-2.0
"""A token's sealed objects: who sees them, what damage does, and what stays in memory."""

import gc
import logging
import weakref
from dataclasses import replace

import pytest

from softee.names import CKA, CKR
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.attributes.codecs import encode_value
from softee.pkcs11_ta.attributes.values import Attributes, AttributeValue, Given
from softee.pkcs11_ta.objects import rules
from softee.pkcs11_ta.objects.content import complete
from softee.pkcs11_ta.objects.record import BadObjectError, decode_object, encode_object
from softee.pkcs11_ta.token import objects as token_objects
from softee.pkcs11_ta.token.objects import PUBLIC, TokenObjects
from softee.stores.memory import MemoryStore
from softee.tee.pages import LAST_NUMBER
from softee.tee.sealing import SealKey
from softee.tee.vault import Change, Vault
from softee.wire.codec import Writer
from support.samples import as_template, sample
from support.stores import FailingStore, open_storage, snapshot

USER_KEY = bytes(range(100, 132))
ALL: dict[int, AttributeValue] = {}


def made(kind: str = "AES key", **changes: AttributeValue) -> Given:
    attributes = rules.make(rules.parse(as_template(sample(kind, TOKEN=True, **changes))), rules.CREATE, is_so=False)
    complete(attributes)
    return attributes


class World:
    """A token's objects over a store that can fail and be damaged."""

    def __init__(self) -> None:
        self.store = FailingStore(MemoryStore())
        self.objects = self.restart()

    def restart(self) -> TokenObjects:
        """Return the objects as a new daemon finds them, unlocked."""
        self.vault = open_storage(self.store).vault("slot-0")
        self.objects = TokenObjects(self.vault, self.vault.refresh)
        self.objects.admit(SealKey(USER_KEY))
        return self.objects

    def create_damaged(self, label: bytes) -> int:
        """Create an object, turn a bit of its record on the disk, and restart."""
        self.objects.create(made(LABEL=b"so that there is a page"))
        before = snapshot(self.store)
        (handle,) = (one.handle for one in self.objects.create(made(LABEL=label)))
        (record,) = set(snapshot(self.store)) - set(before)
        value = bytearray(snapshot(self.store)[record])
        value[-1] ^= 1
        self.store.commit(expected={}, puts={record: bytes(value)})
        self.restart()
        return handle


@pytest.fixture
def world() -> World:
    return World()


def refusal(objects: TokenObjects, handle: int, *, private: bool = True) -> CKR:
    with pytest.raises(Pkcs11Error) as refused:
        objects.get(handle, private=private)
    return refused.value.rv


@pytest.mark.parametrize("private", [False, True])
def test_an_object_is_there_after_a_restart(world: World, *, private: bool) -> None:
    attributes = made(PRIVATE=private, LABEL=b"kept")
    (one,) = world.objects.create(attributes)
    assert world.objects.get(one.handle, private=True) is one
    again = world.restart().get(one.handle, private=True)
    assert again.attributes == attributes
    assert world.objects.find({CKA.LABEL: b"kept"}, private=True) == [one.handle]


def test_private_objects_are_invisible_before_login(world: World) -> None:
    hidden, shown = world.objects.create(made(PRIVATE=True), made())
    assert world.objects.find(ALL, private=True) == [hidden.handle, shown.handle]
    assert world.objects.find(ALL, private=False) == [shown.handle]
    assert refusal(world.objects, hidden.handle, private=False) is CKR.OBJECT_HANDLE_INVALID
    world.objects.dismiss()
    assert world.objects.find(ALL, private=True) == [shown.handle]
    assert refusal(world.objects, hidden.handle) is CKR.OBJECT_HANDLE_INVALID
    assert world.objects.get(shown.handle, private=True) is shown
    with pytest.raises(Pkcs11Error) as refused:
        world.objects.create(made(PRIVATE=True))
    assert refused.value.rv is CKR.USER_NOT_LOGGED_IN


def test_private_objects_are_gone_from_memory_after_the_last_logout(world: World) -> None:
    (handle,) = (one.handle for one in world.objects.create(made("EC private key", PRIVATE=True)))
    opened = world.restart().get(handle, private=True)
    gone = weakref.ref(opened.attributes[CKA.VALUE])
    del opened
    world.objects.dismiss()
    gc.collect()
    assert gone() is None


def test_the_plaintext_of_a_record_does_not_stay(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    records: list[bytearray] = []

    def written(attributes: Attributes) -> bytearray:
        records.append(encode_object(attributes))
        return records[-1]

    def read(record: bytearray) -> dict[int, AttributeValue]:
        records.append(record)
        return decode_object(record)

    monkeypatch.setattr(token_objects, "encode_object", written)
    monkeypatch.setattr(token_objects, "decode_object", read)
    (one,) = world.objects.create(made())
    world.objects.replace(one, made(LABEL=b"changed"))
    world.restart().get(one.handle, private=True)
    world.store.failing = True
    with pytest.raises(Pkcs11Error):
        world.objects.create(made())
    assert len(records) == 4
    assert not any(any(record) for record in records)


def test_another_user_key_opens_nothing(world: World, caplog: pytest.LogCaptureFixture) -> None:
    (one,) = world.objects.create(made(PRIVATE=True))
    stranger = TokenObjects(world.vault, world.vault.refresh)
    stranger.admit(SealKey(bytes(32)))
    assert stranger.find({CKA.CLASS: 4}, private=True) == []
    assert refusal(stranger, one.handle) is CKR.DEVICE_ERROR
    assert "cannot be read" in caplog.text


def test_a_damaged_object_hurts_no_other(world: World, caplog: pytest.LogCaptureFixture) -> None:
    damaged = world.create_damaged(b"one")
    (sound,) = world.objects.create(made(LABEL=b"one"))
    assert world.objects.find({CKA.LABEL: b"one"}, private=True) == [damaged, sound.handle], "the index knows it"
    assert world.objects.find({CKA.LABEL: b"one", CKA.SIGN: False}, private=True) == [sound.handle]
    with caplog.at_level(logging.ERROR):
        assert refusal(world.objects, damaged) is CKR.DEVICE_ERROR
    assert f"object {damaged:#x} cannot be read" in caplog.text
    assert world.objects.get(sound.handle, private=True) is sound


def test_a_sealed_record_that_is_no_object_is_an_error(world: World) -> None:
    change = world.vault.change()
    number = change.add(b"not an object", world.vault.key, PUBLIC, [])
    change.commit()
    assert refusal(world.objects, number) is CKR.DEVICE_ERROR


def test_several_objects_are_made_together_or_not_at_all(world: World) -> None:
    world.store.failing = True
    with pytest.raises(Pkcs11Error) as refused:
        world.objects.create(made(), made(PRIVATE=True))
    assert refused.value.rv is CKR.DEVICE_ERROR
    world.store.failing = False
    assert world.restart().find(ALL, private=True) == []
    assert len(world.objects.create(made(), made(PRIVATE=True))) == 2
    assert len(world.restart().find(ALL, private=True)) == 2


def test_a_change_replaces_the_record_and_its_place_in_the_index(world: World) -> None:
    (old,) = world.objects.create(made(LABEL=b"old"))
    new = world.objects.replace(old, {**old.attributes, CKA.LABEL: b"new"})
    assert old.attributes[CKA.LABEL] == b"old", "who works with the old object keeps it"
    for objects in (world.objects, world.restart()):
        assert objects.find({CKA.LABEL: b"old"}, private=True) == []
        assert objects.find({CKA.LABEL: b"new"}, private=True) == [new.handle]
        assert objects.get(new.handle, private=True).attributes[CKA.LABEL] == b"new"


def test_a_change_that_the_store_refuses_leaves_the_object_as_it_was(world: World) -> None:
    (old,) = world.objects.create(made(LABEL=b"old"))
    world.store.failing = True
    with pytest.raises(Pkcs11Error):
        world.objects.replace(old, {**old.attributes, CKA.LABEL: b"new"})
    with pytest.raises(Pkcs11Error):
        world.objects.destroy(old)
    assert world.objects.get(old.handle, private=True) is old


def test_a_destroyed_object_is_gone_and_its_handle_is_not_used_again(world: World) -> None:
    (old,) = world.objects.create(made())
    world.objects.destroy(old)
    assert refusal(world.objects, old.handle) is CKR.OBJECT_HANDLE_INVALID
    for late in (lambda: world.objects.destroy(old), lambda: world.objects.replace(old, old.attributes)):
        with pytest.raises(Pkcs11Error) as refused:
            late()
        assert refused.value.rv is CKR.OBJECT_HANDLE_INVALID
    (new,) = world.objects.create(made())
    assert new.handle > old.handle


def test_a_token_that_has_used_up_its_numbers_takes_no_more_objects(world: World) -> None:
    (kept,) = world.objects.create(made(LABEL=b"kept"))
    state = world.vault._state
    state.head = replace(state.head, next_number=LAST_NUMBER)
    with pytest.raises(Pkcs11Error) as refused:
        world.objects.create(made(), made())
    assert refused.value.rv is CKR.DEVICE_ERROR
    assert world.objects.find(ALL, private=True) == [kept.handle]


def test_an_object_that_is_destroyed_while_it_is_opened_is_gone_and_not_damaged(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    (one,) = world.objects.create(made())
    world.objects.forget_all()
    read = Vault.read

    def destroyed_just_before(vault: Vault, number: int, key: SealKey) -> bytearray:
        TokenObjects(vault, vault.refresh).destroy(one)
        return read(vault, number, key)

    monkeypatch.setattr(Vault, "read", destroyed_just_before)
    assert refusal(world.objects, one.handle) is CKR.OBJECT_HANDLE_INVALID


def test_a_private_object_is_not_kept_open_behind_a_logout(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    commit = TokenObjects._commit

    def logged_out_just_after(objects: TokenObjects, change: Change) -> None:
        commit(objects, change)
        objects.dismiss()

    monkeypatch.setattr(TokenObjects, "_commit", logged_out_just_after)
    (hidden,) = world.objects.create(made(PRIVATE=True))
    assert not world.objects._opened
    assert world.restart().get(hidden.handle, private=True).attributes == hidden.attributes


def test_an_object_shows_nothing_of_itself_in_a_traceback(world: World) -> None:
    (one,) = world.objects.create(made(LABEL=b"a label"))
    assert repr(one) == f"<object {one.handle:#x}>"


def test_a_search_combines_the_index_with_what_must_be_opened(world: World) -> None:
    first, second = world.objects.create(made(LABEL=b"x", SIGN=True), made(LABEL=b"x", PRIVATE=True))
    find = world.objects.find
    assert find({CKA.LABEL: b"x"}, private=True) == [first.handle, second.handle]
    assert find({CKA.LABEL: b"x", CKA.SIGN: True}, private=True) == [first.handle]
    assert find({CKA.SIGN: False}, private=True) == [second.handle]
    assert find({CKA.PRIVATE: True}, private=True) == [second.handle]
    assert find({CKA.PRIVATE: False, CKA.TOKEN: True}, private=True) == [first.handle]
    assert find({CKA.TOKEN: False}, private=True) == []
    assert find({CKA.LABEL: b"y"}, private=True) == []
    assert find({CKA.VALUE: first.attributes[CKA.VALUE]}, private=True) == [], "a hidden value is not searched by"


def test_opened_objects_are_kept_only_while_there_is_room(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(token_objects, "CACHED_OBJECTS", 2)
    one, two, three = (world.objects.create(made())[0] for _ in range(3))
    assert world.objects.get(three.handle, private=True) is three
    assert world.objects.get(two.handle, private=True) is two
    again = world.objects.get(one.handle, private=True)
    assert again is not one
    assert again.attributes == one.attributes
    assert world.objects.get(three.handle, private=True) is not three


def test_an_object_that_another_process_changed_is_read_again(world: World) -> None:
    (old,) = world.objects.create(made(LABEL=b"old"))
    other = TokenObjects(world.vault, world.vault.refresh)
    other.replace(old, {**old.attributes, CKA.LABEL: b"new"})
    assert world.objects.get(old.handle, private=True).attributes[CKA.LABEL] == b"new"


RECORD = bytes(encode_object(made("data")))


def in_another_order(*, twice: bool) -> bytes:
    """Return the record of an object with its first two attributes the other way round, or with its first one twice."""
    attributes = made("data")
    (first, one), (second, other), *rest = sorted(
        (int(one), encode_value(one, value)) for one, value in attributes.items()
    )
    changed = [(first, one), (first, one), (second, other)] if twice else [(second, other), (first, one)]
    writer = Writer().u32(1).u32(len(changed) + len(rest))
    for attribute, value in (*changed, *rest):
        writer.u32(attribute).blob(value)
    return writer.done()


@pytest.mark.parametrize(
    "record",
    [
        b"",
        RECORD[:-1],
        RECORD + b"\0",
        b"\2" + RECORD[1:],
        RECORD[:4] + b"\xff\xff\xff\xff" + RECORD[8:],
        Writer().u32(1).u32(2).u32(CKA.TOKEN).blob(b"\1").u32(CKA.TOKEN).blob(b"\1").done(),
        Writer().u32(1).u32(1).u32(0x80000001).blob(b"").done(),
        Writer().u32(1).u32(1).u32(CKA.TOKEN).blob(b"\7").done(),
        Writer().u32(1).u32(0).done(),
        Writer().u32(1).u32(1).u32(CKA.CLASS).blob(bytes(4)).done(),
        bytes(encode_object({**made("data"), CKA.KEY_TYPE: 0})),
        in_another_order(twice=False),
        in_another_order(twice=True),
    ],
)
def test_a_record_that_is_not_an_object_is_refused(record: bytes) -> None:
    with pytest.raises(BadObjectError):
        decode_object(record)
