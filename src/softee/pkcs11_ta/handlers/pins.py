# SPDX-License-Identifier: Apache-2.0
"""C_InitToken, C_InitPIN, C_SetPIN, RENAME_TOKEN. PINs are wiped before the answer goes out."""

import logging

from softee.pkcs11_ta.abi.commands import slots
from softee.pkcs11_ta.abi.messages import InitPin, InitToken, RenameToken, SetPin
from softee.pkcs11_ta.handlers.binding import bind
from softee.pkcs11_ta.session.call import Call
from softee.tee.keys import wipe

log = logging.getLogger(__name__)


def init_token(call: Call, request: InitToken) -> bytes:
    """Initialize a token: all its objects go."""
    try:
        token = call.client.token(request.slot)
        call.authenticator.init_token(token, call.client.identity, request.pin, request.label)
    finally:
        wipe(request.pin)
    return b""


def init_pin(call: Call, request: InitPin) -> bytes:
    """Set the user's PIN, as the SO."""
    try:
        call.authenticator.init_pin(call.session, request.pin)
    finally:
        wipe(request.pin)
    return b""


def set_pin(call: Call, request: SetPin) -> bytes:
    """Change one's own PIN."""
    try:
        call.authenticator.set_pin(call.session, request.old_pin, request.new_pin)
    finally:
        wipe(request.old_pin)
        wipe(request.new_pin)
    return b""


def rename_token(call: Call, request: RenameToken) -> bytes:
    """Give a token another label, as the SO."""
    identity, slot = call.client.identity, call.session.token.slot
    call.authenticator.rename(call.session, request.label)
    log.info("pid %d uid %d: the token in slot %d was renamed", identity.pid, identity.uid, slot)
    return b""


BOUND = (
    bind(slots.INIT_TOKEN, init_token),
    bind(slots.INIT_PIN, init_pin),
    bind(slots.SET_PIN, set_pin),
    bind(slots.RENAME_TOKEN, rename_token),
)
