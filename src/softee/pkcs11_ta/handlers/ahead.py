# SPDX-License-Identifier: Apache-2.0
"""C_GetAttributeValue, and with its answer what the client may ask next: of the same object, and of those after it.

What is told ahead is what the client could ask for, and true as long as the change counter stands that is told with it.
No key's private part is ever told ahead, nor a data object's value.
"""

import struct
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Final

from softee.names import CKA, CKR, UNAVAILABLE_INFORMATION
from softee.pkcs11_ta.abi.commands import resuming
from softee.pkcs11_ta.abi.errors import AnsweredError, Pkcs11Error
from softee.pkcs11_ta.abi.messages import ReadAhead
from softee.pkcs11_ta.attributes.values import Attributes
from softee.pkcs11_ta.handlers.binding import bind
from softee.pkcs11_ta.handlers.objects import show
from softee.pkcs11_ta.objects.policy import ObjectPolicy
from softee.pkcs11_ta.objects.showing import is_secret_part, shown
from softee.pkcs11_ta.session.call import Call
from softee.pkcs11_ta.session.client import Session
from softee.pkcs11_ta.token.object import Pkcs11Object
from softee.pkcs11_ta.token.objects import LARGEST_CACHED

MOST_FOLLOWING: Final = 16
"""Further objects that are told of at once."""

MOST_TYPES: Final = 32
"""Attributes of each."""

LARGEST_TOLD: Final = 1024
"""Bytes of a value that is told ahead: few certificates of elliptic curves have more."""

_PAIR: Final = struct.Struct("<II")
_MARK: Final = struct.Struct("<IQ")


def get_attributes_ahead(call: Call, request: ReadAhead) -> bytes:
    """Return the wanted attributes as GET_ATTRIBUTE_VALUE does, and what is told ahead."""
    session = call.session
    following = _numbers(request.following, MOST_FOLLOWING)
    types = tuple(dict.fromkeys(_numbers(request.types, MOST_TYPES)))
    mark = _MARK.pack(session.token.slot, session.changes[0])  # what comes while it is read counts as later
    one = session.object(request.handle)
    told = _told(session, (request.handle, one), following, types)
    try:
        reply = show(session, one, request.template)
    except AnsweredError as error:
        error.output += _fitting(call.capacity - len(error.output), mark, told)
        raise
    return reply + _fitting(call.capacity - len(reply), mark, told)


def _numbers(data: bytes, most: int) -> tuple[int, ...]:
    count, rest = divmod(len(data), 4)
    if rest or count > most:
        raise Pkcs11Error(CKR.ARGUMENTS_BAD, f"{len(data)} bytes of numbers; up to {most} of 4 bytes each are taken")
    return struct.unpack(f"<{count}I", data)


def _fitting(room: int, mark: bytes, told: Iterator[bytes]) -> bytes:
    """Return the mark, and of the objects as many as there is room for."""
    fitting = bytearray()
    for piece in chain((mark,), told):
        if len(fitting) + len(piece) > room:
            break
        fitting += piece
    return bytes(fitting)


def _told(
    session: Session, first: tuple[int, Pkcs11Object], following: Iterable[int], types: tuple[int, ...]
) -> Iterator[bytes]:
    """Yield what is told of an object, and of those that follow: up to one that cannot be read, or that is large."""
    policy = session.token.policy.objects
    handle, one = first
    yield _object(handle, one.attributes, types, policy)
    for handle in following:
        try:
            one = session.object(handle)
        except Pkcs11Error:
            return
        if _is_large(one.attributes):
            return
        yield _object(handle, one.attributes, types, policy)


def _is_large(attributes: Attributes) -> bool:
    """Say whether to open an object takes its time, each time anew."""
    value = attributes.get(CKA.VALUE)
    return isinstance(value, bytes | bytearray) and len(value) > LARGEST_CACHED


def _object(handle: int, attributes: Attributes, types: tuple[int, ...], policy: ObjectPolicy) -> bytes:
    told = b"".join(
        _attribute(attributes, attribute, policy) for attribute in types if not is_secret_part(attributes, attribute)
    )
    return _PAIR.pack(handle, len(told)) + told


def _attribute(attributes: Attributes, attribute: int, policy: ObjectPolicy) -> bytes:
    """Return an attribute with its value, or without where the object has none; nothing where the value is large."""
    value = shown(attributes, attribute, policy)
    if value is None:
        return _PAIR.pack(attribute, UNAVAILABLE_INFORMATION)
    return _PAIR.pack(attribute, len(value)) + value if len(value) <= LARGEST_TOLD else b""


BOUND = (bind(resuming.GET_ATTRIBUTES_AHEAD, get_attributes_ahead),)
