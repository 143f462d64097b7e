# SPDX-License-Identifier: Apache-2.0
"""Start a cryptographic operation: every check of C_*Init, once, in one order.

No operation active, mechanism known and able, then the key (``key_use.py``), then the parameter.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from softee.names import CKA
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.abi.messages import WithKey, WithMechanism
from softee.pkcs11_ta.keys.view import KeyView
from softee.pkcs11_ta.mechanisms.functions import Ciphering, Digesting, Signing
from softee.pkcs11_ta.mechanisms.spec import AnyMechanism
from softee.pkcs11_ta.session.access import sees_private
from softee.pkcs11_ta.session.client import Session
from softee.pkcs11_ta.session.key_use import usable_key
from softee.pkcs11_ta.session.operations import DECRYPT, DIGEST, ENCRYPT, SIGN, VERIFY, KeyPurpose, Operation

Op = TypeVar("Op")


def mechanism_for(session: Session, number: int) -> AnyMechanism:
    """Return the mechanism that a new operation asks for. Raises CKR_OPERATION_ACTIVE, CKR_MECHANISM_INVALID."""
    session.operations.require_idle()
    return session.token.policy.mechanism(number)


def begin_encrypt(session: Session, request: WithKey) -> None:
    """C_EncryptInit."""
    spec = mechanism_for(session, request.mechanism)
    _begin(session, ENCRYPT, request, spec, spec.of(Ciphering).encrypt)


def begin_decrypt(session: Session, request: WithKey) -> None:
    """C_DecryptInit."""
    spec = mechanism_for(session, request.mechanism)
    _begin(session, DECRYPT, request, spec, spec.of(Ciphering).decrypt)


def begin_sign(session: Session, request: WithKey) -> None:
    """C_SignInit."""
    spec = mechanism_for(session, request.mechanism)
    signing = spec.of(Signing)
    _begin(session, SIGN, request, spec, signing.sign, size=signing.size)


def begin_verify(session: Session, request: WithKey) -> None:
    """C_VerifyInit."""
    spec = mechanism_for(session, request.mechanism)
    _begin(session, VERIFY, request, spec, spec.of(Signing).verify)


def begin_digest(session: Session, request: WithMechanism) -> None:
    """C_DigestInit."""
    spec = mechanism_for(session, request.mechanism)
    digesting = spec.of(Digesting)
    make = partial(digesting.begin, spec.parameter(request.parameter))
    session.operations.active = Operation(DIGEST, spec, make, digesting.size)


def _no_size(_key: KeyView, _parameter: object) -> int:
    return 0


def _begin(
    session: Session,
    purpose: KeyPurpose[Op],
    request: WithKey,
    spec: AnyMechanism,
    function: Callable[[KeyView, Any], Op],
    *,
    size: Callable[[KeyView, Any], int] = _no_size,
) -> None:
    obj = usable_key(session, spec, request.handle, purpose.role)
    key, parameter = obj.key(), spec.parameter(request.parameter)
    context_login = obj.attributes.get(CKA.ALWAYS_AUTHENTICATE) is True
    session.operations.active = Operation(
        purpose, spec, partial(function, key, parameter), size(key, parameter), context_login=context_login
    )
    if obj.is_private and not sees_private(session):
        # Another session has logged the client out since the key was found, maybe too early to end this operation.
        session.operations.active = None
        raise Pkcs11Error(purpose.role.bad_handle, "the user was logged out meanwhile")
