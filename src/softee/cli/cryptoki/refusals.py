# SPDX-License-Identifier: Apache-2.0
"""What a module's refusal means to a person, and what to do."""

from types import MappingProxyType
from typing import Final

from softee.cli.failure import CliError
from softee.names import CKR

SENTENCES: Final = MappingProxyType(
    {
        CKR.PIN_INCORRECT: "The PIN is wrong",
        CKR.PIN_LOCKED: "The PIN is locked, since it was wrong too often; `softee token set-pin --so` sets a new one",
        CKR.PIN_LEN_RANGE: "The token takes no PIN of this length",
        CKR.PIN_INVALID: "The token does not take these characters in a PIN",
        CKR.PIN_EXPIRED: "The PIN has to be changed first, by `softee token set-pin`",
        CKR.USER_PIN_NOT_INITIALIZED: "The token's user has no PIN yet; `softee token set-pin --so` sets it",
        CKR.USER_NOT_LOGGED_IN: "The token wants a login for this",
        CKR.SESSION_EXISTS: "Programs have sessions with the token, which must end first",
        CKR.TOKEN_NOT_PRESENT: "There is no token in the slot, or it is just being emptied",
        CKR.TOKEN_WRITE_PROTECTED: "The token cannot be written to",
        CKR.MECHANISM_INVALID: "The token has no mechanism for this",
        CKR.KEY_SIZE_RANGE: "The token takes no keys of this size",
        CKR.CURVE_NOT_SUPPORTED: "The token does not have this curve",
        CKR.KEY_UNEXTRACTABLE: "The key does not leave the token: it was made without --extractable",
        CKR.KEY_NOT_WRAPPABLE: "This key cannot be wrapped so",
        CKR.KEY_FUNCTION_NOT_PERMITTED: "The key was not made for this use",
        CKR.WRAPPED_KEY_INVALID: "The wrapped key does not open, or is not of this type",
        CKR.WRAPPED_KEY_LEN_RANGE: "The wrapped key has a length that no key has",
        CKR.ACTION_PROHIBITED: "The object does not allow this",
        CKR.ATTRIBUTE_VALUE_INVALID: "The token does not take one of the object's values",
        CKR.TEMPLATE_INCONSISTENT: "The token does not take these attributes together",
        CKR.DEVICE_MEMORY: "The token has no room for this",
        CKR.DEVICE_ERROR: "The token does not answer",
        CKR.DEVICE_REMOVED: "The token is gone",
        CKR.FUNCTION_NOT_SUPPORTED: "The module cannot do this",
    }
)


class RefusedError(CliError):
    """A function of a module has returned something else than CKR_OK; ``rv`` is what."""

    def __init__(self, function: str, rv: int) -> None:
        known = rv in set(CKR)
        name = f"CKR_{CKR(rv).name}" if known else f"{rv:#x}"
        sentence = SENTENCES.get(CKR(rv)) if known else None
        super().__init__(f"{sentence} ({function}: {name})." if sentence else f"{function} was refused with {name}.")
        self.rv = rv
