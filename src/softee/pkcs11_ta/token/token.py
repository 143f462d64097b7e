# SPDX-License-Identifier: Apache-2.0
"""A token: its sealed state, its objects, who is logged in, and the user key while somebody is."""

import contextlib
import threading
from collections.abc import Callable, Hashable, Iterator, Sequence
from functools import partial
from typing import Final, Protocol, TypeVar
from uuid import UUID

from softee.names import CKR, CKU
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.attributes.values import Attributes
from softee.pkcs11_ta.token.neighbours import NOBODY, Neighbours, SessionCount
from softee.pkcs11_ta.token.objects import TokenObjects
from softee.pkcs11_ta.token.policy import Policy
from softee.pkcs11_ta.token.presented import PresentedObjects
from softee.pkcs11_ta.token.state import TokenState, decode_state
from softee.stores.base import ConflictError
from softee.tee.keys import wipe
from softee.tee.sealing import SealKey
from softee.tee.vault import Change, Vault

T = TypeVar("T")

_TRIES: Final = 100
"""How often a change is begun anew because another secure world was quicker: each time, one of these has got on."""


class TokenSession(Protocol):
    """What a token must know of a session that is open with it."""

    @property
    def read_write(self) -> bool:
        """The session may change token objects."""
        ...

    @property
    def is_busy(self) -> bool:
        """A command runs in it."""
        ...

    def end(self) -> None:
        """Close it, when its running command is done."""
        ...


class Token:
    """One token in its slot.

    ``lock`` guards the state, the vault's changes, sessions and logins, and is held for moments only. ``pin_lock``
    makes PIN checks wait for each other, so that right PINs given at the same time never use up the tries; it is taken
    before ``lock`` and held during the costly computation.

    Other secure worlds may serve the same token. What they change of it is taken over by ``keep_up``, which comes
    before each command; whatever changes it here runs in ``transact``.
    """

    def __init__(
        self, slot: int, vault: Vault, installation: UUID, policy: Policy, neighbours: Neighbours = NOBODY
    ) -> None:
        self.slot = slot
        self.policy = policy
        self.vault = vault
        self.lock = threading.RLock()
        self.pin_lock = threading.Lock()
        self.objects = TokenObjects(vault, self._look_again)
        self.presented = PresentedObjects(policy)
        self.state: TokenState = decode_state(vault.head)
        self.sessions: set[TokenSession] = set()
        self.logins: dict[Hashable, CKU] = {}
        self.serial_number = serial_number(installation, slot)
        self._neighbours = neighbours
        self._counted = SessionCount()
        self._shut = 0
        self._head = vault.head
        self._user_key: bytearray | None = None
        self._seal_key: SealKey | None = None

    @property
    def pin_secret(self) -> bytes:
        """What a PIN is mixed with: 32 bytes that take the root key and this token's vault to know."""
        return self.vault.derive("pin")

    @property
    def identity_secret(self) -> bytes:
        """What wraps the user key for a TEE identity: likewise."""
        return self.vault.derive("identity")

    @property
    def user_key(self) -> bytearray | None:
        """The secret that seals private objects; None while nobody is logged in. Not to be kept."""
        return self._user_key

    def is_free(self) -> bool:
        """Say whether ``lock`` could be had at once, at this moment."""
        free = self.lock.acquire(blocking=False)
        if free:
            self.lock.release()
        return free

    def opens_at_once(self) -> bool:
        """Say whether a session could be opened at once, at this moment: the first one may have to wait for others."""
        return (bool(self.sessions) or self._neighbours is NOBODY) and self.is_free()

    def keep_up(self) -> None:
        """Take over what other secure worlds have changed of the token, where they have.

        Raises:
            TamperedError: what the store has is not what they have written.
            StoreError: the store failed.

        """
        with self.lock:
            if self.vault.is_behind:
                self._look_again()

    def _look_again(self) -> None:
        with self.lock:
            self.objects.forget(self.vault.refresh())
            if self.vault.head != self._head:
                self._head = self.vault.head
                self.state = decode_state(self._head)

    def transact(self, act: Callable[[], T]) -> T:
        """Run what changes the token under its lock, on its newest state; again where others have changed it meanwhile.

        So ``act`` must look at the token anew each time, and leave nothing behind when it raises ConflictError.

        Raises:
            Pkcs11Error: CKR_DEVICE_ERROR: others have changed it all the time; or what ``act`` raises.

        """
        for _ in range(_TRIES):
            with self.lock:
                self.keep_up()
                try:
                    return act()
                except ConflictError:
                    self._look_again()
        raise Pkcs11Error(CKR.DEVICE_ERROR, f"others were quicker {_TRIES} times; nothing was changed")

    @contextlib.contextmanager
    def pin_turn(self) -> Iterator[None]:
        """Wait for the turn to check or set PINs, of all secure worlds, and know what those before have left."""
        with self.pin_lock, self._neighbours.turn(self.slot):
            self.keep_up()
            yield

    def shut(self) -> None:
        """Let no session be opened, in any secure world, until ``reopen`` is called as often. The others end theirs."""
        with self.lock:
            self._shut += 1
            self._neighbours.shut(self.slot, self._shut)

    def reopen(self) -> None:
        """Take a ``shut`` back."""
        with self.lock:
            self._shut -= 1
            self._neighbours.shut(self.slot, self._shut)

    def end_sessions(self) -> None:
        """End the sessions that are here; those last in which a command runs, which is waited for."""
        with self.lock:
            sessions = list(self.sessions)
        for session in sorted(sessions, key=lambda one: one.is_busy):
            session.end()

    def require_not_shut(self) -> None:
        """Raise CKR_TOKEN_NOT_PRESENT while an operator keeps sessions away."""
        if self._shut or self._neighbours.is_shut(self.slot):
            raise Pkcs11Error(CKR.TOKEN_NOT_PRESENT, "an operator keeps sessions away from the token just now")

    def enter(self, session: TokenSession) -> None:
        """Add a session. Waits while another secure world initializes the token. ``lock`` is held."""
        self.sessions.add(session)
        self._count(1, session)

    def leave(self, session: TokenSession) -> None:
        """Take a session away. ``lock`` is held."""
        self.sessions.discard(session)
        self._count(-1, session)

    def _count(self, more: int, session: TokenSession) -> None:
        self._counted = self._counted.plus(SessionCount(more, more if session.read_write else 0))
        self._neighbours.tell(self.slot, self._counted)

    def session_count(self) -> SessionCount:
        """Return how many sessions all clients have with the token, in all secure worlds."""
        return self._counted.plus(self._neighbours.elsewhere(self.slot))

    @contextlib.contextmanager
    def unused(self) -> Iterator[None]:
        """Keep sessions away meanwhile. Raises CKR_SESSION_EXISTS where there are any, in any secure world."""
        with self.lock, self._neighbours.alone(self.slot) as alone:
            if self.sessions or not alone:
                count = self.session_count().all
                raise Pkcs11Error(CKR.SESSION_EXISTS, f"{count} sessions are open with the token; close them")
            yield

    def store(self, state: TokenState) -> None:
        """Put a state on the disk, and then in the place of the one that is known.

        Raises:
            StoreError: nothing has changed.

        """
        self.transact(partial(self._write, state))

    def reset(self, state: TokenState) -> None:
        """Replace the state and destroy all objects, together (C_InitToken)."""
        with self.lock:
            self.transact(partial(self._write, state, clear=True))
            self.objects.forget_all()

    def fill(self, state: TokenState, user_key: bytearray, objects: Sequence[Attributes]) -> None:
        """Replace the state and all objects by those of another token, together; ``user_key`` seals private ones.

        Raises:
            StoreError: nothing has changed.

        """
        key = SealKey(user_key)
        with self.lock:
            self.objects.admit(key)
            try:
                self.transact(partial(self._write, state, clear=True, objects=objects))
            finally:
                self.objects.dismiss()
                key.wipe()

    def _write(self, state: TokenState, *, clear: bool = False, objects: Sequence[Attributes] = ()) -> None:
        change: Change = self.vault.change()
        if clear:
            change.clear()
        self.objects.add_to(change, objects)
        change.set_head(state.encode())
        change.commit()
        self._head = self.vault.head
        self.state = state

    def hold_user_key(self, client: Hashable, user: CKU, user_key: bytearray) -> None:
        """Log a client in. ``user_key`` is what its PIN has opened; the first login's is kept until the last logout."""
        with self.lock:
            self.logins[client] = user
            if self._user_key is None:
                self._user_key = bytearray(user_key)
                self._seal_key = SealKey(user_key)
                self.objects.admit(self._seal_key)

    def forget_user_key(self) -> None:
        """Let go of the user key, and of what it has opened."""
        self.objects.dismiss()
        if self._seal_key is not None:
            self._seal_key.wipe()
        if self._user_key is not None:
            wipe(self._user_key)
        self._seal_key = self._user_key = None


def serial_number(installation: UUID, slot: int) -> str:
    """Return the serial number of a slot's token, 16 hexadecimal digits: it never changes, nor is another's.

    It is the first half of the installation's UUID plus the slot.
    """
    return f"{((installation.int >> 64) + slot) & 0xFFFFFFFFFFFFFFFF:016x}"
