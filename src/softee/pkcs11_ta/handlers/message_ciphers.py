# SPDX-License-Identifier: Apache-2.0
"""C_MessageEncryptInit, C_EncryptMessage, C_EncryptMessageBegin, C_EncryptMessageNext, C_MessageEncryptFinal, and back.

A nonce is used up where it is given: whoever has too small a buffer is told so before. What is given begins with the
bytes that belong into the message's parameter, after their number.
"""

from softee.names import CKR
from softee.pkcs11_ta.abi.commands import by_message
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.abi.messages import OnMessage, PartOfMessage, SealedMessage, SealedPart
from softee.pkcs11_ta.handlers.beyond import beyond_optee
from softee.pkcs11_ta.handlers.binding import bind
from softee.pkcs11_ta.handlers.message_steps import final, message_part, message_step
from softee.pkcs11_ta.handlers.steps import beginning
from softee.pkcs11_ta.mechanisms.shapes.messages import MessageCipher, RunningMessage
from softee.pkcs11_ta.session.begin import begin_message_decrypt, begin_message_encrypt
from softee.pkcs11_ta.session.call import Call
from softee.pkcs11_ta.session.operations import MESSAGE_DECRYPT, MESSAGE_ENCRYPT, MessageStep, Operation
from softee.wire.codec import Writer

_SIZE = 4

Running = Operation[MessageCipher]


def require_room(call: Call, own_size: int, size: int) -> None:
    """Raise BufferTooSmallError unless there is room for what :func:`given` gives."""
    call.require_capacity(_SIZE + own_size + size)


def given(own: bytes, data: bytes | bytearray) -> bytes:
    """Return what belongs into the message's parameter, and then what the caller gets."""
    return Writer().blob(own).raw(data).done()


@message_step(MESSAGE_ENCRYPT, MessageStep.WHOLE)
def encrypt_message(call: Call, request: OnMessage, operation: Running) -> bytes:
    """Return the nonce, the tag, and the encrypted message."""
    message = operation.spec.message(request.parameter)
    require_room(call, len(message.nonce) + message.tag_size, len(call.input))
    message = operation.running.new_nonce(message)
    encrypted, tag = operation.running.begin(message, request.associated).encrypt_last(call.input)
    return given(message.nonce + tag, encrypted)


@message_step(MESSAGE_ENCRYPT, MessageStep.BEGIN)
def encrypt_message_begin(call: Call, request: OnMessage, operation: Running) -> bytes:
    """Begin a message, and return its nonce."""
    message = operation.spec.message(request.parameter)
    require_room(call, len(message.nonce), 0)
    message = operation.running.new_nonce(message)
    operation.running.current = operation.running.begin(message, request.associated)
    return given(message.nonce, b"")


@message_part(MESSAGE_ENCRYPT)
def encrypt_message_next(call: Call, request: PartOfMessage, operation: Running) -> bytes:
    """Return what a part of the message gives; with the last one, the tag before it."""
    running, last = _current(operation), bool(request.flags)
    data = call.input
    require_room(call, running.tag_size if last else 0, running.size(len(data), last=last))
    encrypted, tag = running.encrypt_last(data) if last else (running.update(data), b"")
    return given(tag, encrypted)


@message_step(MESSAGE_DECRYPT, MessageStep.WHOLE)
def decrypt_message(call: Call, request: SealedMessage, operation: Running) -> bytes:
    """Return the message. Raises CKR_AEAD_DECRYPT_FAILED."""
    data = call.input
    message = operation.spec.message(request.parameter)
    require_room(call, 0, len(data))
    return given(b"", operation.running.begin(message, request.associated).decrypt_last(data, request.tag))


@message_step(MESSAGE_DECRYPT, MessageStep.BEGIN)
def decrypt_message_begin(call: Call, request: OnMessage, operation: Running) -> bytes:
    """Begin a message."""
    message = operation.spec.message(request.parameter)
    operation.running.current = operation.running.begin(message, request.associated)
    return b""


@message_part(MESSAGE_DECRYPT)
def decrypt_message_next(call: Call, request: SealedPart, operation: Running) -> bytes:
    """Take a part of the message, and return all of it with the last one. Raises CKR_AEAD_DECRYPT_FAILED."""
    running, last = _current(operation), bool(request.flags)
    data = call.input
    require_room(call, 0, running.size(len(data), last=last))
    return given(b"", running.decrypt_last(data, request.tag) if last else running.update(data))


def _current(operation: Running) -> RunningMessage:
    running = operation.running.current
    if running is None:
        raise Pkcs11Error(CKR.OPERATION_NOT_INITIALIZED, "no message has begun")
    return running


BOUND = (
    bind(by_message.MESSAGE_ENCRYPT_INIT, beyond_optee(beginning(begin_message_encrypt))),
    bind(by_message.ENCRYPT_MESSAGE, beyond_optee(encrypt_message)),
    bind(by_message.ENCRYPT_MESSAGE_BEGIN, beyond_optee(encrypt_message_begin)),
    bind(by_message.ENCRYPT_MESSAGE_NEXT, beyond_optee(encrypt_message_next)),
    bind(by_message.MESSAGE_ENCRYPT_FINAL, beyond_optee(final(MESSAGE_ENCRYPT))),
    bind(by_message.MESSAGE_DECRYPT_INIT, beyond_optee(beginning(begin_message_decrypt))),
    bind(by_message.DECRYPT_MESSAGE, beyond_optee(decrypt_message)),
    bind(by_message.DECRYPT_MESSAGE_BEGIN, beyond_optee(decrypt_message_begin)),
    bind(by_message.DECRYPT_MESSAGE_NEXT, beyond_optee(decrypt_message_next)),
    bind(by_message.MESSAGE_DECRYPT_FINAL, beyond_optee(final(MESSAGE_DECRYPT))),
)
