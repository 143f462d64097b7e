# SPDX-License-Identifier: Apache-2.0
"""Which commands are done in a moment, and may run where others wait for their turn meanwhile.

A moment is some hundred microseconds, with the few kilobytes of data that such a command comes with. Whatever commits a
change, makes a key of chance, or computes with a PIN, is not done in one.
"""

import struct
from collections.abc import Callable, Mapping
from typing import Any, Final

from softee.names import CKA
from softee.pkcs11_ta.abi.command import Command
from softee.pkcs11_ta.abi.commands import (
    ciphers,
    digests,
    general,
    objects,
    random,
    resuming,
    sessions,
    signatures,
    slots,
)
from softee.pkcs11_ta.handlers import HANDLERS
from softee.pkcs11_ta.session.client import Pkcs11Client
from softee.pkcs11_ta.session.operations import DECRYPT, ENCRYPT, SIGN, SIGN_RECOVER, VERIFY, VERIFY_RECOVER, Purpose
from softee.wire.values import Memref, Params

_FIRST: Final = struct.Struct("<I")
_MANY_OBJECTS: Final = 1000
"""A search of more objects takes its time, where it is not by an attribute that is indexed."""

_HEADER: Final = struct.Struct("<II")
_SELECTIVE: Final = frozenset({int(CKA.LABEL), int(CKA.ID), int(CKA.UNIQUE_ID)})
"""What objects are looked up by at once, and few of them have alike."""
_LOOKED_AT: Final = 8
"""How many attributes of a search are looked at."""

Pace = bool | Callable[[Pkcs11Client, int, Params], bool]
"""Whether a command is quick: always, never, or as the client's session or slot is, whose number is given."""


def is_quick(client: Pkcs11Client, command: int, params: Params) -> bool:
    """Say whether a command is done in a moment. So is the refusal of one that there is not, or that is not decoded."""
    if not client.slots.are_current():
        return False
    pace = _PACES.get(command, True)
    return pace if pace is True or pace is False else pace(client, _first(params), params)


def _first(params: Params) -> int:
    """Return the first number of a request: the session's handle, or the slot's."""
    control = params[0]
    if not isinstance(control, Memref) or len(control.data) < _FIRST.size:
        return 0
    first: int = _FIRST.unpack_from(control.data)[0]
    return first


def _as_operation(purpose: Purpose[Any]) -> Pace:
    """Return the pace of an operation's steps: they are as quick as its key is."""

    def pace(client: Pkcs11Client, handle: int, _: Params) -> bool:
        session = client.sessions.get(handle)
        return session is None or not session.operations.is_slow(purpose)

    return pace


def _as_slot(client: Pkcs11Client, slot: int, _: Params) -> bool:
    """Say whether nobody has the lock of a slot's token, which may be held during a commit."""
    return client.slots.is_free(slot)


def _as_opening(client: Pkcs11Client, slot: int, _: Params) -> bool:
    """Say whether a session with a slot's token can be opened without waiting for anybody."""
    return client.slots.opens_at_once(slot)


def _as_token(client: Pkcs11Client, handle: int, _: Params) -> bool:
    """Say the same of the token of a session."""
    session = client.sessions.get(handle)
    return session is None or session.token.is_free()


def _as_search(client: Pkcs11Client, handle: int, params: Params) -> bool:
    """Say besides that the token has not very many objects, or that few of them can be what is looked for."""
    session = client.sessions.get(handle)
    if session is None:
        return True
    few = session.token.objects.next_number <= _MANY_OBJECTS or _is_selective(params)
    return few and session.token.is_free()


def _is_selective(params: Params) -> bool:
    """Say whether a search's template, which has not been checked yet, names what few objects have alike."""
    control = params[0]
    data = control.data if isinstance(control, Memref) else b""
    offset = _FIRST.size + _HEADER.size
    for _ in range(_LOOKED_AT):
        if offset + _HEADER.size > len(data):
            return False
        attribute, size = _HEADER.unpack_from(data, offset)
        if attribute in _SELECTIVE:
            return True
        offset += _HEADER.size + size
    return False


_QUICK: Final[tuple[tuple[Pace, tuple[Command[Any], ...]], ...]] = (
    (True, (general.PING, slots.SLOT_LIST, slots.MECHANISM_IDS, slots.MECHANISM_INFO, sessions.SESSION_INFO)),
    (True, (objects.FIND_OBJECTS, objects.FIND_OBJECTS_FINAL, objects.GET_ATTRIBUTE_VALUE)),
    (True, (random.SEED_RANDOM, random.GENERATE_RANDOM)),
    (True, (digests.DIGEST_INIT, digests.DIGEST_UPDATE, digests.DIGEST_FINAL, digests.DIGEST_ONESHOT)),
    (True, (ciphers.ENCRYPT_INIT, ciphers.DECRYPT_INIT, signatures.SIGN_INIT, signatures.VERIFY_INIT)),
    (True, (resuming.ENCRYPT_START, resuming.DECRYPT_START, resuming.SIGN_START, resuming.VERIFY_START)),
    (True, (resuming.DIGEST_START, resuming.DIGEST_AGAIN, resuming.RESUME)),
    (_as_operation(ENCRYPT), (resuming.ENCRYPT_AGAIN,)),
    (_as_operation(DECRYPT), (resuming.DECRYPT_AGAIN,)),
    (_as_operation(SIGN), (resuming.SIGN_AGAIN,)),
    (_as_operation(VERIFY), (resuming.VERIFY_AGAIN,)),
    (_as_operation(ENCRYPT), (ciphers.ENCRYPT_UPDATE, ciphers.ENCRYPT_FINAL, ciphers.ENCRYPT_ONESHOT)),
    (_as_operation(DECRYPT), (ciphers.DECRYPT_UPDATE, ciphers.DECRYPT_FINAL, ciphers.DECRYPT_ONESHOT)),
    (_as_operation(SIGN), (signatures.SIGN_UPDATE, signatures.SIGN_FINAL, signatures.SIGN_ONESHOT)),
    (_as_operation(VERIFY), (signatures.VERIFY_UPDATE, signatures.VERIFY_FINAL, signatures.VERIFY_ONESHOT)),
    (_as_operation(SIGN_RECOVER), (signatures.SIGN_RECOVER,)),
    (_as_operation(VERIFY_RECOVER), (signatures.VERIFY_RECOVER,)),
    (_as_slot, (slots.SLOT_INFO, slots.TOKEN_INFO)),
    (_as_opening, (sessions.OPEN_SESSION,)),
    (_as_token, (sessions.CLOSE_SESSION,)),
    (True, (resuming.GET_ATTRIBUTES_AHEAD,)),
    (_as_search, (objects.FIND_OBJECTS_INIT, resuming.FIND_OBJECTS_START)),
)

_PACES: Final[Mapping[int, Pace]] = {
    **dict.fromkeys(HANDLERS, False),
    **{command.number: pace for pace, commands in _QUICK for command in commands},
}
