# SPDX-License-Identifier: Apache-2.0
"""The command table is OP-TEE's, and every command of it is served."""

import pytest

from softee.names import CKR
from softee.pkcs11_ta.abi.command import Command, Data, Output
from softee.pkcs11_ta.abi.commands import COMMANDS
from softee.pkcs11_ta.abi.fields import fields as fields_of_request
from softee.pkcs11_ta.abi.returns import ANY
from softee.pkcs11_ta.handlers import HANDLERS
from softee.pkcs11_ta.handlers.binding import bind, table
from softee.wire.codec import WireError

GOLDEN = (
    "PING",
    "SLOT_LIST",
    "SLOT_INFO",
    "TOKEN_INFO",
    "MECHANISM_IDS",
    "MECHANISM_INFO",
    "OPEN_SESSION",
    "CLOSE_SESSION",
    "CLOSE_ALL_SESSIONS",
    "SESSION_INFO",
    "INIT_TOKEN",
    "INIT_PIN",
    "SET_PIN",
    "LOGIN",
    "LOGOUT",
    "CREATE_OBJECT",
    "DESTROY_OBJECT",
    "ENCRYPT_INIT",
    "DECRYPT_INIT",
    "ENCRYPT_UPDATE",
    "DECRYPT_UPDATE",
    "ENCRYPT_FINAL",
    "DECRYPT_FINAL",
    "ENCRYPT_ONESHOT",
    "DECRYPT_ONESHOT",
    "SIGN_INIT",
    "VERIFY_INIT",
    "SIGN_UPDATE",
    "VERIFY_UPDATE",
    "SIGN_FINAL",
    "VERIFY_FINAL",
    "SIGN_ONESHOT",
    "VERIFY_ONESHOT",
    "GENERATE_KEY",
    "FIND_OBJECTS_INIT",
    "FIND_OBJECTS",
    "FIND_OBJECTS_FINAL",
    "GET_OBJECT_SIZE",
    "GET_ATTRIBUTE_VALUE",
    "SET_ATTRIBUTE_VALUE",
    "COPY_OBJECT",
    "SEED_RANDOM",
    "GENERATE_RANDOM",
    "DERIVE_KEY",
    "RELEASE_ACTIVE_PROCESSING",
    "DIGEST_INIT",
    "DIGEST_KEY",
    "DIGEST_UPDATE",
    "DIGEST_FINAL",
    "DIGEST_ONESHOT",
    "GENERATE_KEY_PAIR",
    "WRAP_KEY",
    "UNWRAP_KEY",
)
"""OP-TEE's, by their numbers."""

OURS: dict[int, str] = {
    0x1000: "SLOT_PROFILE",
    0x1001: "RENAME_TOKEN",
    0x1010: "SIGN_RECOVER_INIT",
    0x1011: "SIGN_RECOVER",
    0x1012: "VERIFY_RECOVER_INIT",
    0x1013: "VERIFY_RECOVER",
    0x1014: "GET_OPERATION_STATE",
    0x1015: "SET_OPERATION_STATE",
    0x1016: "SESSION_CANCEL",
    0x1020: "DERIVE_KEYS",
    0x1021: "DECAPSULATE_KEY",
    0x1022: "WRAP_KEY_AUTHENTICATED",
    0x1023: "UNWRAP_KEY_AUTHENTICATED",
    0x1024: "ENCAPSULATE_KEY",
    0x1030: "MESSAGE_ENCRYPT_INIT",
    0x1031: "ENCRYPT_MESSAGE",
    0x1032: "ENCRYPT_MESSAGE_BEGIN",
    0x1033: "ENCRYPT_MESSAGE_NEXT",
    0x1034: "MESSAGE_ENCRYPT_FINAL",
    0x1035: "MESSAGE_DECRYPT_INIT",
    0x1036: "DECRYPT_MESSAGE",
    0x1037: "DECRYPT_MESSAGE_BEGIN",
    0x1038: "DECRYPT_MESSAGE_NEXT",
    0x1039: "MESSAGE_DECRYPT_FINAL",
    0x103A: "MESSAGE_SIGN_INIT",
    0x103B: "SIGN_MESSAGE",
    0x103C: "SIGN_MESSAGE_BEGIN",
    0x103D: "SIGN_MESSAGE_NEXT",
    0x103E: "MESSAGE_SIGN_FINAL",
    0x103F: "MESSAGE_VERIFY_INIT",
    0x1040: "VERIFY_MESSAGE",
    0x1041: "VERIFY_MESSAGE_BEGIN",
    0x1042: "VERIFY_MESSAGE_NEXT",
    0x1043: "MESSAGE_VERIFY_FINAL",
    0x1044: "VERIFY_SIGNATURE_INIT",
    0x1045: "VERIFY_SIGNATURE",
    0x1046: "VERIFY_SIGNATURE_UPDATE",
    0x1047: "VERIFY_SIGNATURE_FINAL",
    0x1050: "ATTEST_KEY",
    0x1051: "ATTESTATION_CHAIN",
    0x1052: "ATTESTATION_REQUEST",
    0x1060: "ENCRYPT_START",
    0x1061: "DECRYPT_START",
    0x1062: "SIGN_START",
    0x1063: "VERIFY_START",
    0x1064: "DIGEST_START",
    0x1065: "ENCRYPT_AGAIN",
    0x1066: "DECRYPT_AGAIN",
    0x1067: "SIGN_AGAIN",
    0x1068: "VERIFY_AGAIN",
    0x1069: "DIGEST_AGAIN",
    0x106A: "RESUME",
    0x106B: "FIND_OBJECTS_START",
    0x106C: "GET_ATTRIBUTES_AHEAD",
    0x1070: "KEEP_LOGIN",
    0x1071: "RESTORE_SESSIONS",
}
"""Those that go beyond OP-TEE's ABI, from 0x1000. A number that was given is never given again."""

by_name = pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)


def test_numbers_and_names_never_change() -> None:
    assert [(command.number, command.name) for command in COMMANDS] == [*enumerate(GOLDEN), *OURS.items()]


def test_every_command_has_its_handler_and_no_handler_stands_alone() -> None:
    assert {number: bound.command for number, bound in HANDLERS.items()} == {
        command.number: command for command in COMMANDS
    }


def test_a_command_cannot_have_two_handlers() -> None:
    bound = HANDLERS[0]
    with pytest.raises(ValueError, match="two handlers"):
        table(bound, bind(bound.command, bound.handle))


@by_name
def test_every_command_may_fail_in_the_ways_that_any_call_may(command: Command[object]) -> None:
    assert command.returns >= ANY
    assert (CKR.SESSION_HANDLE_INVALID in command.returns) == command.in_session


@by_name
def test_only_commands_with_an_output_can_find_it_too_small(command: Command[object]) -> None:
    if CKR.BUFFER_TOO_SMALL in command.returns:
        assert command.output in (Output.OUTPUT, Output.STREAM)
        assert command.output_size is None


@by_name
def test_requests_are_decoded_whole_or_refused(command: Command[object]) -> None:
    fields = fields_of_request(command.request)
    smallest = b"".join(_SMALLEST.get(field.layout, _EMPTY_LIST) for _, field in fields)
    assert command.decode(smallest) is not None
    for length in range(len(smallest)):
        with pytest.raises(WireError):
            command.decode(smallest[:length])
    with pytest.raises(WireError):
        command.decode(smallest + b"\0")


_EMPTY_LIST = bytes(4)
_SMALLEST = {
    "u32": bytes(4),
    "u32 size, bytes": bytes(4),
    "32 bytes": bytes(32),
    "PIN bytes": b"",
    "u32 attrs_size, u32 attrs_count, attributes": bytes(8),
}


def test_only_operations_on_data_take_parameter_1() -> None:
    assert {command.name for command in COMMANDS if command.data is Data.INPUT} == {
        *("ENCRYPT_AGAIN", "DECRYPT_AGAIN", "SIGN_AGAIN", "VERIFY_AGAIN", "DIGEST_AGAIN"),
        *("ENCRYPT_UPDATE", "DECRYPT_UPDATE", "ENCRYPT_ONESHOT", "DECRYPT_ONESHOT", "SIGN_UPDATE", "SIGN_ONESHOT"),
        *("VERIFY_UPDATE", "VERIFY_ONESHOT", "DIGEST_UPDATE", "DIGEST_ONESHOT", "SEED_RANDOM", "UNWRAP_KEY"),
        *("SIGN_RECOVER", "VERIFY_RECOVER", "SET_OPERATION_STATE", "DECAPSULATE_KEY", "UNWRAP_KEY_AUTHENTICATED"),
        *("ENCRYPT_MESSAGE", "ENCRYPT_MESSAGE_NEXT", "DECRYPT_MESSAGE", "DECRYPT_MESSAGE_NEXT"),
        *("SIGN_MESSAGE", "SIGN_MESSAGE_NEXT", "VERIFY_MESSAGE", "VERIFY_MESSAGE_NEXT"),
        *("VERIFY_SIGNATURE_INIT", "VERIFY_SIGNATURE", "VERIFY_SIGNATURE_UPDATE"),
    }
