# SPDX-License-Identifier: Apache-2.0
"""C_CreateObject, C_CopyObject, C_DestroyObject, C_GetObjectSize, C_GetAttributeValue, C_SetAttributeValue."""

from collections.abc import Iterable

from softee.names import CKA, CKO, CKR
from softee.pkcs11_ta.abi.commands import objects
from softee.pkcs11_ta.abi.errors import AnsweredError, Pkcs11Error
from softee.pkcs11_ta.abi.messages import OnObject, OnObjectWithTemplate, WithTemplate
from softee.pkcs11_ta.abi.template import Template, ValueSlot, encode_slots
from softee.pkcs11_ta.attributes.uses import Rule
from softee.pkcs11_ta.attributes.values import Attributes, Given
from softee.pkcs11_ta.handlers.binding import bind
from softee.pkcs11_ta.objects import rules
from softee.pkcs11_ta.objects.content import recheck
from softee.pkcs11_ta.objects.policy import ObjectPolicy
from softee.pkcs11_ta.objects.showing import read
from softee.pkcs11_ta.session.access import (
    check_new,
    complete_new,
    is_so,
    new_attributes,
    place_new,
    require_permission,
    require_write,
    rooms,
)
from softee.pkcs11_ta.session.call import Call
from softee.pkcs11_ta.session.client import Session
from softee.pkcs11_ta.token.object import Pkcs11Object, object_size
from softee.wire.codec import Writer
from softee.wire.frames import MAX_LENGTH


def handles(session: Session, objects: Iterable[Pkcs11Object]) -> bytes:
    """Return objects' handles for this session's client as they travel."""
    reply = Writer()
    for one in objects:
        reply.u32(session.handle_of(one))
    return reply.done()


def create_object(call: Call, request: WithTemplate) -> bytes:
    """Make an object of what the client gives, and return its handle."""
    session = call.session
    _require_only_data_large(request.template)
    made = new_attributes(session, rules.parse(request.template), rules.CREATE)
    check_new(session, made)
    complete_new(session, made)
    return handles(session, place_new(session, made))


def _require_only_data_large(template: Template) -> None:
    """Refuse a template larger than a frame, but for a data object's value: what else is large is computed with."""
    others = sum(len(value) for attribute, value in template if attribute != CKA.VALUE)
    largest_value = max((len(value) for attribute, value in template if attribute == CKA.VALUE), default=0)
    is_data = any(
        attribute == CKA.CLASS and int.from_bytes(value, "little") == CKO.DATA for attribute, value in template
    )
    if others > MAX_LENGTH or (largest_value > MAX_LENGTH and not is_data):
        detail = f"{max(others, largest_value)} bytes; only a data object's value may have more than {MAX_LENGTH}"
        raise Pkcs11Error(CKR.ATTRIBUTE_VALUE_INVALID, detail)


def copy_object(call: Call, request: OnObjectWithTemplate) -> bytes:
    """Make a copy with some attributes changed, and return its handle."""
    session = call.session

    def copy() -> bytes:
        old = session.object(request.handle)
        require_permission(session, old, CKA.COPYABLE)
        made = _changed(session, old, request.template, rules.BY_COPY)
        return handles(session, place_new(session, made))

    return session.token.transact(copy)


def destroy_object(call: Call, request: OnObject) -> bytes:
    """Remove an object for good."""
    session = call.session

    def destroy() -> None:
        old = _owned(session, request.handle)
        require_write(session, old)
        require_permission(session, old, CKA.DESTROYABLE)
        if old.is_token:
            session.token.objects.destroy(old)
        else:
            session.objects.destroy(old)

    session.token.transact(destroy)
    return b""


def get_object_size(call: Call, request: OnObject) -> bytes:
    """Return how many bytes an object takes."""
    return Writer().u32(object_size(call.session.object(request.handle).attributes)).done()


def set_attribute_value(call: Call, request: OnObjectWithTemplate) -> bytes:
    """Change an object's attributes, all or none."""
    session = call.session

    def change() -> None:
        old = _markable(session, request)
        require_write(session, old)
        require_permission(session, old, CKA.MODIFIABLE)
        changed = _changed(session, old, request.template, rules.BY_SET)
        if old.is_token:
            session.token.objects.replace(old, changed, rooms=rooms(session))
        else:
            session.objects.replace(old, changed)

    session.token.transact(change)
    return b""


def get_attribute_value(call: Call, request: OnObjectWithTemplate) -> bytes:
    """Return the wanted attributes, each in the space that the request left for it."""
    return show(call.session, call.session.object(request.handle), request.template)


def show(session: Session, one: Pkcs11Object, template: Template) -> bytes:
    """Return an object's attributes as C_GetAttributeValue answers.

    Raises:
        AnsweredError: some cannot be given, the others are. Of the reasons the last in OP-TEE's order is the return
            value.

    """
    refusals: dict[CKR, str] = {}
    policy = session.token.policy.objects
    values = _values(one.attributes, {attribute for attribute, _ in template}, policy, refusals)
    slots = [ValueSlot(attribute, space, values[attribute]) for attribute, space in template]
    if any(slot.too_small for slot in slots):
        refusals[CKR.BUFFER_TOO_SMALL] = "an attribute does not fit into the space for it"
    reply = encode_slots(slots)
    for rv in _WORST_FIRST:
        if rv in refusals:
            raise AnsweredError(rv, reply, refusals[rv])
    return reply


def _values(
    attributes: Attributes, types: Iterable[int], policy: ObjectPolicy, refusals: dict[CKR, str]
) -> dict[int, bytes | bytearray | None]:
    """Return attributes' bytes, None with an entry in ``refusals`` where they are not shown.

    Each is read once, however often a request names it: otherwise a small request could ask for copies without end.
    """
    values: dict[int, bytes | bytearray | None] = dict.fromkeys(types)
    for attribute in values:
        try:
            values[attribute] = read(attributes, attribute, policy)
        except Pkcs11Error as error:
            refusals.setdefault(error.rv, error.detail)
    return values


_WORST_FIRST = (CKR.BUFFER_TOO_SMALL, CKR.ATTRIBUTE_TYPE_INVALID, CKR.ATTRIBUTE_SENSITIVE)


def _changed(session: Session, old: Pkcs11Object, template: Template, changeable: Rule) -> Given:
    policy = session.token.policy
    changed = rules.change(old.attributes, template, changeable, is_so=is_so(session), policy=policy.objects)
    recheck(changed, {attribute for attribute, _ in template})
    return changed


def _owned(session: Session, handle: int) -> Pkcs11Object:
    """Return an object to destroy: the SO may destroy trusted keys among the user's private objects, and no others."""
    obj = session.object(handle, so_too=not session.token.policy.as_optee)
    if obj.is_private and is_so(session) and obj.attributes.get(CKA.TRUSTED) is not True:
        raise Pkcs11Error(CKR.OBJECT_HANDLE_INVALID, "the SO sees no private objects but trusted keys")
    return obj


def _markable(session: Session, request: OnObjectWithTemplate) -> Pkcs11Object:
    """Return an object to change: the SO may mark private keys as trusted, and change nothing else of them."""
    marks = {attribute for attribute, _ in request.template} == {CKA.TRUSTED}
    return session.object(request.handle, so_too=marks and not session.token.policy.as_optee)


BOUND = (
    bind(objects.CREATE_OBJECT, create_object),
    bind(objects.DESTROY_OBJECT, destroy_object),
    bind(objects.GET_OBJECT_SIZE, get_object_size),
    bind(objects.GET_ATTRIBUTE_VALUE, get_attribute_value),
    bind(objects.SET_ATTRIBUTE_VALUE, set_attribute_value),
    bind(objects.COPY_OBJECT, copy_object),
)
