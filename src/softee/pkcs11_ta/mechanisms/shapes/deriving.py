# SPDX-License-Identifier: Apache-2.0
"""What derivations have in common: how long the new key is, and what a protected base key must not be made into.

Bytes that come of a one-way function are cut as the template says (section 5.18.5). Whoever may use a key of one byte
finds it by trying, so bytes that are the base key's own, or tell them, must not be cut short: :func:`end_of_secret`.
"""

from softee.names import CKA, CKR
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.attributes.secret_bytes import SecretBytes
from softee.pkcs11_ta.attributes.values import Attributes, Parts
from softee.pkcs11_ta.keys.parts import is_protected
from softee.pkcs11_ta.keys.table import find_form
from softee.pkcs11_ta.keys.view import KeyView

SMALLEST_PIECE = 16
"""Bytes that a key may have of what a protected one computes with no one-way function: nobody finds them by trying."""


def key_size(template: Attributes, available: int | None = None) -> int:
    """Return how many bytes the new key has: CKA_VALUE_LEN, the one size of its type, or as many as there are.

    Args:
        template: the new key's.
        available: bytes that the mechanism makes; None: as many as are wanted.

    Raises:
        Pkcs11Error: CKR_TEMPLATE_INCOMPLETE where the template has to say it, CKR_ATTRIBUTE_VALUE_INVALID (as OP-TEE
            CKR_KEY_SIZE_RANGE) where keys of this type do not have as many bytes, or the mechanism makes fewer.

    """
    form = find_form(template[CKA.CLASS], template.get(CKA.KEY_TYPE))
    sizes = form.sizes if form is not None else None
    size = template.get(CKA.VALUE_LEN)
    if size is None and sizes is not None and len(sizes) == 1:
        size = sizes[0]
    if size is None:
        if available is None or not isinstance(sizes, range):
            raise Pkcs11Error(CKR.TEMPLATE_INCOMPLETE, "CKA_VALUE_LEN, the new key's size in bytes, is missing")
        return available
    if not isinstance(size, int) or (sizes is not None and size not in sizes):
        raise _bad_size(f"a key of this type does not have CKA_VALUE_LEN {size!r}")
    if available is not None and size > available:
        raise _bad_size(f"CKA_VALUE_LEN {size}, but {available} bytes were derived")
    return size


def _bad_size(detail: str) -> Pkcs11Error:
    return Pkcs11Error(CKR.ATTRIBUTE_VALUE_INVALID, detail, optee=CKR.KEY_SIZE_RANGE)


def cut(value: bytes | bytearray, template: Attributes) -> Parts:
    """Return the parts of a new key that has the first bytes of ``value``. Raises as :func:`key_size`."""
    return {CKA.VALUE: SecretBytes(value[: key_size(template, len(value))])}


def end_of_secret(secret: SecretBytes, base: KeyView, template: Attributes) -> Parts:
    """Return the parts of a new key that has the end of what ``base`` shares with somebody, as much as it has room for.

    Raises CKR_ATTRIBUTE_VALUE_INVALID for too little of a protected key's secret, else as :func:`key_size`.
    """
    size = _piece_size(secret, base, template)
    return {CKA.VALUE: SecretBytes(memoryview(secret)[len(secret) - size :])}


def beginning_of_secret(secret: SecretBytes, base: KeyView, template: Attributes) -> Parts:
    """Return the parts of a new key that has the beginning of it, as OP-TEE has it. Raises as :func:`end_of_secret`."""
    return {CKA.VALUE: SecretBytes(memoryview(secret)[: _piece_size(secret, base, template)])}


def _piece_size(secret: SecretBytes, base: KeyView, template: Attributes) -> int:
    size = key_size(template, len(secret))
    if base.protected and size < SMALLEST_PIECE:
        detail = f"{size} bytes of a protected key's secret as they are; {SMALLEST_PIECE} are the fewest"
        raise Pkcs11Error(CKR.ATTRIBUTE_VALUE_INVALID, detail)
    return size


def require_protected(base: KeyView, template: Attributes) -> None:
    """Refuse to make a key that is shown of a key that is not. Raises CKR_TEMPLATE_INCONSISTENT."""
    if base.protected and not is_protected(template):
        detail = "the new key must be sensitive or not extractable, as the base key is"
        raise Pkcs11Error(CKR.TEMPLATE_INCONSISTENT, detail)
