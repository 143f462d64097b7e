# SPDX-License-Identifier: Apache-2.0
"""C_GetSlotList, C_GetSlotInfo, C_GetTokenInfo, C_GetMechanismList, C_GetMechanismInfo; a slot's profile."""

import struct

from softee.names import UNAVAILABLE_INFORMATION, MechanismFlag, SlotFlag, TokenFlag
from softee.pkcs11_ta.abi import replies
from softee.pkcs11_ta.abi.commands import slots
from softee.pkcs11_ta.abi.messages import Nothing, OnMechanism, OnSlot
from softee.pkcs11_ta.handlers.binding import bind
from softee.pkcs11_ta.keys.table import key_flags
from softee.pkcs11_ta.mechanisms.functions import Messaging
from softee.pkcs11_ta.session.call import Call
from softee.pkcs11_ta.session.client import Pkcs11Client
from softee.pkcs11_ta.token.pins import MAX_PIN, MIN_PIN
from softee.pkcs11_ta.token.token import Token

_MANUFACTURER = b"Linaro".ljust(32)
_MODEL = b"OP-TEE TA".ljust(16)
_HARDWARE = bytes((0, 0))
_FIRMWARE = bytes((1, 0))
_NO_CLOCK = bytes(16)


def slot_list(call: Call, request: Nothing) -> bytes:
    """Return the slots that the client may see. All tokens are present, so tokenPresent makes no difference."""
    slots = call.client.visible_slots()
    return struct.pack(f"<{len(slots)}I", *slots)


def slot_info(call: Call, request: OnSlot) -> bytes:
    """Return CK_SLOT_INFO. The description's UUID is the installation's."""
    call.client.policy(request.slot)
    description = f"OP-TEE PKCS11 TA - TEE UUID {call.client.slots.installation}".encode("ascii")
    return replies.SLOT_INFO.pack(description, _MANUFACTURER, SlotFlag.TOKEN_PRESENT, _HARDWARE, _FIRMWARE)


def token_info(call: Call, request: OnSlot) -> bytes:
    """Return CK_TOKEN_INFO."""
    token = call.client.token(request.slot)
    with token.lock:
        state, counts = token.state, _session_counts(call.client, token)
    flags = state.flags(token.policy.counted_as(call.client.identity))
    if not token.policy.as_optee:
        flags |= _BEYOND_OPTEE
    serial = token.serial_number.encode("ascii")
    return replies.TOKEN_INFO.pack(
        *(state.label, _MANUFACTURER, _MODEL, serial, flags),
        *counts,
        *(MAX_PIN, MIN_PIN),
        *(UNAVAILABLE_INFORMATION,) * 4,
        *(_HARDWARE, _FIRMWARE, _NO_CLOCK),
    )


def _session_counts(client: Pkcs11Client, token: Token) -> tuple[int, int, int, int]:
    """Return how many sessions the client may have and has, and the same of read-write ones.

    OP-TEE names no limit, and counts the sessions of all clients.
    """
    as_optee = token.policy.as_optee
    limit = UNAVAILABLE_INFORMATION if as_optee else client.max_sessions
    if as_optee:
        count = token.session_count()
        return limit, count.all, limit, count.read_write
    sessions = client.sessions_with(token)
    return limit, len(sessions), limit, sum(session.read_write for session in sessions)


_BEYOND_OPTEE = TokenFlag.DUAL_CRYPTO_OPERATIONS | TokenFlag.RESTORE_KEY_NOT_NEEDED
"""What a token can that is not as OP-TEE's: two operations in a session, and saved ones that need no key."""


def mechanism_ids(call: Call, request: OnSlot) -> bytes:
    """Return the numbers of the mechanisms that the slot's token allows."""
    mechanisms = call.client.policy(request.slot).mechanisms
    return struct.pack(f"<{len(mechanisms)}I", *mechanisms)


def mechanism_info(call: Call, request: OnMechanism) -> bytes:
    """Return CK_MECHANISM_INFO, where OP-TEE says nothing of curves and messages. Raises CKR_MECHANISM_INVALID."""
    policy = call.client.policy(request.slot)
    spec = policy.mechanism(request.mechanism)
    low, high = (spec.key_size.low, spec.key_size.high) if spec.key_size else (0, 0)
    flags = spec.flags & ~Messaging.flags if policy.as_optee else spec.flags | key_flags(spec.key_types)
    beyond = MechanismFlag(0) if policy.as_optee else spec.message_flags
    return replies.MECHANISM_INFO.pack(low, high, flags | beyond)


def slot_profile(call: Call, request: OnSlot) -> bytes:
    """Return the name of the profile that the slot's policy comes from."""
    return call.client.policy(request.slot).name.encode("ascii")


BOUND = (
    bind(slots.SLOT_LIST, slot_list),
    bind(slots.SLOT_INFO, slot_info),
    bind(slots.TOKEN_INFO, token_info),
    bind(slots.MECHANISM_IDS, mechanism_ids),
    bind(slots.MECHANISM_INFO, mechanism_info),
    bind(slots.SLOT_PROFILE, slot_profile),
)
