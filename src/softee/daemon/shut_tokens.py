# SPDX-License-Identifier: Apache-2.0
"""Tokens that an operator has shut: their sessions end, in the worker that he has asked and in all others."""

import logging
import os
import threading
from collections.abc import Iterable

from softee.pkcs11_ta.application import Pkcs11Application
from softee.pkcs11_ta.token.slots import Slots
from softee.pkcs11_ta.token.token import Token
from softee.tee.application import TrustedApplication

log = logging.getLogger(__name__)


def slots_of(applications: Iterable[TrustedApplication]) -> Slots | None:
    """Return the slots of the PKCS#11 application, if it is one of these."""
    return next((one.slots for one in applications if isinstance(one, Pkcs11Application)), None)


def end_sessions(token: Token) -> None:
    """Have a thread end a token's sessions: it waits for the commands that run in them."""
    try:
        threading.Thread(target=token.end_sessions, name="ends-sessions", daemon=True).start()
    except RuntimeError as error:
        log.warning("sessions with the token in slot %d could not be ended: %s", token.slot, error)


class ShutTokens:
    """What a worker does when its bell rings (``Woken``): it ends its sessions with the tokens that were shut."""

    def __init__(self, bell: int, applications: Iterable[TrustedApplication]) -> None:
        self._bell = bell
        self._slots = slots_of(applications)

    def fileno(self) -> int:
        """Return the descriptor, to wait for it."""
        return self._bell

    def handle(self) -> bool:
        """Begin to end sessions with each token that was shut. Nothing here stops the secure world."""
        for slot in set(os.read(self._bell, 4096)):
            token = self._slots and self._slots.opened(slot)
            if token:
                end_sessions(token)
        return True
