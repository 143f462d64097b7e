# SPDX-License-Identifier: Apache-2.0
"""What an operator is told of a running secure world: its workers, clients and tokens, and what is counted.

A JSON document (``told.py``). To be asked for it has acts counted for a while.
"""

import contextlib
import time
from collections.abc import Iterable, Iterator
from enum import IntEnum
from typing import Final

import msgspec

from softee.daemon.metrics.counts import SharedCounts
from softee.daemon.metrics.counts_seen import Durations, Seen, seen
from softee.daemon.metrics.told import ClientTold, CommitTold, ObjectTold, OperationTold, TokenTold, Told, WorkerTold
from softee.names import CKA, CKK, CKO
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.application import Pkcs11Application
from softee.pkcs11_ta.attributes.values import Attributes
from softee.pkcs11_ta.counting import name_of_command, name_of_mechanism, name_of_result
from softee.pkcs11_ta.token.slots import Slots
from softee.pkcs11_ta.token.state import Credential, PinCredential
from softee.stores.base import StoreError
from softee.tee.application import TrustedApplication
from softee.tee.sealing import TamperedError

MOST_OBJECTS: Final = 100
"""Public objects of a token that are told of; ``TokenTold`` has their number."""
_SECOND: Final = 10**9


class Statistics:
    """The document of a secure world, made in one of its processes that serve."""

    def __init__(self, counts: SharedCounts, applications: Iterable[TrustedApplication]) -> None:
        self._counts = counts
        self._slots = [one.slots for one in applications if isinstance(one, Pkcs11Application)]

    def encoded(self) -> bytes:
        """Return the document as it is now, and have acts counted."""
        self._counts.want()
        now = seen(self._counts)
        told = Told(
            time=time.time(),
            clock=time.monotonic(),
            workers=[WorkerTold(at, one.since, one.deaths, one.clients) for at, one in enumerate(now.workers)],
            clients=[
                ClientTold(one.worker, one.pid, one.uid, one.since, one.sessions, one.acts) for one in now.clients
            ],
            tokens=[_token(slots, slot) for slots in self._slots for slot in range(slots.count)],
            operations=_operations(now),
            commits=[CommitTold(name, one.count, one.total / _SECOND) for name, one in now.commits.items()],
        )
        return msgspec.json.encode(told)

    def encoded_objects(self) -> bytes:
        """Return what is told of the tokens' public objects."""
        return msgspec.json.encode(
            [one for slots in self._slots for slot in range(slots.count) for one in _objects(slots, slot)]
        )


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


def _objects(slots: Slots, slot: int) -> Iterator[ObjectTold]:
    """Give a token's first public objects. Damaged ones, or all of a damaged token, are left out."""
    with contextlib.suppress(StoreError, TamperedError):
        objects = slots.token(slot).objects
        for handle in objects.find({}, private=False)[:MOST_OBJECTS]:
            with contextlib.suppress(Pkcs11Error):
                yield _object(slot, objects.get(handle, private=False).attributes)


def _object(slot: int, attributes: Attributes) -> ObjectTold:
    label, identifier = attributes.get(CKA.LABEL), attributes.get(CKA.ID)
    return ObjectTold(
        slot,
        _name(CKO, attributes.get(CKA.CLASS)),
        _name(CKK, attributes.get(CKA.KEY_TYPE)),
        label.decode(errors="replace") if isinstance(label, bytes) else "",
        identifier.hex() if isinstance(identifier, bytes) else "",
    )


def _name(names: type[IntEnum], number: object) -> str:
    return f"{names.__name__}_{names(number).name}" if isinstance(number, int) and number in set(names) else ""


def _tries_left(credential: Credential | None) -> int | None:
    return credential.tries.fewest_left() if isinstance(credential, PinCredential) else None
