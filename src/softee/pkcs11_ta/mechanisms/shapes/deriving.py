# SPDX-License-Identifier: Apache-2.0
"""What a derivation makes of the bytes that it computes: a secret key of the length that its template asks for."""

from softee.names import CKA, CKO, CKR
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.attributes.secret_bytes import SecretBytes
from softee.pkcs11_ta.attributes.values import Attributes, Parts
from softee.pkcs11_ta.keys.table import find_form
from softee.tee.keys import wipe


def leading_bytes(computed: bytearray, template: Attributes) -> Parts:
    """Return the value of the secret key that a template describes: its first bytes, all where it names no length.

    What was computed is wiped. Raises CKR_DATA_LEN_RANGE where it is too short for the key, CKR_KEY_SIZE_RANGE where
    the key's type does not have the length, CKR_TEMPLATE_INCONSISTENT for what is no secret key.
    """
    try:
        size = _size(template, len(computed))
        return {CKA.VALUE: SecretBytes(memoryview(computed)[:size])}
    finally:
        wipe(computed)


def _size(template: Attributes, available: int) -> int:
    form = find_form(template[CKA.CLASS], template[CKA.KEY_TYPE])
    if form is None or form.object_class is not CKO.SECRET_KEY:
        raise Pkcs11Error(CKR.TEMPLATE_INCONSISTENT, "a secret key is derived; CKA_CLASS says something else")
    wanted = template.get(CKA.VALUE_LEN)
    size = wanted if isinstance(wanted, int) else available
    if size > available:
        raise Pkcs11Error(CKR.DATA_LEN_RANGE, f"CKA_VALUE_LEN {size} of a key that {available} bytes are derived for")
    if form.sizes is not None and size not in form.sizes:
        raise Pkcs11Error(CKR.KEY_SIZE_RANGE, f"a key of this type does not have {size} bytes")
    return size
