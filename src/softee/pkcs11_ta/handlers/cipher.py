# SPDX-License-Identifier: Apache-2.0
"""C_EncryptInit, C_Encrypt, C_EncryptUpdate, C_EncryptFinal, and the same for decryption."""

from softee.pkcs11_ta.abi.commands import ciphers
from softee.pkcs11_ta.abi.errors import BufferTooSmallError
from softee.pkcs11_ta.abi.messages import InSession
from softee.pkcs11_ta.handlers.binding import Answer, bind
from softee.pkcs11_ta.handlers.steps import beginning, step
from softee.pkcs11_ta.mechanisms.functions import CipherOperation
from softee.pkcs11_ta.session.begin import begin_decrypt, begin_encrypt
from softee.pkcs11_ta.session.call import Call
from softee.pkcs11_ta.session.operations import DECRYPT, ENCRYPT, Operation, Step


def _one_shot(call: Call, request: InSession, operation: Operation[CipherOperation]) -> Answer:
    """Return the output for the whole input.

    A caller that asks for the size is told the most that it can be, without a computation. Where its buffer is smaller
    than that and still might do, the output is computed; if it does not fit, the operation begins again. So it does for
    a caller that is told 0: it may take the answer for the output, so that has to have been right.
    """
    data = call.input
    most = operation.running.one_shot_size(len(data))
    if most and not call.capacity:
        raise BufferTooSmallError(most)
    output = operation.running.whole(data)
    operation.told_empty = call.asks_size
    if call.asks_size or len(output) > call.capacity:
        operation.afresh()
    return call.fit(output)


def _update(call: Call, request: InSession, operation: Operation[CipherOperation]) -> bytes:
    """Return what a part of the input gives.

    The question for its size is CKR_BUFFER_TOO_SMALL where it is 0, too: with CKR_OK the data would have been taken. It
    is told 1 then (PKCS#11 3.2 §5.2 lets a size exceed what is needed): a program that is told 0 comes with no buffer,
    as if it asked again. OP-TEE tells it 0.
    """
    data = call.input
    size = operation.running.update_size(len(data))
    exceeds = data and call.asks_size and not call.session.token.policy.as_optee
    call.require_capacity(max(size, 1) if exceeds else size)
    operation.told_empty = False
    return operation.running.update(data)


def _final(call: Call, request: InSession, operation: Operation[CipherOperation]) -> bytes:
    """Return the rest of the output, which is kept until the caller's buffer holds it."""
    if operation.rest is None:
        operation.hold(operation.running.finish())
    operation.told_empty = call.asks_size and not operation.rest
    return call.fit(operation.rest or b"")


encrypt = step(ENCRYPT, Step.ONE_SHOT)(_one_shot)
encrypt_update = step(ENCRYPT, Step.UPDATE)(_update)
encrypt_final = step(ENCRYPT, Step.FINAL)(_final)
decrypt = step(DECRYPT, Step.ONE_SHOT)(_one_shot)
decrypt_update = step(DECRYPT, Step.UPDATE)(_update)
decrypt_final = step(DECRYPT, Step.FINAL)(_final)


BOUND = (
    bind(ciphers.ENCRYPT_INIT, beginning(begin_encrypt)),
    bind(ciphers.DECRYPT_INIT, beginning(begin_decrypt)),
    bind(ciphers.ENCRYPT_UPDATE, encrypt_update),
    bind(ciphers.DECRYPT_UPDATE, decrypt_update),
    bind(ciphers.ENCRYPT_FINAL, encrypt_final),
    bind(ciphers.DECRYPT_FINAL, decrypt_final),
    bind(ciphers.ENCRYPT_ONESHOT, encrypt),
    bind(ciphers.DECRYPT_ONESHOT, decrypt),
)
