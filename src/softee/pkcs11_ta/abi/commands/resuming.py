# SPDX-License-Identifier: Apache-2.0
"""What asks less often: C_*Init and what follows it, in one round trip, and more than was asked for. All are ours.

..._START begins an operation as ..._INIT does and says more of it. ..._AGAIN makes the operation that has ended last
active once more, as at its beginning, and does what the function does. RESUME does the first half.

FIND_OBJECTS_START begins a search, and gives its handles if there is room for all; then no more are left of it.

GET_ATTRIBUTES_AHEAD answers as GET_ATTRIBUTE_VALUE, and tells what may be asked next.
"""

from typing import Any, Final

from softee.names import CKR
from softee.pkcs11_ta.abi import messages as m
from softee.pkcs11_ta.abi import replies
from softee.pkcs11_ta.abi.command import Command, Output
from softee.pkcs11_ta.abi.commands.ciphers import DECRYPT_INIT, DECRYPT_ONESHOT, ENCRYPT_INIT, ENCRYPT_ONESHOT
from softee.pkcs11_ta.abi.commands.digests import DIGEST_INIT, DIGEST_ONESHOT
from softee.pkcs11_ta.abi.commands.objects import FIND_OBJECTS_INIT, GET_ATTRIBUTE_VALUE
from softee.pkcs11_ta.abi.commands.signatures import SIGN_INIT, SIGN_ONESHOT, VERIFY_INIT, VERIFY_ONESHOT
from softee.pkcs11_ta.abi.returns import OUTPUT, SESSION


def _start(number: int, init: Command[Any]) -> Command[Any]:
    name = init.name.replace("_INIT", "_START")
    return Command(
        number,
        name,
        init.function,
        init.request,
        init.returns,
        output=Output.OUTPUT,
        output_size=replies.STARTED.size,
        output_layout="u32 size of the signature or digest that it will give (0: not told), u32 flags (1: RESUMABLE, "
        "2: MULTI_PART), u32 place of the change counter, u64 its value",
    )


def _again(number: int, one_shot: Command[m.InSession]) -> Command[m.InSession]:
    name = one_shot.name.replace("_ONESHOT", "_AGAIN")
    return Command(
        number, name, one_shot.function, m.InSession, one_shot.returns, data=one_shot.data, output=one_shot.output
    )


ENCRYPT_START: Final[Command[m.WithKey]] = _start(0x1060, ENCRYPT_INIT)
DECRYPT_START: Final[Command[m.WithKey]] = _start(0x1061, DECRYPT_INIT)
SIGN_START: Final[Command[m.WithKey]] = _start(0x1062, SIGN_INIT)
VERIFY_START: Final[Command[m.WithKey]] = _start(0x1063, VERIFY_INIT)
DIGEST_START: Final[Command[m.WithMechanism]] = _start(0x1064, DIGEST_INIT)
ENCRYPT_AGAIN = _again(0x1065, ENCRYPT_ONESHOT)
DECRYPT_AGAIN = _again(0x1066, DECRYPT_ONESHOT)
SIGN_AGAIN = _again(0x1067, SIGN_ONESHOT)
VERIFY_AGAIN = _again(0x1068, VERIFY_ONESHOT)
DIGEST_AGAIN = _again(0x1069, DIGEST_ONESHOT)
RESUME = Command(
    0x106A,
    "RESUME",
    "",
    m.Resume,
    SESSION | {CKR.OPERATION_ACTIVE, CKR.OPERATION_NOT_INITIALIZED, CKR.MECHANISM_INVALID},
)
FIND_OBJECTS_START = Command(
    0x106B,
    "FIND_OBJECTS_START",
    "C_FindObjectsInit",
    m.StartSearch,
    FIND_OBJECTS_INIT.returns | OUTPUT,
    output=Output.OUTPUT,
    output_layout="u32 number of objects that were found, and their handles if the buffer holds all",
)
GET_ATTRIBUTES_AHEAD = Command(
    0x106C,
    "GET_ATTRIBUTES_AHEAD",
    "C_GetAttributeValue",
    m.ReadAhead,
    GET_ATTRIBUTE_VALUE.returns,
    quiet=GET_ATTRIBUTE_VALUE.quiet,
    output=Output.OUTPUT,
    output_layout="what GET_ATTRIBUTE_VALUE gives; then, if there is room, u32 place of the change counter, u64 its "
    "value, and of each object as long as they fit u32 handle, u32 size, its attributes: u32 type, u32 size, value. "
    "All ones as a size: it has none",
)

COMMANDS: tuple[Command[Any], ...] = (
    ENCRYPT_START,
    DECRYPT_START,
    SIGN_START,
    VERIFY_START,
    DIGEST_START,
    ENCRYPT_AGAIN,
    DECRYPT_AGAIN,
    SIGN_AGAIN,
    VERIFY_AGAIN,
    DIGEST_AGAIN,
    RESUME,
    FIND_OBJECTS_START,
    GET_ATTRIBUTES_AHEAD,
)
