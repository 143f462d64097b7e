# SPDX-License-Identifier: Apache-2.0
"""What an operator is told of a running secure world: its workers, clients and tokens, and what is counted.

A JSON document (``told.py``). To be asked for it has acts counted for a while.
"""

import time
from collections.abc import Iterable

import msgspec

from softee.daemon.counts import Seen, SharedCounts
from softee.daemon.tallies import Durations
from softee.daemon.told import ClientTold, CommitTold, OperationTold, TokenTold, Told, WorkerTold
from softee.pkcs11_ta.application import Pkcs11Application
from softee.pkcs11_ta.counting import name_of_command, name_of_mechanism, name_of_result
from softee.pkcs11_ta.token.slots import Slots
from softee.pkcs11_ta.token.state import Credential, PinCredential
from softee.stores.base import StoreError
from softee.tee.application import TrustedApplication
from softee.tee.sealing import TamperedError

_SECOND = 10**9


class Statistics:
    """The document of a secure world, made in one of its processes that serve."""

    def __init__(self, counts: SharedCounts, applications: Iterable[TrustedApplication]) -> None:
        self._counts = counts
        self._slots = [one.slots for one in applications if isinstance(one, Pkcs11Application)]

    def encoded(self) -> bytes:
        """Return the document as it is now, and have acts counted."""
        self._counts.want()
        seen = self._counts.seen()
        told = Told(
            time=time.time(),
            clock=time.monotonic(),
            workers=[WorkerTold(at, one.since, one.deaths, one.clients) for at, one in enumerate(seen.workers)],
            clients=[
                ClientTold(one.worker, one.pid, one.uid, one.since, one.sessions, one.acts) for one in seen.clients
            ],
            tokens=[_token(slots, slot) for slots in self._slots for slot in range(slots.count)],
            operations=_operations(seen),
            commits=[CommitTold(name, one.count, one.total / _SECOND) for name, one in seen.commits.items()],
        )
        return msgspec.json.encode(told)


def _operations(seen: Seen) -> list[OperationTold]:
    """Return how often each thing was done; several commands may be one function."""
    summed: dict[tuple[str, str, str, str], Durations] = {}
    for (slot, command, mechanism, result), durations in seen.acts.items():
        names = name_of_command(command), name_of_mechanism(mechanism), name_of_result(result), seen.serial(slot)
        summed.setdefault(names, Durations()).add(durations)
    return [OperationTold(*names, one.count, one.total / _SECOND) for names, one in sorted(summed.items())]


def _token(slots: Slots, slot: int) -> TokenTold:
    """Return what is told of a slot's token; of one that cannot be opened, that."""
    serial, profile = slots.serial_numbers()[slot], slots.policy(slot).name
    try:
        token = slots.token(slot)
    except (StoreError, TamperedError) as error:
        return TokenTold(slot, serial, profile, damaged=str(error))
    sessions, (public, private) = token.session_count(), token.objects.counts()
    initialized = token.state.so is not None
    return TokenTold(
        slot,
        serial,
        profile,
        initialized=initialized,
        label=token.state.label.decode(errors="replace").rstrip() if initialized else "",
        sessions=sessions.all,
        read_write_sessions=sessions.read_write,
        so_tries_left=_tries_left(token.state.so),
        user_tries_left=_tries_left(token.state.user),
        public_objects=public,
        private_objects=private,
    )


def _tries_left(credential: Credential | None) -> int | None:
    return credential.tries.fewest_left() if isinstance(credential, PinCredential) else None
