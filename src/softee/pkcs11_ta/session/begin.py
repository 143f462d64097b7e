# SPDX-License-Identifier: Apache-2.0
"""Start a cryptographic operation: every check of C_*Init, once, in one order.

No operation active, mechanism known and able, then the key (``key_use.py``), then the parameter.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from softee.names import CKA, CKR
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.abi.messages import WithKey, WithMechanism
from softee.pkcs11_ta.keys.view import KeyView
from softee.pkcs11_ta.mechanisms.functions import (
    Ciphering,
    CipherOperation,
    Digesting,
    DigestOperation,
    Functions,
    Messaging,
    Recovering,
    Signing,
)
from softee.pkcs11_ta.mechanisms.shapes.messages import MessageCipher
from softee.pkcs11_ta.mechanisms.shapes.nonces import Nonces
from softee.pkcs11_ta.mechanisms.shapes.signing import SignatureCheck
from softee.pkcs11_ta.mechanisms.spec import AnyMechanism
from softee.pkcs11_ta.session.access import sees_private
from softee.pkcs11_ta.session.client import Session
from softee.pkcs11_ta.session.key_use import usable_key
from softee.pkcs11_ta.session.operations import (
    DECRYPT,
    DIGEST,
    ENCRYPT,
    MESSAGE_DECRYPT,
    MESSAGE_ENCRYPT,
    MESSAGE_SIGN,
    MESSAGE_VERIFY,
    SIGN,
    SIGN_RECOVER,
    VERIFY,
    VERIFY_RECOVER,
    VERIFY_SIGNATURE,
    KeyPurpose,
    Operation,
    Purpose,
)
from softee.pkcs11_ta.token.object import Pkcs11Object

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


def begin_encrypt(session: Session, request: WithKey) -> Operation[Any]:
    """C_EncryptInit."""
    spec = mechanism_for(session, request.mechanism, ENCRYPT)
    return _begin(session, ENCRYPT, request, spec, spec.of(Ciphering).encrypt)


def begin_decrypt(session: Session, request: WithKey) -> Operation[Any]:
    """C_DecryptInit."""
    spec = mechanism_for(session, request.mechanism, DECRYPT)
    return _begin(session, DECRYPT, request, spec, spec.of(Ciphering).decrypt)


def begin_sign(session: Session, request: WithKey) -> Operation[Any]:
    """C_SignInit."""
    spec = mechanism_for(session, request.mechanism, SIGN)
    signing = spec.of(Signing)
    return _begin(session, SIGN, request, spec, signing.sign, size=signing.size)


def begin_verify(session: Session, request: WithKey) -> Operation[Any]:
    """C_VerifyInit."""
    spec = mechanism_for(session, request.mechanism, VERIFY)
    return _begin(session, VERIFY, request, spec, spec.of(Signing).verify)


def begin_digest(session: Session, request: WithMechanism) -> Operation[DigestOperation]:
    """C_DigestInit."""
    spec = mechanism_for(session, request.mechanism, DIGEST)
    digesting = spec.of(Digesting)
    make = partial(digesting.begin, parameter_of(session, spec, request.parameter))
    operation = Operation(DIGEST, spec, make, digesting.size)
    session.operations.begin(operation)
    return operation


def require_any(session: Session, group: type[Functions[Any]]) -> None:
    """Raise CKR_FUNCTION_NOT_SUPPORTED where no mechanism of the token has the group, as OP-TEE does not."""
    if not session.token.policy.flags & group.flags:
        raise Pkcs11Error(CKR.FUNCTION_NOT_SUPPORTED, f"no mechanism of this token can {group.described}")


def begin_sign_recover(session: Session, request: WithKey) -> None:
    """C_SignRecoverInit."""
    require_any(session, Recovering)
    spec = mechanism_for(session, request.mechanism, SIGN_RECOVER)
    recovering = spec.of(Recovering)
    _begin(session, SIGN_RECOVER, request, spec, recovering.sign, size=recovering.size)


def begin_verify_recover(session: Session, request: WithKey) -> None:
    """C_VerifyRecoverInit."""
    require_any(session, Recovering)
    spec = mechanism_for(session, request.mechanism, VERIFY_RECOVER)
    _begin(session, VERIFY_RECOVER, request, spec, spec.of(Recovering).recover)


def begin_verify_signature(session: Session, request: WithKey, signature: bytes) -> None:
    """C_VerifySignatureInit. Raises CKR_SIGNATURE_LEN_RANGE for a signature of another size than the key makes."""
    spec = mechanism_for(session, request.mechanism, VERIFY_SIGNATURE)
    signing = spec.of(Signing)

    def check(key: KeyView, parameter: object) -> SignatureCheck:
        if len(signature) != signing.size(key, parameter):
            raise Pkcs11Error(CKR.SIGNATURE_LEN_RANGE, f"a signature of {len(signature)} bytes")
        return SignatureCheck(signing.verify(key, parameter), signature)

    _begin(session, VERIFY_SIGNATURE, request, spec, check)


def begin_message_sign(session: Session, request: WithKey) -> None:
    """C_MessageSignInit."""
    spec = mechanism_for(session, request.mechanism, MESSAGE_SIGN)
    signing = spec.of(Signing)
    _begin(session, MESSAGE_SIGN, request, spec, signing.sign, size=signing.size)


def begin_message_verify(session: Session, request: WithKey) -> None:
    """C_MessageVerifyInit."""
    spec = mechanism_for(session, request.mechanism, MESSAGE_VERIFY)
    _begin(session, MESSAGE_VERIFY, request, spec, spec.of(Signing).verify)


def begin_message_encrypt(session: Session, request: WithKey) -> None:
    """C_MessageEncryptInit."""
    _begin_messages(session, MESSAGE_ENCRYPT, request, lambda ciphering: ciphering.encrypt)


def begin_message_decrypt(session: Session, request: WithKey) -> None:
    """C_MessageDecryptInit."""
    _begin_messages(session, MESSAGE_DECRYPT, request, lambda ciphering: ciphering.decrypt)


def _begin_messages(
    session: Session,
    purpose: KeyPurpose[MessageCipher],
    request: WithKey,
    function: Callable[[Ciphering[Any]], Callable[[KeyView, Any], CipherOperation]],
) -> None:
    """Begin an operation whose parameters come with its messages."""
    require_any(session, Messaging)
    spec = mechanism_for(session, request.mechanism, purpose)
    messaging, begin = spec.of(Messaging), function(spec.of(Ciphering))
    obj = usable_key(session, spec, request.handle, purpose.role)
    if request.parameter:
        raise Pkcs11Error(CKR.MECHANISM_PARAM_INVALID, "a parameter, though each message has its own")
    nonces = Nonces(messaging.random_bits, counts=True)
    make = partial(MessageCipher, messaging, partial(begin, obj.key()), nonces)
    _start(session, Operation(purpose, spec, make, context_login=_wants_login(obj)), obj)


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
) -> Operation[Op]:
    obj = usable_key(session, spec, request.handle, purpose.role)
    key, parameter = obj.key(), parameter_of(session, spec, request.parameter)
    make = partial(function, key, parameter)
    login, size_of_end = _wants_login(obj), size(key, parameter)
    operation = Operation(purpose, spec, make, size_of_end, context_login=login, slow=key.slow)
    _start(session, operation, obj)
    return operation


def _wants_login(obj: Pkcs11Object) -> bool:
    return obj.attributes.get(CKA.ALWAYS_AUTHENTICATE) is True


def _start(session: Session, operation: Operation[Any], obj: Pkcs11Object) -> None:
    operation.key = obj
    session.operations.begin(operation)
    if obj.is_private and not sees_private(session):
        # Another session has logged the client out since the key was found, maybe too early to end this operation.
        session.operations.end(operation.purpose)
        raise Pkcs11Error(CKR.KEY_HANDLE_INVALID, "the user was logged out meanwhile")
