# SPDX-License-Identifier: Apache-2.0
"""Start a cryptographic operation: every check of C_*Init, once, in one order.

No operation active, mechanism known and able, key handle, class and usage attribute, key type, key size,
CKA_ALLOWED_MECHANISMS, parameter. Where several are wrong, the first is answered; the standard leaves the order open,
this is OP-TEE's. C_WrapKey and C_UnwrapKey make the same checks with return values of their own.
"""

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from softee.names import CKA, CKO, CKR
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.abi.messages import WithKey, WithMechanism
from softee.pkcs11_ta.keys.view import KeyView
from softee.pkcs11_ta.mechanisms.spec import AnyMechanism, DigestOperation
from softee.pkcs11_ta.mechanisms.table import MECHANISMS
from softee.pkcs11_ta.session.access import sees_private
from softee.pkcs11_ta.session.client import Session
from softee.pkcs11_ta.session.operations import DIGEST, Operation, Purpose
from softee.pkcs11_ta.token.object import Pkcs11Object

if TYPE_CHECKING:
    from collections.abc import Callable

Op = TypeVar("Op")
_BY_NUMBER: dict[int, AnyMechanism] = {int(number): spec for number, spec in MECHANISMS.items()}
_PUBLIC = frozenset({CKO.SECRET_KEY, CKO.PUBLIC_KEY})
_PRIVATE = frozenset({CKO.SECRET_KEY, CKO.PRIVATE_KEY})


@dataclass(frozen=True, slots=True)
class Role:
    """What a key is wanted for.

    ``function`` is the field of MechanismSpec that it needs, ``usage`` the attribute that must be true, ``classes``
    the classes that can do it. The return values are those for a bad handle, type, size and permission.
    """

    function: str
    usage: CKA
    classes: frozenset[CKO]
    bad_handle: CKR = CKR.KEY_HANDLE_INVALID
    bad_type: CKR = CKR.KEY_TYPE_INCONSISTENT
    bad_size: CKR = CKR.KEY_SIZE_RANGE
    not_permitted: CKR = CKR.KEY_FUNCTION_NOT_PERMITTED


TO_ENCRYPT = Role("encrypt", CKA.ENCRYPT, _PUBLIC)
TO_DECRYPT = Role("decrypt", CKA.DECRYPT, _PRIVATE)
TO_SIGN = Role("sign", CKA.SIGN, _PRIVATE)
TO_VERIFY = Role("verify", CKA.VERIFY, _PUBLIC)
TO_WRAP = Role(
    "wrap",
    CKA.WRAP,
    _PUBLIC,
    CKR.WRAPPING_KEY_HANDLE_INVALID,
    CKR.WRAPPING_KEY_TYPE_INCONSISTENT,
    CKR.WRAPPING_KEY_SIZE_RANGE,
    CKR.WRAPPING_KEY_TYPE_INCONSISTENT,
)
TO_UNWRAP = Role(
    "unwrap",
    CKA.UNWRAP,
    _PRIVATE,
    CKR.UNWRAPPING_KEY_HANDLE_INVALID,
    CKR.UNWRAPPING_KEY_TYPE_INCONSISTENT,
    CKR.UNWRAPPING_KEY_SIZE_RANGE,
    CKR.UNWRAPPING_KEY_TYPE_INCONSISTENT,
)
"""The standard has no CKR_KEY_FUNCTION_NOT_PERMITTED for C_WrapKey and C_UnwrapKey; OP-TEE answers these."""


def mechanism_for(number: int, function: str) -> AnyMechanism:
    """Return the mechanism if it has the function ("sign", "wrap", "generate_key", …). Raises CKR_MECHANISM_INVALID."""
    spec = _BY_NUMBER.get(number)
    if spec is None:
        raise Pkcs11Error(CKR.MECHANISM_INVALID, f"mechanism 0x{number:x} is not known here")
    if getattr(spec, function) is None:
        raise Pkcs11Error(CKR.MECHANISM_INVALID, f"CKM_{spec.type.name} cannot {function.replace('_', ' ')}")
    return spec


def usable_key(session: Session, spec: AnyMechanism, handle: int, role: Role) -> Pkcs11Object:
    """Return the key object under ``handle`` if it may be used with this mechanism in this role.

    Raises:
        Pkcs11Error: the role's return value for a bad handle, type, size or permission.

    """
    obj, key = _key(session, handle, role)
    attributes = obj.attributes
    if key.key_class not in role.classes or attributes.get(role.usage) is not True:
        raise Pkcs11Error(role.not_permitted, f"the CKO_{key.key_class.name} does not have CKA_{role.usage.name} true")
    if key.key_type not in spec.key_types:
        raise Pkcs11Error(role.bad_type, f"CKM_{spec.type.name} takes no keys of CKA_KEY_TYPE 0x{key.key_type:x}")
    sizes = spec.key_size
    if sizes is not None and key.size not in sizes:
        raise Pkcs11Error(role.bad_size, f"key size {key.size} is not in {sizes.low}..{sizes.high}")
    allowed = attributes.get(CKA.ALLOWED_MECHANISMS)
    if isinstance(allowed, tuple) and allowed and spec.type not in allowed:
        raise Pkcs11Error(role.not_permitted, f"CKA_ALLOWED_MECHANISMS does not list CKM_{spec.type.name}")
    return obj


def _key(session: Session, handle: int, role: Role) -> tuple[Pkcs11Object, KeyView]:
    try:
        obj = session.object(handle)
        return obj, obj.key()
    except Pkcs11Error as error:
        if error.rv in (CKR.OBJECT_HANDLE_INVALID, CKR.KEY_HANDLE_INVALID):
            raise Pkcs11Error(role.bad_handle, error.detail) from None
        raise


def begin(session: Session, purpose: Purpose[Op], request: WithKey, role: Role) -> None:
    """C_EncryptInit, C_DecryptInit, C_SignInit, C_VerifyInit."""
    session.operations.require_idle()
    spec = mechanism_for(request.mechanism, role.function)
    obj = usable_key(session, spec, request.handle, role)
    key, parameter = obj.key(), spec.params(request.parameter)
    size = spec.signature_size(key, parameter) if role is TO_SIGN and spec.signature_size else 0
    factory: Callable[[KeyView, Any], Op] = getattr(spec, role.function)
    context_login = obj.attributes.get(CKA.ALWAYS_AUTHENTICATE) is True
    session.operations.active = Operation(
        purpose, spec, partial(factory, key, parameter), size, context_login=context_login
    )
    if obj.is_private and not sees_private(session):
        # Another session has logged the client out since the key was found, maybe too early to end this operation.
        session.operations.active = None
        raise Pkcs11Error(role.bad_handle, "the user was logged out meanwhile")


def begin_digest(session: Session, request: WithMechanism) -> None:
    """C_DigestInit."""
    session.operations.require_idle()
    spec = mechanism_for(request.mechanism, DIGEST.name)
    factory: Callable[[Any], DigestOperation] = getattr(spec, DIGEST.name)
    parameter = spec.params(request.parameter)
    session.operations.active = Operation(DIGEST, spec, partial(factory, parameter), spec.digest_size)
