# SPDX-License-Identifier: Apache-2.0
"""Whether a key may be used so: the checks that every use of a key has in common, in one order.

Key handle, class and usage attribute, key type, key size, CKA_ALLOWED_MECHANISMS. Where several are wrong, the first is
answered; the standard leaves the order open, this is OP-TEE's.
"""

from softee.names import CKA, CKR
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.keys.view import KeyView
from softee.pkcs11_ta.mechanisms.spec import AnyMechanism
from softee.pkcs11_ta.session.client import Session
from softee.pkcs11_ta.session.roles import Role
from softee.pkcs11_ta.token.object import Pkcs11Object


def key_object(
    session: Session, handle: int, bad_handle: CKR = CKR.KEY_HANDLE_INVALID, *, no_key: CKR | None = None
) -> Pkcs11Object:
    """Return the key object under ``handle``.

    Raises ``bad_handle`` where there is none that the session may see, as OP-TEE ``no_key`` for an object that is none.
    """
    obj = session.object(handle, bad_handle)
    obj.key(bad_handle, no_key)
    return obj


def usable_key(session: Session, spec: AnyMechanism, handle: int, role: Role) -> Pkcs11Object:
    """Return the key object under ``handle`` if it may be used with this mechanism in this role.

    Raises:
        Pkcs11Error: the role's return value for a bad handle, type, size or permission.

    """
    obj = key_object(session, handle, role.bad_handle, no_key=role.not_permitted)
    key = obj.key()
    _check_permission(obj, key, role)
    _check_fit(key, spec, role)
    session.token.policy.check_key(key, obj.attributes, role.bad_size, role.not_permitted)
    allowed = obj.attributes.get(CKA.ALLOWED_MECHANISMS)
    if isinstance(allowed, tuple) and spec.mechanism not in allowed:
        raise Pkcs11Error(role.not_permitted, f"CKA_ALLOWED_MECHANISMS does not list CKM_{spec.mechanism.name}")
    return obj


def _check_permission(obj: Pkcs11Object, key: KeyView, role: Role) -> None:
    if key.key_class not in role.classes:
        raise Pkcs11Error(role.not_permitted, f"no CKO_{key.key_class.name} is used so")
    if role.usage is not None and obj.attributes.get(role.usage) is not True:
        raise Pkcs11Error(role.not_permitted, f"the CKO_{key.key_class.name} does not have CKA_{role.usage.name} true")


def _check_fit(key: KeyView, spec: AnyMechanism, role: Role) -> None:
    if key.key_type not in spec.key_types:
        raise Pkcs11Error(role.bad_type, f"CKM_{spec.mechanism.name} takes no keys of CKA_KEY_TYPE 0x{key.key_type:x}")
    sizes = spec.key_size
    if sizes is not None and key.size not in sizes:
        raise Pkcs11Error(role.bad_size, f"key size {key.size} is not in {sizes.low}..{sizes.high}")
