# SPDX-License-Identifier: Apache-2.0
"""Every exception becomes the right answer and one log line, and no more than that crosses the border."""

import logging
from collections.abc import Callable

import pytest

from softee.names import CKA, CKR, ParamType, TeeResult
from softee.pkcs11_ta import dispatch
from softee.pkcs11_ta.abi.errors import AnsweredError, BufferTooSmallError, Pkcs11Error
from softee.pkcs11_ta.abi.messages import Nothing
from softee.pkcs11_ta.handlers.binding import bind, table
from softee.pkcs11_ta.session.call import Call
from softee.stores.base import ConflictError, StoreError
from softee.tee.sealing import TamperedError
from softee.wire.values import Memref, Params, Value
from support.commands import c
from support.token_world import Caller, make_application, public_client, template, u32

SECRET = "1234567"


def run(handler: Callable[[Call, Nothing], bytes], capacity: int = 8) -> tuple[TeeResult, bytes, Memref]:
    client = make_application().client(public_client(pid=42, uid=1001))
    control = Memref(ParamType.MEMREF_INOUT, bytearray(bytes(4)), 4)
    output = Memref(ParamType.MEMREF_OUTPUT, capacity=capacity)
    result = dispatch.invoke(table(bind(c.SLOT_LIST, handler)), client, 1, (control, None, output, None))
    return result, bytes(control.out), output


def raising(error: Exception) -> Callable[[Call, Nothing], bytes]:
    def handler(_call: Call, _request: Nothing) -> bytes:
        raise error

    return handler


@pytest.mark.parametrize(
    ("error", "rv", "level"),
    [
        (Pkcs11Error(CKR.PIN_INCORRECT, "6 tries left"), CKR.PIN_INCORRECT, logging.INFO),
        (StoreError("disk full"), CKR.DEVICE_ERROR, logging.ERROR),
        (ConflictError("somebody else"), CKR.DEVICE_ERROR, logging.ERROR),
        (TamperedError("head 7"), CKR.DEVICE_ERROR, logging.ERROR),
        (ZeroDivisionError(SECRET), CKR.GENERAL_ERROR, logging.ERROR),
        (MemoryError(), CKR.DEVICE_MEMORY, logging.ERROR),
    ],
)
def test_an_exception_becomes_a_return_value_and_one_log_record(
    error: Exception, rv: CKR, level: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "softee")
    result, control, output = run(raising(error))
    assert (result, control) == (TeeResult.SUCCESS, u32(rv))
    assert output.out == b""
    (record,) = caplog.records
    text = record.getMessage()
    assert record.levelno == level
    assert text.startswith(f"pid 42 uid 1001: C_GetSlotList: CKR_{rv.name}: ")
    assert SECRET not in text
    assert ("Traceback" in text or "test_dispatch.py" in text) == (rv is CKR.GENERAL_ERROR)


def test_a_probe_for_attributes_is_logged_for_debugging_only(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "softee")
    caller = Caller(make_application())
    session = caller.set_up()
    key = caller.aes_key(session, (CKA.SENSITIVE, True))
    for attribute, level in ((CKA.EC_POINT, logging.DEBUG), (CKA.VALUE, logging.INFO)):
        caplog.clear()
        wanted = template((attribute, bytes(32)))
        caller.call(c.GET_ATTRIBUTE_VALUE, session, key, wanted, capacity=len(wanted))
        (record,) = caplog.records
        assert record.levelno == level


def test_the_bytes_of_a_request_are_wiped_once_they_are_decoded() -> None:
    caller = Caller(make_application())
    control = bytearray(u32(0, 8) + b"label".ljust(32) + b"secret42")
    params = (Memref(ParamType.MEMREF_INOUT, control, len(control)), None, None, None)
    assert caller.tee.invoke(c.INIT_TOKEN.number, params) is TeeResult.SUCCESS
    assert control == bytes(len(control))


def test_what_works_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "softee")
    result, control, output = run(lambda _call, _request: b"reply")
    assert (result, control, output.out) == (TeeResult.SUCCESS, u32(0), b"reply")
    assert caplog.records == []


def test_a_small_buffer_gets_the_size_and_no_bytes_and_no_log_line(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "softee")
    for handler in (lambda _call, _request: b"123456789", raising(BufferTooSmallError(9))):
        result, control, output = run(handler)
        assert (result, control) == (TeeResult.SHORT_BUFFER, u32(CKR.BUFFER_TOO_SMALL))
        assert (output.size, output.out) == (9, b"")
    assert caplog.records == []


def test_an_answered_error_has_a_return_value_and_a_reply() -> None:
    result, control, output = run(raising(AnsweredError(CKR.ATTRIBUTE_SENSITIVE, b"reply")))
    assert (result, control, output.out) == (TeeResult.SUCCESS, u32(CKR.ATTRIBUTE_SENSITIVE), b"reply")


def test_a_log_line_cannot_be_forged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "softee")
    run(raising(Pkcs11Error(CKR.ARGUMENTS_BAD, "label 'x\npid 0 uid 0: C_Login: CKR_OK\x1b[2J'")))
    (record,) = caplog.records
    assert "\n" not in record.getMessage()
    assert "\x1b" not in record.getMessage()


def test_ckr_ok_is_no_error() -> None:
    with pytest.raises(ValueError, match="not an error"):
        Pkcs11Error(CKR.OK)


@pytest.mark.parametrize(
    ("number", "control", "said"),
    [
        (0, bytes(3), "command 0: TEE_ERROR_BAD_PARAMETERS: parameter 0 must be"),
        (53, bytes(4), "command 53: TEE_ERROR_NOT_SUPPORTED: there is no such command"),
        (c.LOGIN.number, bytes(4), "C_Login: CKR_ARGUMENTS_BAD: the request does not decode: "),
    ],
)
def test_a_request_that_reaches_no_handler_is_one_log_line_too(
    number: int, control: bytes, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "softee")
    Caller(make_application(), public_client(pid=42, uid=1001)).invoke(number, control)
    (record,) = caplog.records
    assert record.getMessage().startswith(f"pid 42 uid 1001: {said}")


@pytest.mark.parametrize("number", [53, 0xFFF, 0x1FFF, 0xFFFFFFFF])
def test_an_unknown_command_is_not_supported(number: int) -> None:
    caller = Caller(make_application())
    assert caller.invoke(number, bytes(4)).result is TeeResult.NOT_SUPPORTED


@pytest.mark.parametrize(
    "control",
    [
        None,
        Value(ParamType.VALUE_INOUT),
        Memref(ParamType.MEMREF_INPUT, bytearray(bytes(4)), 4),
        Memref(ParamType.MEMREF_INOUT, bytearray(bytes(3)), 3),
    ],
    ids=["none", "value", "input", "too small"],
)
def test_without_a_place_for_the_return_value_the_tee_result_says_so(control: Value | Memref | None) -> None:
    caller = Caller(make_application())
    params: Params = (control, None, None, None)
    assert caller.tee.invoke(0, params) is TeeResult.BAD_PARAMETERS


def _input() -> Memref:
    return Memref(ParamType.MEMREF_INPUT, bytearray(b"x"), 1)


def _output(size: int) -> Memref:
    return Memref(ParamType.MEMREF_OUTPUT, capacity=size)


@pytest.mark.parametrize(
    ("number", "one", "two", "three"),
    [
        (c.PING.number, _input(), _output(12), None),
        (c.PING.number, None, _output(12), _input()),
        (c.PING.number, None, None, None),
        (c.PING.number, None, _output(13), None),
        (c.PING.number, None, _output(11), None),
        (c.PING.number, None, _input(), None),
        (c.PING.number, None, Value(ParamType.VALUE_OUTPUT), None),
        (c.DIGEST_FINAL.number, None, _input(), None),
        (c.DIGEST_FINAL.number, None, Memref(ParamType.MEMREF_INOUT, bytearray(b"x"), 64), None),
        (c.SIGN_ONESHOT.number, _output(4), None, None),
        (c.VERIFY_ONESHOT.number, _input(), _output(4), None),
        (c.CLOSE_SESSION.number, None, _output(4), None),
    ],
)
def test_wrong_parameters_are_bad_arguments_as_in_op_tee(
    number: int, one: Memref | None, two: Memref | Value | None, three: Memref | None
) -> None:
    caller = Caller(make_application())
    control = Memref(ParamType.MEMREF_INOUT, bytearray(bytes(4)), 4)
    assert caller.tee.invoke(number, (control, one, two, three)) is TeeResult.SUCCESS
    assert control.out == u32(CKR.ARGUMENTS_BAD)


def test_an_absent_stream_output_is_an_empty_buffer() -> None:
    caller = Caller(make_application())
    session = caller.open()
    caller.ok(c.DIGEST_INIT, session, 0x250, b"")
    control = Memref(ParamType.MEMREF_INOUT, bytearray(u32(session)), 4)
    assert caller.tee.invoke(c.DIGEST_FINAL.number, (control, None, None, None)) is TeeResult.SHORT_BUFFER
    assert caller.ok(c.DIGEST_FINAL, session).size == 32
