# SPDX-License-Identifier: Apache-2.0
"""The few PKCS#11 commands that the command line needs, sent through the Python client.

They are OP-TEE's commands (see docs/wire-protocol.md): the control buffer holds the request, and the CKR afterwards.
"""

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from softee.cli.failure import CliError
from softee.client import ClientError, TeeClient, TeeSession
from softee.names import CKR, CKU, PKCS11_APPLICATION, MechanismFlag, ParamType, SessionFlag, TeeResult, TokenFlag
from softee.pkcs11_ta.abi import messages as m
from softee.pkcs11_ta.abi import replies
from softee.pkcs11_ta.abi.command import Command
from softee.pkcs11_ta.abi.commands import attestation, objects, sessions, slots
from softee.wire.values import Memref, Params

R = TypeVar("R")

_U32 = struct.Struct("<I")
_MANY_OBJECTS = 4 * 10_000
_MANY_MECHANISMS = 4 * 1024
_LONGEST_NAME = 64
_LARGEST_PEM = 256 * 1024


@dataclass(frozen=True, slots=True)
class TokenInfo:
    """What C_GetTokenInfo says of a token, as far as people want to see it, and its profile."""

    slot: int
    profile: str
    label: str
    serial: str
    flags: TokenFlag
    sessions: int

    @property
    def initialized(self) -> bool:
        """Whether C_InitToken was called on it."""
        return TokenFlag.TOKEN_INITIALIZED in self.flags

    def flag_names(self) -> list[str]:
        """Return its CKF_* flags in words."""
        return [flag.name.lower().replace("_", " ") for flag in TokenFlag if flag in self.flags and flag.name]


@dataclass(frozen=True, slots=True)
class MechanismInfo:
    """What C_GetMechanismInfo says: the smallest and largest key (None where it has no sizes), and what it can do."""

    sizes: tuple[int, int] | None
    functions: MechanismFlag


class RefusedCommandError(CliError):
    """The secure world refused a command; ``rv`` is the CKR. One that it does not know is not supported."""

    def __init__(self, command: str, rv: int) -> None:
        super().__init__(f"{command} was refused with {_rv_name(rv)}.")
        self.rv = rv


class TokenClient:
    """A client of the PKCS#11 application. Its methods raise CliError where the secure world refuses."""

    def __init__(self, session: TeeSession) -> None:
        self._session = session

    def tokens(self) -> list[TokenInfo]:
        """Return what each slot's token says of itself."""
        return [self._token(slot) for slot in _u32s(self._ask(slots.SLOT_LIST, m.Nothing(0), 4 * 1024))]

    def init_token(self, slot: int, label: str, so_pin: bytes | bytearray) -> None:
        """Initialize a token (C_InitToken)."""
        request = m.InitToken(slot, len(so_pin), label.encode().ljust(32), bytearray(so_pin))
        self._ask(slots.INIT_TOKEN, request)

    def open_session(self, slot: int, *, write: bool = False) -> int:
        """Open a session and return its handle (C_OpenSession)."""
        flags = SessionFlag.SERIAL_SESSION | (SessionFlag.RW_SESSION if write else SessionFlag(0))
        return _u32s(self._ask(sessions.OPEN_SESSION, m.OpenPkcs11Session(slot, flags)))[0]

    def close_session(self, session: int) -> None:
        """Close a session (C_CloseSession)."""
        self._ask(sessions.CLOSE_SESSION, m.InSession(session))

    def login(self, session: int, user: CKU, pin: bytes | bytearray) -> None:
        """Log in (C_Login)."""
        self._ask(sessions.LOGIN, m.Login(session, user, len(pin), bytearray(pin)))

    def init_pin(self, session: int, pin: bytes) -> None:
        """Set the user's PIN, as the SO (C_InitPIN)."""
        self._ask(slots.INIT_PIN, m.InitPin(session, len(pin), bytearray(pin)))

    def rename_token(self, session: int, label: str) -> None:
        """Give the token another label, as the SO."""
        self._ask(slots.RENAME_TOKEN, m.RenameToken(session, label.encode().ljust(32)))

    def find_objects(self, session: int, template: dict[int, bytes]) -> list[int]:
        """Return the objects that match a template, as far as the session sees them (C_FindObjects)."""
        self._ask(objects.FIND_OBJECTS_INIT, m.WithTemplate(session, tuple(template.items())))
        found = self._ask(objects.FIND_OBJECTS, m.InSession(session), _MANY_OBJECTS)
        self._ask(objects.FIND_OBJECTS_FINAL, m.InSession(session))
        return _u32s(found)

    def attest_key(self, session: int, key: int, nonce: bytes) -> bytes:
        """Return a statement of where a private key comes from: certificates in PEM."""
        return self._ask(attestation.ATTEST_KEY, m.AttestKey(session, key, nonce), _LARGEST_PEM)

    def attestation_chain(self) -> bytes:
        """Return the certificates of the installation's attestation key, in PEM."""
        return self._ask(attestation.ATTESTATION_CHAIN, m.Nothing(0), _LARGEST_PEM)

    def attestation_request(self) -> bytes:
        """Return a request for a certificate of the installation's attestation key, in PEM."""
        return self._ask(attestation.ATTESTATION_REQUEST, m.Nothing(0), _LARGEST_PEM)

    def mechanisms(self, slot: int) -> dict[int, MechanismInfo]:
        """Return what a slot's token can do (C_GetMechanismList, C_GetMechanismInfo)."""
        numbers = _u32s(self._ask(slots.MECHANISM_IDS, m.OnSlot(slot), _MANY_MECHANISMS))
        return {number: self._mechanism(slot, number) for number in numbers}

    def _mechanism(self, slot: int, number: int) -> MechanismInfo:
        low, high, flags = replies.MECHANISM_INFO.unpack(self._ask(slots.MECHANISM_INFO, m.OnMechanism(slot, number)))
        return MechanismInfo((low, high) if high else None, MechanismFlag(flags))

    def _token(self, slot: int) -> TokenInfo:
        info = replies.TOKEN_INFO.unpack(self._ask(slots.TOKEN_INFO, m.OnSlot(slot)))
        label, serial, flags, sessions = info[0], info[3], info[4], info[6]
        profile = self._ask(slots.SLOT_PROFILE, m.OnSlot(slot), _LONGEST_NAME)
        return TokenInfo(slot, _text(profile), _text(label), _text(serial), TokenFlag(flags), sessions)

    def _ask(self, command: Command[R], request: R, room: int = 0) -> bytes:
        """Send a command whose reply has at most ``room`` bytes, where the command does not say how many it has."""
        control, room = command.encode(request), command.output_size or room
        answer = Memref(ParamType.MEMREF_INOUT, bytearray(control), max(len(control), 4))
        output = Memref(ParamType.MEMREF_OUTPUT, capacity=room) if room else None
        params: Params = (answer, None, output, None)
        result = self._session.invoke(command.number, params)
        rv = _U32.unpack(bytes(answer.out[:4]))[0] if len(answer.out) >= 4 else CKR.GENERAL_ERROR
        if result == TeeResult.NOT_SUPPORTED:
            rv = CKR.FUNCTION_NOT_SUPPORTED
        if result != TeeResult.SUCCESS or rv != CKR.OK:
            raise RefusedCommandError(command.function or command.name, rv)
        return bytes(output.out) if output else b""


@contextmanager
def token_client(socket: Path) -> Iterator[TokenClient]:
    """Connect to a secure world's PKCS#11 application.

    Raises:
        CliError: nothing answers on the socket, or the secure world has no such application.

    """
    try:
        with TeeClient(socket) as client, client.open_session(PKCS11_APPLICATION) as session:
            yield TokenClient(session)
    except ClientError as error:
        raise CliError(f"The secure world at {socket} does not answer: {error}") from None


def _u32s(data: bytes) -> list[int]:
    return [value for (value,) in _U32.iter_unpack(data)]


def _text(padded: bytes) -> str:
    return padded.decode(errors="replace").rstrip()


def _rv_name(rv: int) -> str:
    return f"CKR_{CKR(rv).name}" if rv in set(CKR) else f"{rv:#x}"
