# SPDX-License-Identifier: Apache-2.0
"""The PKCS#11 trusted application, as the TEE core sees it."""

import threading
from uuid import UUID

from softee.names import CKR, TeeResult
from softee.pkcs11_ta import dispatch
from softee.pkcs11_ta.authentication import Authenticator
from softee.pkcs11_ta.client import Client
from softee.pkcs11_ta.errors import Pkcs11Error
from softee.pkcs11_ta.handlers import HANDLERS
from softee.pkcs11_ta.pins import DEFAULT_COST, PinWrapper
from softee.pkcs11_ta.token_state import Cost
from softee.pkcs11_ta.tokens import Token
from softee.tee.application import ClientIdentity
from softee.tee.secure_storage import SecureStorage
from softee.wire.params import Params

APPLICATION_UUID = UUID("fd02c9da-306c-48c7-a49c-bbd827ae86ee")
"""OP-TEE's PKCS#11 application."""


def vault_names(slots: int) -> tuple[str, ...]:
    """Return the names of the vaults that an application with so many slots needs."""
    return tuple(f"token-{slot}" for slot in range(slots))


class Pkcs11Application:
    """The application: ``slots`` tokens over one secure storage, which must have the vaults of ``vault_names``.

    Args:
        storage: where the tokens live.
        slots: how many slots there are; they are numbered from 0.
        max_sessions: how many PKCS#11 sessions one client may have open.
        pin_computations: how many Argon2id computations may run at once.
        pin_cost: what one costs, for PINs that are set from now on.

    """

    def __init__(
        self,
        storage: SecureStorage,
        *,
        slots: int = 3,
        max_sessions: int = 4096,
        pin_computations: int = 2,
        pin_cost: Cost = DEFAULT_COST,
    ) -> None:
        self.installation = storage.installation
        self.slots = slots
        self.max_sessions = max_sessions
        self.authenticator = Authenticator(PinWrapper(threading.BoundedSemaphore(pin_computations), pin_cost))
        self._storage = storage
        self._tokens: dict[int, Token] = {}
        self._opening = threading.Lock()

    @property
    def uuid(self) -> UUID:
        """The application's UUID."""
        return APPLICATION_UUID

    def open_session(self, client: ClientIdentity, params: Params) -> "ClientSession":  # noqa: ARG002  # as OP-TEE
        """Open a TEE session: a client of its own. The parameters are not looked at, as in OP-TEE."""
        return ClientSession(Client(client, self))

    def require_slot(self, slot: int) -> None:
        """Raise CKR_SLOT_ID_INVALID where there is no such slot."""
        if not 0 <= slot < self.slots:
            raise Pkcs11Error(CKR.SLOT_ID_INVALID, f"there is no slot {slot}, only 0 to {self.slots - 1}")

    def token(self, slot: int) -> Token:
        """Return a slot's token; it is opened when it is first asked for, so that a damaged one hurts no other.

        Raises:
            Pkcs11Error: CKR_SLOT_ID_INVALID.
            TamperedError: its vault is damaged.
            StoreError: the store failed.

        """
        token = self._tokens.get(slot)
        if token is not None:
            return token
        self.require_slot(slot)
        with self._opening:
            if slot not in self._tokens:
                vault = self._storage.vault(vault_names(self.slots)[slot])
                self._tokens[slot] = Token(slot, vault, self.installation)
            return self._tokens[slot]


class ClientSession:
    """One TEE session. Called from several threads at once."""

    __slots__ = ("_client",)

    def __init__(self, client: Client) -> None:
        self._client = client

    def invoke(self, command: int, params: Params) -> TeeResult:
        """Run a command. Answers go into ``params``."""
        return dispatch.invoke(HANDLERS, self._client, command, params)

    def close(self) -> None:
        """End the client: its sessions, session objects and logins."""
        self._client.close()
