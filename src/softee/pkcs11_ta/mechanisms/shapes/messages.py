# SPDX-License-Identifier: Apache-2.0
"""Messages that are encrypted or decrypted one after the other under one key, each with a nonce and a tag of its own.

The mechanism's operation has the tag behind the encrypted bytes; here it is taken off, or put there. As many bytes come
out of a message as go in, which is how sizes are known beforehand.
"""

from collections.abc import Callable
from typing import Any

from softee.names import CKR
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.mechanisms.functions import CipherOperation, Message, Messaging
from softee.pkcs11_ta.mechanisms.params import invalid
from softee.pkcs11_ta.mechanisms.shapes.nonces import Nonces, with_nonce


class RunningMessage:
    """One message on its way through a cipher."""

    __slots__ = ("_cipher", "_given", "_taken", "tag_size")

    def __init__(self, cipher: CipherOperation, tag_size: int) -> None:
        self._cipher = cipher
        self._taken = 0
        self._given = 0
        self.tag_size = tag_size

    def size(self, count: int, *, last: bool) -> int:
        """Return how many bytes a part of ``count`` bytes gives, the tag not counted. Changes nothing."""
        return self._taken + count - self._given if last else self._cipher.update_size(count)

    def update(self, part: bytes | bytearray) -> bytes:
        """Take a part and return what it gives."""
        given = self._cipher.update(part)
        self._taken += len(part)
        self._given += len(given)
        return given

    def encrypt_last(self, part: bytes | bytearray) -> tuple[bytes | bytearray, bytes]:
        """Take the last part; return what is left, and the tag."""
        rest = self._last(part)
        split = len(rest) - self.tag_size
        return rest[:split], bytes(rest[split:])

    def decrypt_last(self, part: bytes | bytearray, tag: bytes) -> bytes | bytearray:
        """Take the last part; return what is left. Raises CKR_AEAD_DECRYPT_FAILED where the tag is not right."""
        if len(tag) != self.tag_size:
            raise invalid(f"a tag of {len(tag)} bytes, not {self.tag_size}")
        try:
            return self._last(part + tag)
        except Pkcs11Error as error:
            if error.rv is CKR.ENCRYPTED_DATA_INVALID:
                raise Pkcs11Error(CKR.AEAD_DECRYPT_FAILED, error.detail) from None
            raise

    def _last(self, part: bytes | bytearray) -> bytes | bytearray:
        return self._cipher.update(part) + self._cipher.finish() if self._taken else self._cipher.whole(part)


class MessageCipher:
    """A message-based operation: where its messages and nonces come from, and the message that has begun, if any."""

    __slots__ = ("_begin", "_messaging", "_nonces", "current")

    def __init__(self, messaging: Messaging[Any], begin: Callable[[Any], CipherOperation], nonces: Nonces) -> None:
        self._messaging = messaging
        self._begin = begin
        self._nonces = nonces
        self.current: RunningMessage | None = None

    def new_nonce(self, message: Message) -> Message:
        """Return a message with its whole nonce. Raises CKR_MECHANISM_PARAM_INVALID."""
        return with_nonce(message, self._nonces.next(message))

    def begin(self, message: Message, associated: bytes) -> RunningMessage:
        """Return the cipher of a message whose nonce is whole. Raises as the mechanism does of its parameter."""
        return RunningMessage(self._begin(self._messaging.parameter(message, associated)), message.tag_size)
