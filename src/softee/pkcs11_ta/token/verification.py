# SPDX-License-Identifier: Apache-2.0
"""What the application knows of its tokens' records when a stored state is looked at; other vaults are passed over."""

from softee.pkcs11_ta.objects.record import BadObjectError, decode_object
from softee.pkcs11_ta.token.slots import is_token
from softee.pkcs11_ta.token.state import decode_state
from softee.tee.sealing import TamperedError


def examine_object(vault: str, content: bytearray) -> None:
    """Refuse what is no object of a token. Raises TamperedError."""
    if not is_token(vault):
        return
    try:
        decode_object(content)
    except BadObjectError as error:
        raise TamperedError(str(error)) from error


def label_of(vault: str, head: bytes) -> str | None:
    """Return a token's label as text; None where it is not initialized, and for other vaults.

    Raises:
        TamperedError: the head's data is no token's state.

    """
    if not is_token(vault):
        return None
    state = decode_state(head)
    return None if state.so is None else state.label.decode(errors="replace").rstrip(" ")
