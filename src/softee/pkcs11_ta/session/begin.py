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
from softee.pkcs11_ta.session.operations import DECRYPT, DIGEST, ENCRYPT, SIGN, VERIFY, KeyPurpose, Operation, Purpose

Op = TypeVar("Op")


def mechanism_for(session: Session, number: int, purpose: Purpose[Any] | None = None) -> AnyMechanism:
    """Return the mechanism that a call asks for, which begins an operation where it has a purpose.

    Raises:
        Pkcs11Error: CKR_OPERATION_ACTIVE, CKR_MECHANISM_INVALID.

    """
    session.operations.require_idle(purpose)
    return session.token.policy.mechanism(number)


def parameter_of(session: Session, spec: AnyMechanism, raw: bytes) -> Any:  # noqa: ANN401 - each mechanism has its own
    """Return the decoded parameter. One given to a mechanism that takes none is garbage, which OP-TEE refuses.

    Raises:
        Pkcs11Error: CKR_MECHANISM_PARAM_INVALID.

    """
    ignored = not spec.layout.members and not session.token.policy.as_optee
    parameter = spec.parameter(b"" if ignored else raw)
    session.token.policy.check_hashes(spec.hashes_in(parameter))
    return parameter


def begin_encrypt(session: Session, request: WithKey) -> None:
    """C_EncryptInit."""
    spec = mechanism_for(session, request.mechanism, ENCRYPT)
    _begin(session, ENCRYPT, request, spec, spec.of(Ciphering).encrypt)


def begin_decrypt(session: Session, request: WithKey) -> None:
    """C_DecryptInit."""
    spec = mechanism_for(session, request.mechanism, DECRYPT)
    _begin(session, DECRYPT, request, spec, spec.of(Ciphering).decrypt)


def begin_sign(session: Session, request: WithKey) -> None:
    """C_SignInit."""
    spec = mechanism_for(session, request.mechanism, SIGN)
    signing = spec.of(Signing)
    _begin(session, SIGN, request, spec, signing.sign, size=signing.size)


def begin_verify(session: Session, request: WithKey) -> None:
    """C_VerifyInit."""
    spec = mechanism_for(session, request.mechanism, VERIFY)
    _begin(session, VERIFY, request, spec, spec.of(Signing).verify)


def begin_digest(session: Session, request: WithMechanism) -> None:
    """C_DigestInit."""
    spec = mechanism_for(session, request.mechanism, DIGEST)
    digesting = spec.of(Digesting)
    make = partial(digesting.begin, parameter_of(session, spec, request.parameter))
    session.operations.begin(Operation(DIGEST, spec, make, digesting.size))


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
    key, parameter = obj.key(), parameter_of(session, spec, request.parameter)
    context_login = obj.attributes.get(CKA.ALWAYS_AUTHENTICATE) is True
    make = partial(function, key, parameter)
    session.operations.begin(Operation(purpose, spec, make, size(key, parameter), context_login=context_login))
    if obj.is_private and not sees_private(session):
        # Another session has logged the client out since the key was found, maybe too early to end this operation.
        session.operations.end(purpose)
        raise Pkcs11Error(purpose.role.bad_handle, "the user was logged out meanwhile")
