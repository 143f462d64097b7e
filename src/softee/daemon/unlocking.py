# SPDX-License-Identifier: Apache-2.0
"""Unlocks a PIN that wrong tries have locked, for who has it and the root key; no secure world uses the state then."""

import contextlib

from softee.daemon.anchoring import anchoring
from softee.daemon.applications import Surroundings, pkcs11
from softee.daemon.errors import StartError
from softee.daemon.settings import Settings
from softee.daemon.store import unsealed_store
from softee.names import CKR, CKU
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.application import Pkcs11Application
from softee.pkcs11_ta.session.authentication import Authenticator
from softee.pkcs11_ta.token.token import Token

_REASONS = {
    CKR.PIN_INCORRECT: "This is not the PIN; nothing was changed.",
    CKR.USER_PIN_NOT_INITIALIZED: "The token has no such PIN.",
}


def unlock(settings: Settings, label: str, user: CKU, pin: bytearray) -> None:
    """Forget the wrong tries against a PIN of the token called ``label``.

    Raises:
        StartError: there is no state or no such token, it is in use, or the root key or the PIN is not the right one.
        StoreError: the database cannot be used.

    """
    with (
        unsealed_store(settings) as (store, root_key),
        contextlib.closing(anchoring(settings, store, root_key).store) as anchored,
    ):
        application = pkcs11(Surroundings(anchored, root_key, settings))
        try:
            Authenticator(application.pins).unlock(_named(application, label), user, pin)
        except Pkcs11Error as error:
            raise StartError(_REASONS.get(error.rv, f"The token cannot be unlocked: {error.detail}.")) from None


def _named(application: Pkcs11Application, label: str) -> Token:
    wanted = label.encode().ljust(32)
    tokens = [application.slots.token(slot) for slot in range(application.slots.count)]
    named = [token for token in tokens if token.state.so is not None and token.state.label == wanted]
    if len(named) != 1:
        raise StartError(f'There {"are several tokens" if named else "is no token"} called "{label}" in the state.')
    return named[0]
