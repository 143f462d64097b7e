# SPDX-License-Identifier: Apache-2.0
"""Which commands are security events, and what of them is noted: one table (``noting.py`` interprets it).

What a row does not name is told of every event: who called, which function, slot and token, the mechanism and the user
type that the request names, and the return value.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from softee.names import CKR, CKU, MessageFlag
from softee.pkcs11_ta.abi.command import Command
from softee.pkcs11_ta.abi.commands import (
    COMMANDS,
    attestation,
    by_message,
    ciphers,
    keys,
    objects,
    restoring,
    resuming,
    sessions,
    signatures,
    slots,
)
from softee.pkcs11_ta.abi.fields import fields
from softee.pkcs11_ta.audit import naming
from softee.pkcs11_ta.session.call import Call
from softee.pkcs11_ta.session.operations import (
    DECRYPT,
    MESSAGE_DECRYPT,
    MESSAGE_SIGN,
    SIGN,
    SIGN_RECOVER,
    Phase,
    Purpose,
)

Condition = Callable[[Call, Any], bool]
"""Whether a call is an event, as it looks before it runs."""


def _always(_call: Call, _request: object) -> bool:
    return True


def _nothing(_: Call) -> Mapping[str, object]:
    return {}


@dataclass(frozen=True, slots=True)
class Row:
    """An event."""

    event: str
    commands: tuple[Command[Any], ...]
    named: Mapping[str, str] = field(default_factory=dict)
    """Objects that are told of: what they are to the event, and which field of the request has the handle."""
    makes: int = 0
    """With how many handles of new objects the reply begins, at most."""
    tells: Callable[[Call], Mapping[str, object]] = _nothing
    """What else is told when it went well."""
    uses: Purpose[Any] | None = None
    """The operation whose mechanism and key are told."""
    when: Condition = _always
    ends: bool = False
    """It takes rights away, and is done where it cannot be noted as well."""
    only: frozenset[CKR] | None = None
    """The return values at which it is an event; None: all."""


def _ends_login(call: Call, request: Any) -> bool:  # noqa: ANN401 - of one command or the other
    """Say whether the client is logged in, and closes its last session."""
    closes_all = not hasattr(request, "session")
    token = call.client.slots.opened(request.slot) if closes_all else call.session.token
    if token is None or token.logins.get(call.client) is None:
        return False
    return closes_all or len(call.client.sessions_with(token)) == 1


def _brings_logins_back(_: Call, request: Any) -> bool:  # noqa: ANN401 - a row's request is known to its command
    return any(login.user in tuple(CKU) for login in request.logins)


def _logins(call: Call) -> Mapping[str, object]:
    """Tell where a client is logged in that was away."""
    tokens = [one for slot in range(call.client.slots.count) if (one := call.client.slots.opened(slot)) is not None]
    users = [(token, token.logins.get(call.client)) for token in tokens]
    return {"logins": [{**naming.token(token), "user": user.name} for token, user in users if user is not None]}


def _first_part(call: Call, _: object) -> bool:
    """Say whether a decryption gives its first bytes: it is one event, in however many parts it comes."""
    operation = call.session.operations.latest(DECRYPT)
    return operation is not None and operation.phase is Phase.READY


def _last_part(_: Call, request: Any) -> bool:  # noqa: ANN401 - as above
    return bool(request.flags & MessageFlag.END_OF_MESSAGE)


_KEY: Final = {"key": "handle"}
_OBJECT: Final = {"object": "handle"}
ROWS: Final = (
    Row("init-token", (slots.INIT_TOKEN,)),
    Row("rename-token", (slots.RENAME_TOKEN,)),
    Row("init-pin", (slots.INIT_PIN,)),
    Row("set-pin", (slots.SET_PIN,)),
    Row("login", (sessions.LOGIN,)),
    Row("logout", (sessions.LOGOUT,), ends=True),
    Row("logout", (sessions.CLOSE_SESSION, sessions.CLOSE_ALL_SESSIONS), when=_ends_login, ends=True),
    Row("restore-login", (restoring.RESTORE_SESSIONS,), when=_brings_logins_back, tells=_logins),
    Row("create", (objects.CREATE_OBJECT,), makes=1),
    Row("copy", (objects.COPY_OBJECT,), _OBJECT, makes=1),
    Row("change", (objects.SET_ATTRIBUTE_VALUE,), _OBJECT),
    Row("destroy", (objects.DESTROY_OBJECT,), _OBJECT),
    Row("generate", (keys.GENERATE_KEY, keys.GENERATE_KEY_PAIR), makes=2),
    Row("derive", (keys.DERIVE_KEY,), _KEY, makes=1),
    Row("derive", (keys.DERIVE_KEYS,), _KEY, makes=4),
    Row("wrap", (keys.WRAP_KEY, keys.WRAP_KEY_AUTHENTICATED), {"key": "handle", "wrapped": "key"}),
    Row("unwrap", (keys.UNWRAP_KEY, keys.UNWRAP_KEY_AUTHENTICATED), _KEY, makes=1),
    Row("encapsulate", (keys.ENCAPSULATE_KEY,), _KEY, makes=1),
    Row("decapsulate", (keys.DECAPSULATE_KEY,), _KEY, makes=1),
    Row("attest", (attestation.ATTEST_KEY,), _KEY),
)
"""What is noted whenever there is a log."""

USES: Final[Mapping[str, tuple[Row, ...]]] = {
    "sign": (
        Row("sign", (signatures.SIGN_ONESHOT, resuming.SIGN_AGAIN, signatures.SIGN_FINAL), uses=SIGN),
        Row("sign", (signatures.SIGN_RECOVER,), uses=SIGN_RECOVER),
        Row("sign", (by_message.SIGN_MESSAGE,), uses=MESSAGE_SIGN),
        Row("sign", (by_message.SIGN_MESSAGE_NEXT,), uses=MESSAGE_SIGN, when=_last_part),
    ),
    "decrypt": (
        Row("decrypt", (ciphers.DECRYPT_ONESHOT, resuming.DECRYPT_AGAIN), uses=DECRYPT),
        Row("decrypt", (ciphers.DECRYPT_UPDATE, ciphers.DECRYPT_FINAL), uses=DECRYPT, when=_first_part),
        Row("decrypt", (by_message.DECRYPT_MESSAGE,), uses=MESSAGE_DECRYPT),
        Row("decrypt", (by_message.DECRYPT_MESSAGE_NEXT,), uses=MESSAGE_DECRYPT, when=_last_part),
    ),
}
"""What is noted where the settings ask for it, which costs each such call a commit."""

POLICY_REFUSALS: Final = frozenset({CKR.KEY_FUNCTION_NOT_PERMITTED, CKR.MECHANISM_INVALID, CKR.KEY_SIZE_RANGE})
"""What a token's policy, or a key's attributes, refuse to whoever wants to begin an operation."""


def _beginnings() -> tuple[Command[Any], ...]:
    """Return the commands that begin an operation with a mechanism, and are no events of their own."""
    own = {command.number for row in ROWS for command in row.commands}
    return tuple(
        command
        for command in COMMANDS
        if command.in_session
        and command.number not in own
        and "mechanism" in {name for name, _ in fields(command.request)}
    )


REFUSED: Final = Row("refuse", _beginnings(), _KEY, only=POLICY_REFUSALS)
"""A refusal to begin an operation."""


def events(uses: Iterable[str]) -> Mapping[int, Row]:
    """Return the rows by command, with those of the uses of keys that are noted."""
    rows = [*ROWS, *(row for use in uses for row in USES[use]), REFUSED]
    return {command.number: row for row in rows for command in row.commands}
