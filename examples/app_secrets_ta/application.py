# SPDX-License-Identifier: Apache-2.0
"""The application: it seals a secret into a blob, which the client keeps, and opens it again for the same identity.

A blob opens with this installation's root key only, and only for a client of the login method and client UUID that it
was sealed for. Its bytes are hostile: whatever is wrong with them, the answer is the same TEE_ERROR_SECURITY.
"""

import struct
from uuid import UUID

from softee.names import TeeResult
from softee.stores.base import StoreError
from softee.tee.application import ClientIdentity, TeeError
from softee.tee.keys import wipe
from softee.tee.parameters import absent, input_buffer, output_buffer
from softee.tee.sealing import SealKey, TamperedError
from softee.tee.secure_storage import SecureStorage
from softee.wire.values import Memref, Params

APP_SECRETS = UUID("5ca4d9d9-dee4-47f4-977a-7eadc060e52c")

SEAL = 0
UNSEAL = 1

VAULT = "blobs"
"""The vault whose key seals the blobs. It stays empty."""
LARGEST_INPUT = 64 << 10
"""Bytes of a secret, and of a blob."""

_CONTEXT = struct.Struct("<16sI16s")
_MAGIC = b"app_secrets/1"


class AppSecretsApplication:
    """The application, over a secure storage that must have the vault ``VAULT``."""

    def __init__(self, storage: SecureStorage) -> None:
        self._storage = storage

    @property
    def uuid(self) -> UUID:
        """The application's UUID."""
        return APP_SECRETS

    def open_session(self, client: ClientIdentity, params: Params) -> "AppSecretsSession":  # noqa: ARG002 - nothing to ask
        """Open a session. Its parameters are not looked at.

        Raises:
            TeeError: TEE_ERROR_CORRUPT_OBJECT where the vault is damaged, TEE_ERROR_STORAGE_NOT_AVAILABLE where the
                store fails. Later sessions try again.

        """
        return AppSecretsSession(self._key(), client)

    def _key(self) -> SealKey:
        try:
            return self._storage.vault(VAULT).key
        except TamperedError as error:
            raise TeeError(TeeResult.CORRUPT_OBJECT, str(error)) from error
        except StoreError as error:
            raise TeeError(TeeResult.STORAGE_NOT_AVAILABLE, f"{type(error).__name__}: {error}") from error


class AppSecretsSession:
    """One TEE session. Called from several threads at once: it has no state that changes."""

    __slots__ = ("_context", "_key")

    def __init__(self, key: SealKey, client: ClientIdentity) -> None:
        self._key = key
        self._context = _CONTEXT.pack(_MAGIC, client.login, client.uuid.bytes)

    def invoke(self, command: int, params: Params) -> TeeResult:
        """Seal or unseal parameter 0 into parameter 1."""
        if command == SEAL:
            return self._seal(*_buffers(params))
        if command == UNSEAL:
            return self._unseal(*_buffers(params))
        raise TeeError(TeeResult.NOT_SUPPORTED, f"there is no command {command}")

    def is_quick(self, command: int, params: Params) -> bool:  # noqa: ARG002 - none takes long
        """Say that every command is done in a moment."""
        return True

    def wait(self, command: int, params: Params) -> float:  # noqa: ARG002 - the Protocol's
        """Let nothing wait."""
        return 0.0

    def close(self, *, returns: bool = False) -> None:
        """End the session, which holds nothing."""

    def _seal(self, secret: Memref, target: Memref) -> TeeResult:
        try:
            return _answer(target, self._key.seal(self._context, secret.data))
        finally:
            wipe(secret.data)

    def _unseal(self, blob: Memref, target: Memref) -> TeeResult:
        try:
            secret = self._key.open(self._context, bytes(blob.data))
        except TamperedError as error:
            raise TeeError(TeeResult.SECURITY, str(error)) from error
        result = _answer(target, secret)
        if result is not TeeResult.SUCCESS:
            wipe(secret)
        return result


def _buffers(params: Params) -> tuple[Memref, Memref]:
    source, target = input_buffer(params[0], "parameter 0"), output_buffer(params[1], "parameter 1")
    absent(params[2], "parameter 2")
    absent(params[3], "parameter 3")
    if len(source.data) > LARGEST_INPUT:
        raise TeeError(TeeResult.EXCESS_DATA, f"parameter 0 has {len(source.data)} bytes, {LARGEST_INPUT} at most")
    return source, target


def _answer(target: Memref, data: bytes | bytearray) -> TeeResult:
    return TeeResult.SUCCESS if target.reply(data) else TeeResult.SHORT_BUFFER
