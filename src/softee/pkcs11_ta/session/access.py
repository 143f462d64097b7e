# SPDX-License-Identifier: Apache-2.0
"""What a session may do with objects, checked in one place: where new ones go, which it may change, who it is.

Read-only sessions change no token objects; private objects need the user's login (PKCS#11 3.2, section 5.6.2). The
standard leaves to the token who else may write: here whoever is logged in, and where OP-TEE's way counts, anybody.
"""

from uuid import uuid4

from softee.names import CKA, CKR, CKU
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.attributes.values import Attributes, Given
from softee.pkcs11_ta.keys.material import KeyMaterial
from softee.pkcs11_ta.objects import rules
from softee.pkcs11_ta.objects.content import add_public_key_info, complete
from softee.pkcs11_ta.session.client import Session
from softee.pkcs11_ta.token.object import Pkcs11Object
from softee.pkcs11_ta.token.room import Room
from softee.stores.base import ConflictError


def is_so(session: Session) -> bool:
    """Say whether the security officer is logged in."""
    return session.user is CKU.SO


def sees_private(session: Session) -> bool:
    """Say whether the user is logged in, who alone sees private objects."""
    return session.user is CKU.USER


def new_attributes(session: Session, given: Given, way: rules.Way) -> Given:
    """Return a new object's attributes as the rules and the token's policy make them. Raises as ``rules.make``."""
    return rules.make(given, way, is_so=is_so(session), policy=session.token.policy.objects)


def complete_new(session: Session, made: Given, *, arrange: bool = False) -> None:
    """Check and complete a new object's content, and refuse a key that the token's policy does not allow.

    ``arrange``: as in ``content.complete``.

    Raises:
        Pkcs11Error: as ``content.complete`` and ``Policy.check_key``.

    """
    complete(made, arrange=arrange)
    if CKA.KEY_TYPE in made:
        check_key(session, made)


def check_key(session: Session, made: Given) -> None:
    """Refuse a new key that the token's policy does not allow, and tell its public key, which OP-TEE does not.

    Raises:
        Pkcs11Error: as ``Policy.check_key``.

    """
    key = KeyMaterial(made)
    session.token.policy.check_key(key, made)
    if not session.token.policy.as_optee:
        add_public_key_info(made, key)


def check_new(session: Session, *attributes: Attributes) -> None:
    """Refuse objects that the session must not make.

    Raises:
        Pkcs11Error: CKR_SESSION_READ_ONLY, CKR_USER_NOT_LOGGED_IN; CKR_TEMPLATE_INCONSISTENT for a key that would ask
            for a login before each use and is not private (section 4.9).

    """
    for one in attributes:
        if one[CKA.TOKEN] is True:
            session.require_read_write()
            _require_writer(session)
        if one[CKA.PRIVATE] is not False and not sees_private(session) and not _may_plant(session, one):
            raise Pkcs11Error(CKR.USER_NOT_LOGGED_IN, "an object with CKA_PRIVATE true needs the user's login")
        if one.get(CKA.ALWAYS_AUTHENTICATE) is True and one[CKA.PRIVATE] is False:
            raise Pkcs11Error(CKR.TEMPLATE_INCONSISTENT, "CKA_ALWAYS_AUTHENTICATE true needs CKA_PRIVATE true")


def _may_plant(session: Session, one: Attributes) -> bool:
    """Say whether this is a trusted key that the SO puts among the user's private objects."""
    trusted_on_token = one.get(CKA.TRUSTED) is True and one[CKA.TOKEN] is True
    return is_so(session) and trusted_on_token and not session.token.policy.as_optee


def place_new(session: Session, *attributes: Attributes) -> list[Pkcs11Object]:
    """Put new objects where their CKA_TOKEN says, all or none, and return them in order.

    Raises:
        Pkcs11Error: as :func:`check_new` (the session may have been logged out meanwhile), CKR_DEVICE_MEMORY,
            CKR_DEVICE_ERROR.

    """
    named = [_with_unique_id(session, one) for one in attributes]
    on_token = [one for one in named if one[CKA.TOKEN] is True]
    in_session = [one for one in named if one[CKA.TOKEN] is not True]

    def place() -> tuple[list[Pkcs11Object], list[Pkcs11Object]]:
        check_new(session, *attributes)
        volatile = session.objects.create(session.handle, *in_session)
        try:
            return session.token.objects.create(*on_token, rooms=rooms(session)), volatile
        except (Pkcs11Error, ConflictError):
            for made in volatile:
                session.objects.destroy(made)
            raise

    lasting, volatile = session.token.transact(place)
    made_on_token, made_in_session = iter(lasting), iter(volatile)
    return [next(made_on_token if one[CKA.TOKEN] is True else made_in_session) for one in attributes]


def _with_unique_id(session: Session, one: Attributes) -> Attributes:
    """Give a new object, also a copy, an identifier that no other one has (section 4.4.1). OP-TEE's have none."""
    return one if session.token.policy.as_optee else {**one, CKA.UNIQUE_ID: str(uuid4()).encode()}


def rooms(session: Session) -> tuple[Room, ...]:
    """Return how much the token may hold when the session has written to it: no more than each of these."""
    policy = session.token.policy
    return (policy.room, policy.room_without_login) if session.user is None else (policy.room,)


def require_permission(session: Session, old: Pkcs11Object, permission: CKA) -> None:
    """Raise CKR_ACTION_PROHIBITED unless an object's CKA_MODIFIABLE, CKA_COPYABLE or CKA_DESTROYABLE is true.

    A trusted key is the SO's to change, copy and destroy: with one more usage it would tell what it wraps.
    """
    if old.attributes[permission] is not True:
        raise Pkcs11Error(CKR.ACTION_PROHIBITED, f"CKA_{permission.name} of object {old.handle:#x} is false")
    is_trusted_key = old.attributes.get(CKA.TRUSTED) is True and CKA.KEY_TYPE in old.attributes
    if is_trusted_key and not is_so(session) and not session.token.policy.as_optee:
        raise Pkcs11Error(CKR.ACTION_PROHIBITED, f"object {old.handle:#x} is a trusted key, which is the SO's")


def require_write(session: Session, old: Pkcs11Object) -> None:
    """Refuse a session that must not change an object.

    Raises:
        Pkcs11Error: CKR_SESSION_READ_ONLY, CKR_USER_NOT_LOGGED_IN.

    """
    if old.is_token:
        session.require_read_write()
        _require_writer(session)


def _require_writer(session: Session) -> None:
    if session.user is None and not session.token.policy.as_optee:
        raise Pkcs11Error(CKR.USER_NOT_LOGGED_IN, "only the user and the SO write to the token; log in")
