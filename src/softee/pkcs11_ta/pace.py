# SPDX-License-Identifier: Apache-2.0
"""Which commands are done in a moment, and may run where others wait for their turn meanwhile.

A moment is some hundred microseconds, with the few kilobytes of data that such a command comes with. Whatever commits a
change, makes a key of chance, or computes with a PIN, is not done in one.
"""

import struct
from typing import Any, Final

from softee.pkcs11_ta.abi.command import Command
from softee.pkcs11_ta.abi.commands import ciphers, digests, general, objects, random, sessions, signatures, slots
from softee.pkcs11_ta.handlers import HANDLERS
from softee.pkcs11_ta.session.client import Pkcs11Client, Session
from softee.pkcs11_ta.session.operations import DECRYPT, ENCRYPT, SIGN, SIGN_RECOVER, VERIFY, VERIFY_RECOVER, Purpose
from softee.wire.values import Memref, Params

_FIRST: Final = struct.Struct("<I")
_MANY_OBJECTS: Final = 1000
"""A search of more objects takes its time, where it is not by an attribute that is indexed."""


def _numbers(*commands: Command[Any]) -> frozenset[int]:
    return frozenset(command.number for command in commands)


_ALWAYS: Final = _numbers(
    *(general.PING, slots.SLOT_LIST, slots.MECHANISM_IDS, slots.MECHANISM_INFO, sessions.SESSION_INFO),
    *(objects.FIND_OBJECTS, objects.FIND_OBJECTS_FINAL, objects.GET_ATTRIBUTE_VALUE),
    *(random.SEED_RANDOM, random.GENERATE_RANDOM),
    *(digests.DIGEST_INIT, digests.DIGEST_UPDATE, digests.DIGEST_FINAL, digests.DIGEST_ONESHOT),
    *(ciphers.ENCRYPT_INIT, ciphers.DECRYPT_INIT, signatures.SIGN_INIT, signatures.VERIFY_INIT),
)
_STEPS: Final[tuple[tuple[Purpose[Any], frozenset[int]], ...]] = (
    (ENCRYPT, _numbers(ciphers.ENCRYPT_UPDATE, ciphers.ENCRYPT_FINAL, ciphers.ENCRYPT_ONESHOT)),
    (DECRYPT, _numbers(ciphers.DECRYPT_UPDATE, ciphers.DECRYPT_FINAL, ciphers.DECRYPT_ONESHOT)),
    (SIGN, _numbers(signatures.SIGN_UPDATE, signatures.SIGN_FINAL, signatures.SIGN_ONESHOT)),
    (VERIFY, _numbers(signatures.VERIFY_UPDATE, signatures.VERIFY_FINAL, signatures.VERIFY_ONESHOT)),
    (SIGN_RECOVER, _numbers(signatures.SIGN_RECOVER)),
    (VERIFY_RECOVER, _numbers(signatures.VERIFY_RECOVER)),
)
_OF_OPERATION: Final = {number: purpose for purpose, steps in _STEPS for number in steps}
"""The steps of operations, which are as quick as the operation's key is."""

_IN_SLOT: Final = _numbers(slots.SLOT_INFO, slots.TOKEN_INFO, sessions.OPEN_SESSION)
_ON_TOKEN: Final = _numbers(sessions.CLOSE_SESSION, objects.FIND_OBJECTS_INIT)
"""Those take the token's lock, which may be held during a commit."""


def is_quick(client: Pkcs11Client, command: int, params: Params) -> bool:
    """Say whether a command is done in a moment. So is the refusal of one that there is not, or that is not decoded."""
    if command in _ALWAYS or command not in HANDLERS:
        return True
    purpose = _OF_OPERATION.get(command)
    if purpose is not None:
        session = client.sessions.get(_first(params))
        return session is None or not session.operations.is_slow(purpose)
    if command in _IN_SLOT:
        return client.slots.is_free(_first(params))
    if command in _ON_TOKEN:
        return _is_free(client.sessions.get(_first(params)))
    return False


def _first(params: Params) -> int:
    """Return the first number of a request: the session's handle, or the slot's."""
    control = params[0]
    if not isinstance(control, Memref) or len(control.data) < _FIRST.size:
        return 0
    first: int = _FIRST.unpack_from(control.data)[0]
    return first


def _is_free(session: Session | None) -> bool:
    if session is None:
        return True
    return session.token.is_free() and session.token.objects.next_number <= _MANY_OBJECTS
