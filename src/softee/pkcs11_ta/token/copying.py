# SPDX-License-Identifier: Apache-2.0
"""Copies a token into an empty slot, of the same installation or of another one, for who has both root keys.

PINs and objects stay as they are; failed tries are forgotten, since the PINs are given. The copy has a user key, a
serial number and object numbers of its own. It takes every PIN that the token has: each wraps the user key together
with a secret of the token's vault, which is another one in another slot.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from softee.names import CKR, CKU
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.attributes.values import Attributes
from softee.pkcs11_ta.token.identities import unwrap_for_operator, who_may, wrap_for_identity
from softee.pkcs11_ta.token.pins import PinWrapper, new_user_key
from softee.pkcs11_ta.token.state import Credential, PinCredential, TokenState
from softee.pkcs11_ta.token.token import Token
from softee.tee.keys import wipe
from softee.tee.sealing import SealKey

AskPin = Callable[[CKU], bytearray]
"""Returns the PIN of the SO or of the user; it is wiped here."""


@dataclass(frozen=True, slots=True)
class _Holder:
    """The SO or the user, how he proves it, and his PIN where that is how."""

    user: CKU
    credential: Credential
    pin: bytearray = field(repr=False)

    def unwrap(self, token: Token, wrapper: PinWrapper) -> bytearray:
        """Return the user key. Raises CKR_PIN_INCORRECT."""
        if not isinstance(self.credential, PinCredential):
            return unwrap_for_operator(self.user, token.identity_secret, self.credential)
        user_key = wrapper.unwrap(self.user, self.pin, token.pin_secret, self.credential)
        if user_key is None:
            raise Pkcs11Error(CKR.PIN_INCORRECT, f"this is not the PIN of CKU_{self.user.name}")
        return user_key

    def wrap(self, token: Token, wrapper: PinWrapper, user_key: bytearray) -> Credential:
        """Wrap the user key of another token in the same way."""
        if not isinstance(self.credential, PinCredential):
            return wrap_for_identity(self.user, who_may(self.credential), token.identity_secret, user_key)
        return wrapper.wrap(self.user, self.pin, token.pin_secret, user_key)


def copy_token(source: Token, target: Token, wrapper: PinWrapper, ask: AskPin) -> int:
    """Copy a token into a slot that has none, in one transaction, and return how many objects it has.

    Args:
        source: an initialized token.
        target: one that is not.
        wrapper: wraps user keys under PINs.
        ask: asked once for each PIN that the token has.

    Raises:
        Pkcs11Error: CKR_PIN_INCORRECT; CKR_DEVICE_ERROR: an object is damaged. The target has not changed.
        StoreError: the store failed. The target has not changed.

    """
    if source.state.so is None or target.state.so is not None:
        raise ValueError("a token is copied into a slot that has none")
    holders: list[_Holder] = []
    try:
        for user, credential in ((CKU.SO, source.state.so), (CKU.USER, source.state.user)):
            if credential is not None:
                pin = ask(user) if isinstance(credential, PinCredential) else bytearray()
                holders.append(_Holder(user, credential, pin))
        objects = _objects(source, wrapper, holders)
        _fill(target, source.state.label, wrapper, holders, objects)
    finally:
        for holder in holders:
            wipe(holder.pin)
    return len(objects)


def _objects(token: Token, wrapper: PinWrapper, holders: list[_Holder]) -> list[Attributes]:
    """Return what the token's objects are, in the order in which they were made, to who has all PINs."""
    user_keys = [holder.unwrap(token, wrapper) for holder in holders]
    key = SealKey(user_keys[0])
    token.objects.admit(key)
    try:
        return [token.objects.get(number, private=True).attributes for number in sorted(token.vault.entries)]
    finally:
        token.objects.dismiss()
        key.wipe()
        for user_key in user_keys:
            wipe(user_key)


def _fill(token: Token, label: bytes, wrapper: PinWrapper, holders: list[_Holder], objects: list[Attributes]) -> None:
    user_key = new_user_key()
    try:
        token.fill(TokenState(label, *(holder.wrap(token, wrapper, user_key) for holder in holders)), user_key, objects)
    finally:
        wipe(user_key)
