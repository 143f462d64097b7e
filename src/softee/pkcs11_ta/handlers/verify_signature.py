# SPDX-License-Identifier: Apache-2.0
"""C_VerifySignatureInit, C_VerifySignature, C_VerifySignatureUpdate, C_VerifySignatureFinal: the signature is first."""

from softee.pkcs11_ta.abi.commands import signatures
from softee.pkcs11_ta.abi.messages import InSession, WithKey
from softee.pkcs11_ta.handlers.beyond import beyond_optee
from softee.pkcs11_ta.handlers.binding import bind
from softee.pkcs11_ta.handlers.steps import step, take_part
from softee.pkcs11_ta.mechanisms.shapes.signing import SignatureCheck
from softee.pkcs11_ta.session.begin import begin_verify_signature
from softee.pkcs11_ta.session.call import Call
from softee.pkcs11_ta.session.operations import VERIFY_SIGNATURE, Operation, Step


def verify_signature_init(call: Call, request: WithKey) -> bytes:
    """Begin to verify the input as a signature."""
    begin_verify_signature(call.session, request, bytes(call.input))
    return b""


@step(VERIFY_SIGNATURE, Step.ONE_SHOT)
def verify_signature(call: Call, request: InSession, operation: Operation[SignatureCheck]) -> bytes:
    """Verify the signature of the input. Raises CKR_SIGNATURE_INVALID."""
    operation.running.update(call.input)
    operation.running.finish()
    return b""


@step(VERIFY_SIGNATURE, Step.FINAL)
def verify_signature_final(call: Call, request: InSession, operation: Operation[SignatureCheck]) -> bytes:
    """Verify the signature of all parts. Raises CKR_SIGNATURE_INVALID."""
    operation.running.finish()
    return b""


BOUND = (
    bind(signatures.VERIFY_SIGNATURE_INIT, beyond_optee(verify_signature_init)),
    bind(signatures.VERIFY_SIGNATURE, beyond_optee(verify_signature)),
    bind(signatures.VERIFY_SIGNATURE_UPDATE, beyond_optee(step(VERIFY_SIGNATURE, Step.UPDATE)(take_part))),
    bind(signatures.VERIFY_SIGNATURE_FINAL, beyond_optee(verify_signature_final)),
)
