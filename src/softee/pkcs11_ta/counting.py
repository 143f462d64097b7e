# SPDX-License-Identifier: Apache-2.0
"""What is counted of commands: on which token, by which mechanism, with what result, and for how long.

All of it is numbers of our tables, and never what a client has made up: a mechanism that there is not counts as none,
a command that there is not as one. Where nobody counts, nothing of this runs.
"""

import functools
import struct
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

from softee.names import CKR, TeeResult
from softee.pkcs11_ta import dispatch
from softee.pkcs11_ta.abi.command import Command
from softee.pkcs11_ta.abi.commands import by_message, ciphers, digests, resuming, signatures
from softee.pkcs11_ta.abi.fields import U32, fields
from softee.pkcs11_ta.handlers import HANDLERS
from softee.pkcs11_ta.handlers.binding import Handlers
from softee.pkcs11_ta.mechanisms.table import MECHANISMS
from softee.pkcs11_ta.session import operations as o
from softee.pkcs11_ta.session.client import Pkcs11Client
from softee.tee.application import ClientIdentity
from softee.wire.values import Memref, Params

NONE: Final = 0xFFFFFFFF
"""No token, no mechanism, no command that there is."""


Act = tuple[int, int, int, int]
"""What is counted together: slot, command, mechanism, result (a CKR, or a TeeResult). NONE: there is no such thing."""


class ClientCounts(Protocol):
    """What is counted of one client."""

    @property
    def note(self) -> Callable[[Act, int, int], object]:
        """Counts an act that began then, by ``Counts.clock``; the client has so many sessions now."""
        ...

    def show(self, sessions: int) -> None:
        """Note how many sessions the client has."""
        ...

    def close(self) -> None:
        """Forget the client. What it did stays counted."""
        ...


class Counts(Protocol):
    """Who counts."""

    def clock(self) -> int:
        """Return the time in nanoseconds since some moment."""
        ...

    def is_on(self) -> bool:
        """Say whether anybody wants to know."""
        ...

    def tell(self, heed: Callable[[], object]) -> None:
        """Have this called whenever ``is_on`` has changed."""
        ...

    def client(self, identity: ClientIdentity) -> ClientCounts:
        """Begin to count a client's acts."""
        ...


class NoCounts:
    """Nobody counts, as Counts and as ClientCounts."""

    def clock(self) -> int:
        """Return no time."""
        return 0

    def is_on(self) -> bool:
        """Say no."""
        return False

    def tell(self, heed: Callable[[], object]) -> None:
        """Call nobody."""

    def client(self, identity: ClientIdentity) -> "NoCounts":  # noqa: ARG002 - the Protocol's
        """Return itself."""
        return self

    def note(self, act: Act, began: int, sessions: int) -> None:
        """Count nothing."""

    def show(self, sessions: int) -> None:
        """Note nothing."""

    def close(self) -> None:
        """Do nothing."""


NOT_COUNTED: Final = NoCounts()

_FIRST: Final = struct.Struct("<I")
_NOWHERE: Final = NONE, NONE

Subject = Callable[[Pkcs11Client, int, bytes | bytearray], tuple[int, int]]
"""Returns a command's slot and mechanism, by the first number of its request, and the request. Neither is checked."""


Invoke = Callable[[int, Params], TeeResult]
"""Runs a command."""


def counted(counts: Counts, of_client: ClientCounts, handlers: Handlers, client: Pkcs11Client) -> Invoke:
    """Return what runs a client's commands as ``dispatch.invoke`` does, and notes each."""
    subjects, clock, note = _subjects(), counts.clock, of_client.note

    def run(command: int, params: Params) -> TeeResult:
        began = clock()
        subject, control = subjects.get(command), params[0]
        slot, mechanism = _NOWHERE
        if subject is not None and isinstance(control, Memref) and len(control.data) >= _FIRST.size:
            slot, mechanism = subject(client, _FIRST.unpack_from(control.data)[0], control.data)  # which is wiped soon
        answer = dispatch.invoke(handlers, client, command, params)
        answered = isinstance(control, Memref) and control.out
        result = int.from_bytes(answered, "little") if answered else answer
        note((slot, NONE if subject is None else command, mechanism, result), began, len(client.sessions))
        return answer

    return run


def name_of_command(number: int) -> str:
    """Return what a command is called: as its C_ function, if it has one; "unknown" for one that there is not."""
    bound = HANDLERS.get(number)
    return "unknown" if bound is None else bound.command.function or bound.command.name


def name_of_mechanism(number: int) -> str:
    """Return what a mechanism is called; "" for none."""
    return _MECHANISMS.get(number, "")


def name_of_result(number: int) -> str:
    """Return what a result is called."""
    return _RESULTS.get(number, "unknown")


_MECHANISMS: Final[Mapping[int, str]] = {int(number): f"CKM_{number.name}" for number in MECHANISMS}
_RESULTS: Final[Mapping[int, str]] = {
    **{int(result): f"TEE_ERROR_{result.name}" for result in TeeResult},
    **{int(rv): f"CKR_{rv.name}" for rv in CKR},
}

_STEPS: Final[Mapping[o.Purpose[Any], tuple[Command[Any], ...]]] = {
    o.DIGEST: (
        digests.DIGEST_UPDATE,
        digests.DIGEST_KEY,
        digests.DIGEST_FINAL,
        digests.DIGEST_ONESHOT,
        resuming.DIGEST_AGAIN,
    ),
    o.ENCRYPT: (
        ciphers.ENCRYPT_UPDATE,
        ciphers.ENCRYPT_FINAL,
        ciphers.ENCRYPT_ONESHOT,
        resuming.ENCRYPT_AGAIN,
    ),
    o.DECRYPT: (
        ciphers.DECRYPT_UPDATE,
        ciphers.DECRYPT_FINAL,
        ciphers.DECRYPT_ONESHOT,
        resuming.DECRYPT_AGAIN,
    ),
    o.SIGN: (
        signatures.SIGN_UPDATE,
        signatures.SIGN_FINAL,
        signatures.SIGN_ONESHOT,
        resuming.SIGN_AGAIN,
    ),
    o.VERIFY: (
        signatures.VERIFY_UPDATE,
        signatures.VERIFY_FINAL,
        signatures.VERIFY_ONESHOT,
        resuming.VERIFY_AGAIN,
    ),
    o.SIGN_RECOVER: (signatures.SIGN_RECOVER,),
    o.VERIFY_RECOVER: (signatures.VERIFY_RECOVER,),
    o.VERIFY_SIGNATURE: (
        signatures.VERIFY_SIGNATURE,
        signatures.VERIFY_SIGNATURE_UPDATE,
        signatures.VERIFY_SIGNATURE_FINAL,
    ),
    o.MESSAGE_ENCRYPT: (
        by_message.ENCRYPT_MESSAGE,
        by_message.ENCRYPT_MESSAGE_BEGIN,
        by_message.ENCRYPT_MESSAGE_NEXT,
        by_message.MESSAGE_ENCRYPT_FINAL,
    ),
    o.MESSAGE_DECRYPT: (
        by_message.DECRYPT_MESSAGE,
        by_message.DECRYPT_MESSAGE_BEGIN,
        by_message.DECRYPT_MESSAGE_NEXT,
        by_message.MESSAGE_DECRYPT_FINAL,
    ),
    o.MESSAGE_SIGN: (
        by_message.SIGN_MESSAGE,
        by_message.SIGN_MESSAGE_BEGIN,
        by_message.SIGN_MESSAGE_NEXT,
        by_message.MESSAGE_SIGN_FINAL,
    ),
    o.MESSAGE_VERIFY: (
        by_message.VERIFY_MESSAGE,
        by_message.VERIFY_MESSAGE_BEGIN,
        by_message.VERIFY_MESSAGE_NEXT,
        by_message.MESSAGE_VERIFY_FINAL,
    ),
}
"""The steps of each kind of operation, whose mechanism was named at its beginning."""

_PURPOSES: Final = {command.number: purpose for purpose, steps in _STEPS.items() for command in steps}


def _subject(command: Command[Any]) -> Subject:
    """Return what finds a command's slot and mechanism: by the names of its request's fields, and by its operation."""
    layout = fields(command.request)
    names = [name for name, _ in layout]
    purpose = _PURPOSES.get(command.number)
    if command.in_session and purpose is not None:
        return _of_step(purpose)
    if not command.in_session:  # what C_GetMechanismInfo is asked of is no mechanism that does something
        return _on_slot if names[0] == "slot" else _nowhere
    if "mechanism" not in names:
        return _in_session
    at = names.index("mechanism")
    if any(field is not U32 for _, field in layout[: at + 1]):
        raise RuntimeError(f"{command.name} has its mechanism in no fixed place")
    return _naming_mechanism(at * _FIRST.size)


def _nowhere(_client: Pkcs11Client, _first: int, _request: bytes | bytearray) -> tuple[int, int]:
    return _NOWHERE


def _on_slot(client: Pkcs11Client, slot: int, _request: bytes | bytearray) -> tuple[int, int]:
    return (slot, NONE) if slot < client.slots.count else _NOWHERE


def _in_session(client: Pkcs11Client, handle: int, _request: bytes | bytearray) -> tuple[int, int]:
    session = client.sessions.get(handle)
    return _NOWHERE if session is None else (session.token.slot, NONE)


def _of_step(purpose: o.Purpose[Any]) -> Subject:
    def subject(client: Pkcs11Client, handle: int, _request: bytes | bytearray) -> tuple[int, int]:
        session = client.sessions.get(handle)
        if session is None:
            return _NOWHERE
        mechanism = session.operations.mechanism(purpose)
        return session.token.slot, NONE if mechanism is None else mechanism

    return subject


def _naming_mechanism(offset: int) -> Subject:
    def subject(client: Pkcs11Client, handle: int, request: bytes | bytearray) -> tuple[int, int]:
        if len(request) < offset + _FIRST.size:
            return _NOWHERE
        mechanism = _FIRST.unpack_from(request, offset)[0]
        session = client.sessions.get(handle)
        return NONE if session is None else session.token.slot, mechanism if mechanism in _MECHANISMS else NONE

    return subject


@functools.cache
def _subjects() -> Mapping[int, Subject]:
    """Return them by command's number. They are made when something is counted: most secure worlds never do."""
    return {number: _subject(bound.command) for number, bound in HANDLERS.items()}
