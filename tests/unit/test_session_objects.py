# SPDX-License-Identifier: Apache-2.0
"""Session objects: they live as long as their session, and private ones as long as the login."""

import pytest

from softee.names import CKA, CKR
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.attributes.values import AttributeValue, Given
from softee.pkcs11_ta.objects import rules
from softee.pkcs11_ta.objects.content import complete
from softee.pkcs11_ta.session import objects as session_objects
from softee.pkcs11_ta.session.accounts import Accounts
from softee.pkcs11_ta.session.objects import SessionObjects
from softee.pkcs11_ta.token.object import FIRST_SESSION_HANDLE, Pkcs11Object, object_size
from support.samples import as_template, sample

ALL: dict[int, AttributeValue] = {}


def made(**changes: AttributeValue) -> Given:
    attributes = rules.make(rules.parse(as_template(sample("data", **changes))), rules.CREATE, is_so=False)
    complete(attributes)
    return attributes


def refusal(objects: SessionObjects, one: Pkcs11Object, *, private: bool = True) -> CKR:
    with pytest.raises(Pkcs11Error) as refused:
        objects.get(one.handle, private=private)
    return refused.value.rv


def test_handles_are_apart_from_the_tokens_and_not_used_again() -> None:
    objects = SessionObjects(Accounts().of(1000))
    (first,) = objects.create(1, made())
    objects.destroy(first)
    (second,) = objects.create(1, made())
    assert FIRST_SESSION_HANDLE <= first.handle < second.handle
    assert refusal(objects, first) is CKR.OBJECT_HANDLE_INVALID


def test_a_session_takes_its_objects_along_and_no_others() -> None:
    objects = SessionObjects(Accounts().of(1000))
    (mine,), (other,) = objects.create(1, made()), objects.create(2, made())
    objects.close_session(1)
    assert refusal(objects, mine) is CKR.OBJECT_HANDLE_INVALID
    assert objects.find(ALL, private=True) == [other.handle]


def test_private_objects_are_invisible_without_login_and_go_at_logout() -> None:
    objects = SessionObjects(Accounts().of(1000))
    private, public = objects.create(1, made(PRIVATE=True), made())
    assert objects.find(ALL, private=False) == [public.handle]
    assert refusal(objects, private, private=False) is CKR.OBJECT_HANDLE_INVALID
    objects.forget_private()
    assert objects.find(ALL, private=True) == [public.handle]
    assert refusal(objects, private) is CKR.OBJECT_HANDLE_INVALID


def test_a_change_keeps_the_handle_and_the_session() -> None:
    objects = SessionObjects(Accounts().of(1000))
    (old,) = objects.create(7, made(LABEL=b"old"))
    new = objects.replace(old, {**old.attributes, CKA.LABEL: b"new"})
    assert objects.get(old.handle, private=True) is new
    assert old.attributes[CKA.LABEL] == b"old"
    objects.close_session(7)
    for late in (lambda: objects.destroy(new), lambda: objects.replace(new, new.attributes)):
        with pytest.raises(Pkcs11Error) as refused:
            late()
        assert refused.value.rv is CKR.OBJECT_HANDLE_INVALID


def test_a_search_for_token_objects_finds_none() -> None:
    objects = SessionObjects(Accounts().of(1000))
    (one,) = objects.create(1, made())
    assert objects.find({CKA.TOKEN: True}, private=True) == []
    assert objects.find({CKA.TOKEN: False}, private=True) == [one.handle]


def test_a_client_has_room_for_so_many_objects(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_objects, "MAX_OBJECTS", 2)
    objects = SessionObjects(Accounts().of(1000))
    (one,) = objects.create(1, made())
    with pytest.raises(Pkcs11Error) as refused:
        objects.create(1, made(), made())
    assert refused.value.rv is CKR.DEVICE_MEMORY
    objects.create(1, made())
    objects.destroy(one)
    assert objects.create(1, made())


def test_a_client_has_room_for_so_many_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_objects, "MAX_BYTES", object_size(made()) + 1000)
    objects = SessionObjects(Accounts().of(1000))
    (one,) = objects.create(1, made())
    for too_much in (
        lambda: objects.create(1, made(VALUE=bytes(1000))),
        lambda: objects.replace(one, {**one.attributes, CKA.LABEL: bytes(1001)}),
    ):
        with pytest.raises(Pkcs11Error) as refused:
            too_much()
        assert refused.value.rv is CKR.DEVICE_MEMORY
    objects.replace(one, {**one.attributes, CKA.LABEL: bytes(1000)})
    objects.close_session(1)
    assert objects.create(1, made(VALUE=bytes(900)))
