# SPDX-License-Identifier: Apache-2.0
"""Sessions and logins of a client that has lost its secure world, as they were, under the same handles.

What cannot come back as it was does not come back: where the login is no more, nor are the sessions with its token, so
that no application takes itself for logged in. Session objects and operations are gone.
"""

import logging
from collections.abc import Iterable

from softee.names import CKU, SessionFlag
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.abi.messages import RestoreSessions
from softee.pkcs11_ta.abi.restored import NOBODY, SavedLogin, SavedSession
from softee.pkcs11_ta.session.client import Pkcs11Client
from softee.pkcs11_ta.token.token import Token
from softee.stores.base import StoreError
from softee.tee.keys import wipe
from softee.tee.sealing import TamperedError

log = logging.getLogger(__name__)


def restore(client: Pkcs11Client, saved: RestoreSessions) -> list[int]:
    """Open a new client's sessions again, and log it in where its tickets still say so.

    Returns:
        The handles of the sessions that are open.

    Raises:
        Pkcs11Error: CKR_SESSION_EXISTS: the client is not new; CKR_ARGUMENTS_BAD: the numbers make no sense.

    """
    client.begin_after(saved.next_session, saved.next_object)
    logins = {login.slot: login for login in saved.logins}
    sessions: dict[int, list[SavedSession]] = {}
    for session in saved.sessions[: client.max_sessions]:
        sessions.setdefault(session.slot, []).append(session)
    restored: list[int] = []
    for slot in range(client.slots.count):
        if slot not in sessions and slot not in logins:
            continue
        try:
            restored += _restore_on(client, client.token(slot), sessions.get(slot, []), logins.get(slot))
        except (Pkcs11Error, StoreError, TamperedError) as error:
            log.info("sessions of pid %d with slot %d are not restored: %s", client.identity.pid, slot, error)
    return restored


def _restore_on(
    client: Pkcs11Client, token: Token, sessions: Iterable[SavedSession], login: SavedLogin | None
) -> list[int]:
    with token.lock:
        token.keep_up()
        if login is not None:
            client.reserve_private_handles(token, login.base)
            if login.user == NOBODY:
                _end(client, token, login.ticket)
            elif not _log_in(client, token, login):
                return []
        restored = [handle for session in sessions if (handle := _open(client, token, session))]
        if not restored:
            client.logout(token)
        return restored


def _log_in(client: Pkcs11Client, token: Token, login: SavedLogin) -> bool:
    if login.user not in (CKU.USER, CKU.SO):
        return False
    user = CKU(login.user)
    redeemed = client.tickets.redeem(login.ticket, client.identity, token, user)
    if redeemed is None:
        log.info("the login of pid %d to slot %d does not come back", client.identity.pid, token.slot)
        return False
    number, user_key = redeemed
    client.kept_logins[token.slot] = number
    token.hold_user_key(client, user, user_key)
    wipe(user_key)
    return True


def _end(client: Pkcs11Client, token: Token, ticket: bytes) -> None:
    """End a login from which the client has logged out where no secure world was there to be told."""
    for user in (CKU.USER, CKU.SO) if ticket else ():
        redeemed = client.tickets.redeem(ticket, client.identity, token, user)
        if redeemed is not None:
            wipe(redeemed[1])
            client.tickets.end(redeemed[0])


def _open(client: Pkcs11Client, token: Token, session: SavedSession) -> int:
    try:
        read_write = bool(session.flags & SessionFlag.RW_SESSION)
        return client.open(token, read_write=read_write, handle=session.handle).handle
    except Pkcs11Error as error:
        log.info("session %d of pid %d is not restored: %s", session.handle, client.identity.pid, error)
        return 0
