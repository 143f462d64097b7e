# SPDX-License-Identifier: Apache-2.0
"""The PKCS#11 trusted application, as the TEE core sees it."""

import threading
from collections.abc import Callable, Sequence
from functools import partial
from uuid import UUID

from softee.names import PKCS11_APPLICATION, TeeResult
from softee.pkcs11_ta import dispatch, pace, patience
from softee.pkcs11_ta.attestation.attester import VAULT, Attester, Clock
from softee.pkcs11_ta.audit.noting import Noting
from softee.pkcs11_ta.counting import NOT_COUNTED, ClientCounts, Counts, Invoke, counted
from softee.pkcs11_ta.handlers import HANDLERS
from softee.pkcs11_ta.handlers.binding import Handlers
from softee.pkcs11_ta.session.accounts import Accounts, ClientLimits
from softee.pkcs11_ta.session.client import Pkcs11Client
from softee.pkcs11_ta.session.tickets import NO_TICKETS, Tickets
from softee.pkcs11_ta.token.neighbours import NOBODY, Neighbours
from softee.pkcs11_ta.token.pins import DEFAULT_COST, PinWrapper
from softee.pkcs11_ta.token.policy import Policy
from softee.pkcs11_ta.token.profiles import PORTABLE
from softee.pkcs11_ta.token.slots import Slots, vault_names
from softee.pkcs11_ta.token.state import Cost
from softee.tee.application import ClientIdentity
from softee.tee.secure_storage import SecureStorage
from softee.wire.values import Params


def vaults(slots: int) -> tuple[str, ...]:
    """Return the names of the vaults that an application with so many slots needs."""
    return (*vault_names(slots), VAULT)


class Pkcs11Application:
    """The application: a token in each slot, over one secure storage, which must have the ``vaults``.

    Args:
        storage: where the tokens live.
        clock: tells the time, with its zone.
        policies: what the token in each slot allows and assumes; slots are numbered from 0.
        max_sessions: how many PKCS#11 sessions one client may have open.
        pin_computations: how many Argon2id computations may run at once.
        pin_cost: what one costs, for PINs that are set from now on.
        neighbours: the other secure worlds that serve the same tokens.
        tickets: how logins come back after a restart; by default, not.
        counts: who counts what clients do; by default, nobody.
        noting: notes security events; None: nobody does.

    """

    def __init__(
        self,
        storage: SecureStorage,
        *,
        clock: Clock,
        policies: Sequence[Policy] = (PORTABLE,) * 3,
        max_sessions: int = 4096,
        pin_computations: int = 2,
        pin_cost: Cost = DEFAULT_COST,
        neighbours: Neighbours = NOBODY,
        tickets: Tickets = NO_TICKETS,
        counts: Counts = NOT_COUNTED,
        noting: Noting | None = None,
    ) -> None:
        self.slots = Slots(storage, policies, neighbours)
        self.max_sessions = max_sessions
        self.attester = Attester(storage, clock)
        self.accounts = Accounts()
        self.tickets = tickets
        self.noting = noting
        self.handlers = HANDLERS if noting is None else noting.handlers(HANDLERS)
        self.pins = PinWrapper(threading.BoundedSemaphore(pin_computations), pin_cost)
        self._counts = counts
        self._open: set[Pkcs11TaSession] = set()
        counts.tell(self.heed_counts)

    @property
    def uuid(self) -> UUID:
        """The application's UUID."""
        return PKCS11_APPLICATION

    def open_session(self, client: ClientIdentity, params: Params) -> "Pkcs11TaSession":  # noqa: ARG002 - as OP-TEE
        """Open a TEE session: a client of its own. The parameters are not looked at, as in OP-TEE."""
        made = self.client(client), self._counts.client(client), self._open.discard
        session = Pkcs11TaSession(*made, self.handlers, self.noting)
        self._open.add(session)
        session.heed(self._counts)
        return session

    def heed_counts(self) -> None:
        """Count what clients do from now on, or no longer, as ``counts`` says now."""
        for session in list(self._open):
            session.heed(self._counts)

    def client(self, identity: ClientIdentity) -> Pkcs11Client:
        """Return a new client of that identity."""
        limits = ClientLimits(self.max_sessions, self.accounts.of(identity.uid))
        return Pkcs11Client(identity, self.slots, self.pins, self.attester, limits, tickets=self.tickets)


class Pkcs11TaSession:
    """One TEE session. Called from several threads at once."""

    __slots__ = ("_client", "_closed", "_counts", "_handlers", "_noting", "_run", "invoke", "is_quick", "wait")

    def __init__(
        self,
        client: Pkcs11Client,
        counts: ClientCounts,
        closed: "Callable[[Pkcs11TaSession], object]",
        handlers: Handlers = HANDLERS,
        noting: Noting | None = None,
    ) -> None:
        """Take the client, what is counted and noted of it, who is told of its end, and what commands do."""
        self._client = client
        self._counts = counts
        self._closed = closed
        self._handlers = handlers
        self._noting = noting
        self._run: Invoke
        self.invoke: Invoke
        """Runs a command. Answers go into its parameters."""
        self.heed(NOT_COUNTED)
        self.is_quick = partial(pace.is_quick, client) if noting is None else self._is_quick
        """Says whether a command is done in a moment."""
        self.wait = partial(patience.wait, client)
        """Says for how many seconds a command has to wait before it runs."""

    def heed(self, counts: Counts) -> None:
        """Count commands, or not, as ``counts`` says: one that nobody counts runs as if there were nothing to count."""
        run: Invoke = partial(dispatch.invoke, self._handlers, self._client)
        if counts.is_on():
            self._counts.show(len(self._client.sessions))
            run = counted(counts, self._counts, self._handlers, self._client)
        self._run = run
        self.invoke = self._note_and_invoke if self._client.tickets.counts_calls else run

    def _note_and_invoke(self, command: int, params: Params) -> TeeResult:
        """Run a command where it matters when a client makes its calls."""
        self._client.note_call()
        return self._run(command, params)

    def _is_quick(self, command: int, params: Params) -> bool:
        """Say whether a command is done in a moment where notes are taken: what is noted is not."""
        noted = self._noting is not None and self._noting.is_noted(command)
        return not noted and pace.is_quick(self._client, command, params)

    def close(self, *, returns: bool = False) -> None:
        """End the client: its sessions, session objects and logins."""
        self._closed(self)
        if self._noting is not None:
            self._noting.ended(self._client)
        self._client.close(returns=returns)
        self._counts.close()
