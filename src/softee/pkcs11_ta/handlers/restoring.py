# SPDX-License-Identifier: Apache-2.0
"""KEEP_LOGIN and RESTORE_SESSIONS: how a client gets over a restart of the secure world."""

import struct

from softee.names import CKR
from softee.pkcs11_ta.abi.commands import restoring
from softee.pkcs11_ta.abi.errors import BufferTooSmallError, Pkcs11Error
from softee.pkcs11_ta.abi.messages import InSession, RestoreSessions
from softee.pkcs11_ta.handlers.binding import bind
from softee.pkcs11_ta.session.call import Call
from softee.pkcs11_ta.session.restoring import restore


def keep_login(call: Call, _: InSession) -> bytes:
    """Return what the client needs to be logged in again: its base of private handles, and a ticket."""
    session = call.session
    with session.token.lock:
        if session.user is None:
            raise Pkcs11Error(CKR.USER_NOT_LOGGED_IN, "nobody is logged in")
        base = struct.pack("<I", session.client.private_base(session.token))
        return call.fit(base + session.client.ticket(session.token, session.user))


def restore_sessions(call: Call, request: RestoreSessions) -> bytes:
    """Open the sessions that the client had, and return the handles of those that are open."""
    if call.capacity < 4 * len(request.sessions):
        raise BufferTooSmallError(4 * len(request.sessions))
    handles = restore(call.client, request)
    return struct.pack(f"<{len(handles)}I", *handles)


BOUND = (
    bind(restoring.KEEP_LOGIN, keep_login),
    bind(restoring.RESTORE_SESSIONS, restore_sessions),
)
