# SPDX-License-Identifier: Apache-2.0
"""What the audit log says of clients, tokens, objects and mechanisms. None of it is secret, all of it is bounded.

Objects are named by their number on the token, CKA_ID and CKA_LABEL. What clients have chosen stands there as text,
which the log escapes.
"""

from collections.abc import Mapping
from typing import Any, Final

from softee.names import CKA, CKM, CKO, CKU, LoginMethod
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.session.client import Session
from softee.pkcs11_ta.token.object import Pkcs11Object
from softee.pkcs11_ta.token.token import Token
from softee.stores.base import StoreError
from softee.tee.application import ClientIdentity
from softee.tee.sealing import TamperedError

LONGEST_TEXT: Final = 64
"""Characters of a label, and bytes of a CKA_ID, of which the log says no more."""

Told = dict[str, object]

_CLASSES: Final = {int(one): one.name.lower().replace("_", " ") for one in CKO}
_USERS: Final = {int(one): one.name for one in CKU}
_MECHANISMS: Final = frozenset(CKM)


def client(identity: ClientIdentity) -> Told:
    """Tell who calls, by the kernel's word."""
    told: Told = {"uid": identity.uid, "pid": identity.pid}
    if identity.login is not LoginMethod.PUBLIC:
        told["identity"] = f"{identity.login.name.lower()} {identity.uuid}"
    return told


def token(one: Token) -> Told:
    """Tell which token it is."""
    return {"slot": one.slot, "token": one.serial_number}


def request(fields: Any) -> Told:  # noqa: ANN401 - any command's request
    """Tell what a request names besides objects."""
    told: Told = {}
    if hasattr(fields, "user"):
        told["user"] = _USERS.get(fields.user, fields.user)
    if hasattr(fields, "mechanism"):
        told["mechanism"] = mechanism(fields.mechanism)
    if hasattr(fields, "label"):
        told["label"] = _text(fields.label.rstrip(b" "))
    return told


def mechanism(number: int) -> str:
    """Name a mechanism, by its number where it has no name."""
    return f"CKM_{CKM(number).name}" if number in _MECHANISMS else f"{number:#x}"


def named(session: Session, handle: int) -> Told:
    """Tell which object a handle is, as far as the session sees it."""
    try:
        return described(session.object(handle, so_too=True))
    except (Pkcs11Error, StoreError, TamperedError):
        return {"handle": handle}


def described(one: Pkcs11Object) -> Told:
    """Tell which object it is."""
    attributes = one.attributes
    told: Told = {"number" if one.is_token else "session_handle": one.handle}
    told["class"] = _CLASSES.get(_number(attributes, CKA.CLASS), "unknown")
    if identifier := attributes.get(CKA.ID):
        told["id"] = _shortened(bytes(identifier).hex(), 2 * LONGEST_TEXT) if isinstance(identifier, bytes) else ""
    if label := attributes.get(CKA.LABEL):
        told["label"] = _text(label) if isinstance(label, bytes) else ""
    return told


def _number(attributes: Mapping[int, object], attribute: CKA) -> int:
    value = attributes.get(attribute)
    return value if isinstance(value, int) else -1


def _text(value: bytes) -> str:
    return _shortened(value[: 4 * LONGEST_TEXT + 4].decode(errors="backslashreplace"), LONGEST_TEXT)


def _shortened(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[:limit]}..."
