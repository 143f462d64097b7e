# SPDX-License-Identifier: Apache-2.0
"""Which commands have to wait before they run: those that check a PIN, for clients whose uid has given wrong ones.

The wait is the server's, who holds no thread and no token meanwhile. What is looked at here is not checked yet: where
it makes no sense, nothing waits, and the command itself says what is wrong.
"""

import struct
from collections.abc import Callable, Mapping
from typing import Final

from softee.names import CKU
from softee.pkcs11_ta.abi.commands import sessions, slots
from softee.pkcs11_ta.session.client import Pkcs11Client
from softee.pkcs11_ta.token.state import PinCredential
from softee.pkcs11_ta.token.token import Token
from softee.wire.values import Memref, Params

_TWO: Final = struct.Struct("<II")

Whose = Callable[[Pkcs11Client, int, int], tuple[Token, CKU] | None]
"""Returns the token and the user whose PIN a command checks, by the first two numbers of its request."""


def wait(client: Pkcs11Client, command: int, params: Params) -> float:
    """Return for how many seconds a command has to wait."""
    whose = _CHECKING.get(command)
    control = params[0]
    if whose is None or not isinstance(control, Memref) or len(control.data) < _TWO.size:
        return 0.0
    checked = whose(client, *_TWO.unpack_from(control.data))
    return 0.0 if checked is None else _wait(client, *checked)


def _wait(client: Pkcs11Client, token: Token, user: CKU) -> float:
    credential = token.state.so if user is CKU.SO else token.state.user
    if not isinstance(credential, PinCredential):
        return 0.0
    return credential.tries.wait(token.policy.counted_as(client.identity))


def _initializing(client: Pkcs11Client, slot: int, _: int) -> tuple[Token, CKU] | None:
    token = client.slots.opened(slot)
    return None if token is None else (token, CKU.SO)


def _logging_in(client: Pkcs11Client, handle: int, user: int) -> tuple[Token, CKU] | None:
    session = client.sessions.get(handle)
    if session is None:
        return None
    if user == CKU.CONTEXT_SPECIFIC:
        return None if session.user is None else (session.token, session.user)
    return session.token, CKU.SO if user == CKU.SO else CKU.USER


def _setting(client: Pkcs11Client, handle: int, _: int) -> tuple[Token, CKU] | None:
    session = client.sessions.get(handle)
    return None if session is None else (session.token, CKU.SO if session.user is CKU.SO else CKU.USER)


_CHECKING: Final[Mapping[int, Whose]] = {
    slots.INIT_TOKEN.number: _initializing,
    sessions.LOGIN.number: _logging_in,
    slots.SET_PIN.number: _setting,
}
