# SPDX-License-Identifier: Apache-2.0
"""C_GetSlotList, C_GetSlotInfo, C_GetTokenInfo, C_GetMechanismList, C_GetMechanismInfo."""

import struct

from softee.names import CKM, CKR, UNAVAILABLE_INFORMATION, SlotFlag
from softee.pkcs11_ta.abi import replies
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.abi.messages import Nothing, OnMechanism, OnSlot
from softee.pkcs11_ta.mechanisms.table import MECHANISMS
from softee.pkcs11_ta.session.call import Call
from softee.pkcs11_ta.token.pins import MAX_PIN, MIN_PIN

_MANUFACTURER = b"Linaro".ljust(32)
_MODEL = b"OP-TEE TA".ljust(16)
_HARDWARE = bytes((0, 0))
_FIRMWARE = bytes((1, 0))
_NO_CLOCK = bytes(16)
_IDS = struct.pack(f"<{len(MECHANISMS)}I", *MECHANISMS)


def slot_list(call: Call, request: Nothing) -> bytes:
    """Return all slot numbers. All tokens are present, so whether only those are asked for makes no difference."""
    slots = call.client.slots.count
    return struct.pack(f"<{slots}I", *range(slots))


def slot_info(call: Call, request: OnSlot) -> bytes:
    """Return CK_SLOT_INFO. The description's UUID is the installation's."""
    slots = call.client.slots
    slots.require_slot(request.slot)
    description = f"OP-TEE PKCS11 TA - TEE UUID {slots.installation}".encode("ascii")
    return replies.SLOT_INFO.pack(description, _MANUFACTURER, SlotFlag.TOKEN_PRESENT, _HARDWARE, _FIRMWARE)


def token_info(call: Call, request: OnSlot) -> bytes:
    """Return CK_TOKEN_INFO."""
    token = call.client.slots.token(request.slot)
    with token.lock:
        state = token.state
        count = len(token.sessions)
        read_write = sum(session.read_write for session in token.sessions)
    serial = token.serial_number.encode("ascii")
    return replies.TOKEN_INFO.pack(
        *(state.label, _MANUFACTURER, _MODEL, serial, state.flags),
        *(_NO_LIMIT, count, _NO_LIMIT, read_write),
        *(MAX_PIN, MIN_PIN),
        *(UNAVAILABLE_INFORMATION,) * 4,
        *(_HARDWARE, _FIRMWARE, _NO_CLOCK),
    )


_NO_LIMIT = UNAVAILABLE_INFORMATION


def mechanism_ids(call: Call, request: OnSlot) -> bytes:
    """Return the mechanisms' numbers, the same for all slots."""
    call.client.slots.require_slot(request.slot)
    return _IDS


def mechanism_info(call: Call, request: OnMechanism) -> bytes:
    """Return CK_MECHANISM_INFO. Raises CKR_MECHANISM_INVALID."""
    call.client.slots.require_slot(request.slot)
    try:
        spec = MECHANISMS[CKM(request.mechanism)]
    except (KeyError, ValueError):
        raise Pkcs11Error(CKR.MECHANISM_INVALID, f"mechanism 0x{request.mechanism:x} is not known here") from None
    low, high = (spec.key_size.low, spec.key_size.high) if spec.key_size else (0, 0)
    return replies.MECHANISM_INFO.pack(low, high, spec.flags)
