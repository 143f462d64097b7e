# SPDX-License-Identifier: Apache-2.0
"""Unlocks a PIN that wrong tries have locked, for who has it and the root key; no secure world uses the state then."""

from softee.daemon.at_rest.application import application_at_rest, noted, token_named
from softee.daemon.errors import StartError
from softee.daemon.settings import Settings
from softee.names import CKR, CKU
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.session.authentication import Authenticator

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
    with application_at_rest(settings) as application:
        token = token_named(application, label)
        with noted(application, token, "unlock", user=user.name):
            try:
                Authenticator(application.pins).unlock(token, user, pin)
            except Pkcs11Error as error:
                raise StartError(_REASONS.get(error.rv, f"The token cannot be unlocked: {error.detail}.")) from None
