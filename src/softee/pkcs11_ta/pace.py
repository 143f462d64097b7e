# SPDX-License-Identifier: Apache-2.0
"""Which commands are done in a moment, and may run where others wait for their turn meanwhile.

A moment is some hundred microseconds. Whatever commits a change, searches for the primes of a key, or computes with a
PIN, is not done in one.
"""

import struct
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from softee.names import CKA
from softee.pkcs11_ta.abi.command import Command
from softee.pkcs11_ta.abi.commands import (
    ciphers,
    digests,
    general,
    keys,
    objects,
    random,
    resuming,
    sessions,
    signatures,
    slots,
)
from softee.pkcs11_ta.handlers import HANDLERS
from softee.pkcs11_ta.mechanisms.functions import KeyGenerating, PairGenerating
from softee.pkcs11_ta.mechanisms.table import MECHANISMS
from softee.pkcs11_ta.session.client import Pkcs11Client
from softee.pkcs11_ta.session.operations import (
    DECRYPT,
    DIGEST,
    ENCRYPT,
    SIGN,
    SIGN_RECOVER,
    VERIFY,
    VERIFY_RECOVER,
    Purpose,
)
from softee.pkcs11_ta.token.object import FIRST_SESSION_HANDLE
from softee.wire.values import Memref, Params

_FIRST: Final = struct.Struct("<I")
_MANY_OBJECTS: Final = 1000
"""A search of more objects takes its time, where it is not by an attribute that is indexed."""

_TWO: Final = struct.Struct("<II")
_GENERATE: Final = struct.Struct("<III")
_SELECTIVE: Final = frozenset({int(CKA.LABEL), int(CKA.ID), int(CKA.UNIQUE_ID)})
"""What objects are looked up by at once, and few of them have alike."""
_LOOKED_AT: Final = 2048
"""How many bytes of a request with templates are looked at."""
_TOKEN, _EC_PARAMS = int(CKA.TOKEN), int(CKA.EC_PARAMS)


def _quickly_made() -> Mapping[int, frozenset[bytes] | None]:
    """Return which mechanisms make keys in a moment, and on which curves: the values of CKA_EC_PARAMS; None: any."""
    made: dict[int, frozenset[bytes] | None] = {}
    for number, spec in MECHANISMS.items():
        for functions in spec.functions:
            if isinstance(functions, KeyGenerating) and not functions.slow:
                made[int(number)] = None
            elif isinstance(functions, PairGenerating) and functions.quick_curves:
                made[int(number)] = functions.quick_curves
    return made


_QUICKLY_MADE: Final = _quickly_made()

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
    data = _data(params)
    if len(data) < _FIRST.size:
        return 0
    first: int = _FIRST.unpack_from(data)[0]
    return first


def _as_operation(purpose: Purpose[Any]) -> Pace:
    """Return the pace of an operation's steps: they are as quick as its key is, and its mechanism with the data."""

    def pace(client: Pkcs11Client, handle: int, params: Params) -> bool:
        session, data = client.sessions.get(handle), params[1]
        size = data.capacity if isinstance(data, Memref) else 0
        return session is None or not session.operations.is_slow(purpose, size)

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
    """Say whether a search's template names what few objects have alike."""
    templates = _templates(_data(params), _FIRST.size, 1)
    return any(attribute in _SELECTIVE for attribute, _ in templates)


def _as_generation(client: Pkcs11Client, handle: int, params: Params) -> bool:
    """Say whether keys are made quickly, and stay in the session, so that nothing is committed."""
    session = client.sessions.get(handle)
    return session is None or (_is_quickly_made(_data(params)) and session.token.is_free())


def _is_quickly_made(data: bytes | bytearray) -> bool:
    if len(data) < _GENERATE.size:
        return True
    _, mechanism, size = _GENERATE.unpack_from(data)
    if mechanism not in _QUICKLY_MADE or len(data) > _LOOKED_AT:
        return False
    curves = _QUICKLY_MADE[mechanism]
    for attribute, value in _templates(data, _GENERATE.size + size, 2):
        if attribute == _TOKEN and value != b"\0":
            return False
        if attribute == _EC_PARAMS and curves is not None and value not in curves:
            return False
    return True


def _as_object(client: Pkcs11Client, handle: int, params: Params) -> bool:
    """Say whether an object is a session's, so that nothing is committed."""
    session, data = client.sessions.get(handle), _data(params)
    if session is None or len(data) < _TWO.size:
        return True
    return _TWO.unpack_from(data)[1] >= FIRST_SESSION_HANDLE and session.token.is_free()


def _data(params: Params) -> bytes | bytearray:
    control = params[0]
    return control.data if isinstance(control, Memref) else b""


def _templates(data: bytes | bytearray, offset: int, count: int) -> Iterator[tuple[int, bytes]]:
    """Give the attributes of ``count`` templates, which have not been checked yet, as far as they are there."""
    for _ in range(count):
        if offset + _TWO.size > len(data):
            return
        size, _ = _TWO.unpack_from(data, offset)
        offset += _TWO.size
        yield from _attributes(data, offset, min(offset + size, len(data), _LOOKED_AT))
        offset += size


def _attributes(data: bytes | bytearray, offset: int, end: int) -> Iterator[tuple[int, bytes]]:
    while offset + _TWO.size <= end:
        attribute, size = _TWO.unpack_from(data, offset)
        offset += _TWO.size
        yield attribute, bytes(data[offset : min(offset + size, end)])
        offset += size


_QUICK: Final[tuple[tuple[Pace, tuple[Command[Any], ...]], ...]] = (
    (True, (general.PING, slots.SLOT_LIST, slots.MECHANISM_IDS, slots.MECHANISM_INFO, sessions.SESSION_INFO)),
    (True, (objects.FIND_OBJECTS, objects.FIND_OBJECTS_FINAL, objects.GET_ATTRIBUTE_VALUE)),
    (True, (random.SEED_RANDOM, random.GENERATE_RANDOM)),
    (True, (digests.DIGEST_INIT, digests.DIGEST_FINAL)),
    (True, (ciphers.ENCRYPT_INIT, ciphers.DECRYPT_INIT, signatures.SIGN_INIT, signatures.VERIFY_INIT)),
    (True, (resuming.ENCRYPT_START, resuming.DECRYPT_START, resuming.SIGN_START, resuming.VERIFY_START)),
    (True, (resuming.DIGEST_START, resuming.RESUME)),
    (_as_operation(DIGEST), (digests.DIGEST_UPDATE, digests.DIGEST_ONESHOT, resuming.DIGEST_AGAIN)),
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
    (_as_generation, (keys.GENERATE_KEY, keys.GENERATE_KEY_PAIR)),
    (_as_object, (objects.DESTROY_OBJECT,)),
    (_as_search, (objects.FIND_OBJECTS_INIT, resuming.FIND_OBJECTS_START)),
)

_PACES: Final[Mapping[int, Pace]] = {
    **dict.fromkeys(HANDLERS, False),
    **{command.number: pace for pace, commands in _QUICK for command in commands},
}
