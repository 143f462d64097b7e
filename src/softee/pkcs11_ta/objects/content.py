# SPDX-License-Identifier: Apache-2.0
"""What an object's content must be when it is made or changed: parts must belong together, missing ones are made.

Runs on imported and unwrapped material, which is hostile: the work is bounded by the sizes that are taken. Whatever is
wrong with it has one error. A key's content is checked by its type (``keys/``).
"""

from collections.abc import Container
from typing import Final

from softee.names import CKA, CKO, CKR, CKT
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.attributes.secret_bytes import SecretBytes
from softee.pkcs11_ta.attributes.values import Attributes, Given
from softee.pkcs11_ta.keys.material import KeyMaterial
from softee.pkcs11_ta.keys.parts import octets
from softee.pkcs11_ta.keys.pkcs8 import export_public_key
from softee.pkcs11_ta.keys.secret import CHECK_VALUE_SIZE, sha1_check_value
from softee.pkcs11_ta.keys.table import find_form, is_guarded
from softee.pkcs11_ta.keys.view import KeyView
from softee.pkcs11_ta.objects.kinds import TRUSTS

_CHECKED: Final = (CKA.PUBLIC_KEY_INFO, CKA.CHECK_VALUE)
_NO_TRUST: Final = frozenset({CKT.TRUST_UNKNOWN, CKT.NOT_TRUSTED})


def complete(given: Given, *, arrange: bool = False) -> None:
    """Check the content of an object in the making, and add the attributes that follow from it.

    Args:
        given: its attributes.
        arrange: its value is not as somebody gave it, but made, derived or unwrapped by the token, which puts it right.

    Raises:
        Pkcs11Error: CKR_ATTRIBUTE_VALUE_INVALID, CKR_TEMPLATE_INCOMPLETE, CKR_KEY_SIZE_RANGE, CKR_CURVE_NOT_SUPPORTED,
            CKR_DOMAIN_PARAMS_INVALID.

    """
    form = find_form(given[CKA.CLASS], given.get(CKA.KEY_TYPE))
    try:
        if form is not None:
            if arrange and form.arrange is not None:
                given[CKA.VALUE] = SecretBytes(form.arrange(octets(given, CKA.VALUE)))
            form.complete(given)
            recheck(given, _CHECKED)
        elif given[CKA.CLASS] == CKO.CERTIFICATE:
            _complete_certificate(given)
        elif given[CKA.CLASS] == CKO.TRUST:
            _check_trust(given, CKR.TEMPLATE_INCOMPLETE)
    except (ValueError, OverflowError):
        # The library's words may quote numbers of the key; they are not repeated.
        raise Pkcs11Error(CKR.ATTRIBUTE_VALUE_INVALID, "the key's parts are out of range or do not fit") from None


def recheck(attributes: Given, changes: Container[int]) -> None:
    """Check what must fit an object and may be changed: a key's CKA_PUBLIC_KEY_INFO and CKA_CHECK_VALUE, trust.

    A key of no value has no check value.

    Raises:
        Pkcs11Error: CKR_ATTRIBUTE_VALUE_INVALID; CKR_TEMPLATE_INCONSISTENT.

    """
    if attributes[CKA.CLASS] == CKO.TRUST:
        _check_trust(attributes, CKR.TEMPLATE_INCONSISTENT)
    form = find_form(attributes[CKA.CLASS], attributes.get(CKA.KEY_TYPE))
    if form is None:
        return
    if CKA.PUBLIC_KEY_INFO in changes:
        _check_public_key_info(attributes)
    if form.check_value is None:
        return
    if is_guarded(attributes):
        if attributes.pop(CKA.CHECK_VALUE, None) and CKA.CHECK_VALUE in changes:
            raise _no_check_value()
    elif CKA.CHECK_VALUE in changes:
        _set_check_value(attributes, form.check_value(octets(attributes, CKA.VALUE)))


def add_public_key_info(given: Given, key: KeyView) -> None:
    """Add the CKA_PUBLIC_KEY_INFO of a public or private key that has none (sections 4.8 and 4.9), from ``key``."""
    if given.get(CKA.PUBLIC_KEY_INFO) == b"":
        given[CKA.PUBLIC_KEY_INFO] = export_public_key(key)


def check_template(given: Attributes) -> None:
    """Refuse what the template of a key to be unwrapped shows to be wrong by itself, before anything is decrypted.

    Raises:
        Pkcs11Error: CKR_ATTRIBUTE_VALUE_INVALID.

    """
    form = find_form(given.get(CKA.CLASS), given.get(CKA.KEY_TYPE))
    size, check_value = given.get(CKA.VALUE_LEN), given.get(CKA.CHECK_VALUE)
    if form is not None and form.sizes is not None and isinstance(size, int) and size not in form.sizes:
        raise Pkcs11Error(CKR.ATTRIBUTE_VALUE_INVALID, f"a key of this type does not have CKA_VALUE_LEN {size}")
    if isinstance(check_value, bytes) and len(check_value) not in {0, CHECK_VALUE_SIZE}:
        raise Pkcs11Error(CKR.ATTRIBUTE_VALUE_INVALID, f"CKA_CHECK_VALUE of {len(check_value)} bytes")
    if check_value and is_guarded(given):
        raise _no_check_value()


def _check_public_key_info(attributes: Attributes) -> None:
    """Refuse a CKA_PUBLIC_KEY_INFO that is not the key's own (section 4.9). Empty says nothing."""
    claimed = attributes.get(CKA.PUBLIC_KEY_INFO)
    if claimed and export_public_key(KeyMaterial(attributes)) != claimed:
        raise Pkcs11Error(CKR.ATTRIBUTE_VALUE_INVALID, "CKA_PUBLIC_KEY_INFO is not this key's")


def _no_check_value() -> Pkcs11Error:
    return Pkcs11Error(CKR.ATTRIBUTE_VALUE_INVALID, "a protected key of any length has no CKA_CHECK_VALUE")


def _set_check_value(given: Given, computed: bytes) -> None:
    """Set CKA_CHECK_VALUE, unless the caller left it empty on purpose; a wrong one is refused (section 4.10.2)."""
    claimed = given.setdefault(CKA.CHECK_VALUE, computed)
    if claimed and claimed != computed:
        raise Pkcs11Error(CKR.ATTRIBUTE_VALUE_INVALID, "CKA_CHECK_VALUE does not fit the value")


def _complete_certificate(given: Given) -> None:
    value = given[CKA.VALUE]
    if not value and not given[CKA.URL]:
        raise Pkcs11Error(CKR.TEMPLATE_INCOMPLETE, "a certificate needs CKA_VALUE or CKA_URL")
    if value:
        _set_check_value(given, sha1_check_value(octets(given, CKA.VALUE)))


def _check_trust(attributes: Attributes, rv: CKR) -> None:
    """Refuse trust in a certificate of which issuer and serial number alone are said (section 4.7). Raises ``rv``."""
    trusted = any(attributes[usage] not in _NO_TRUST for usage in TRUSTS)
    if trusted and not attributes[CKA.HASH_OF_CERTIFICATE]:
        raise Pkcs11Error(rv, "a certificate is trusted by its CKA_HASH_OF_CERTIFICATE")
