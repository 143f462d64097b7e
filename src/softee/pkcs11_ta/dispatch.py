# SPDX-License-Identifier: Apache-2.0
"""From a TEE command to its handler and back: parameters are checked, the request decoded, the session locked.

The only place where an exception becomes a CKR. Whatever a client sends, it gets an answer; every refusal is one log
line that says who, which call, which CKR, and why. PINs and data never are in it.
"""

import logging
import traceback
from typing import Any, TypeVar

from softee.names import CKR, ParamType, TeeResult
from softee.pkcs11_ta.abi.command import Command, Output
from softee.pkcs11_ta.abi.errors import AnsweredError, BufferTooSmallError, Pkcs11Error
from softee.pkcs11_ta.handlers.binding import Bound, Handlers
from softee.pkcs11_ta.session.answers import answer_to
from softee.pkcs11_ta.session.call import Call
from softee.pkcs11_ta.session.client import Pkcs11Client
from softee.stores.base import StoreError
from softee.tee.keys import wipe
from softee.tee.parameters import ParameterError, absent, input_buffer, output_buffer
from softee.tee.sealing import TamperedError
from softee.wire.codec import WireError
from softee.wire.values import Memref, Param, Params

R = TypeVar("R")
_log = logging.getLogger("softee.pkcs11")
_ANSWERS = {rv: rv.to_bytes(4, "little") for rv in CKR}

# Members of enums are looked up once, here: every call passes through this module.
_OK, _BUFFER_TOO_SMALL = CKR.OK, CKR.BUFFER_TOO_SMALL
_SUCCESS, _SHORT_BUFFER = TeeResult.SUCCESS, TeeResult.SHORT_BUFFER
_MEMREF_OUTPUT, _MEMREF_INOUT = ParamType.MEMREF_OUTPUT, ParamType.MEMREF_INOUT
_STREAM = Output.STREAM


def invoke(handlers: Handlers, client: Pkcs11Client, number: int, params: Params) -> TeeResult:
    """Run one command. The answer goes into ``params``.

    Returns:
        TEE_SUCCESS with a CKR in parameter 0; TEE_ERROR_SHORT_BUFFER with CKR_BUFFER_TOO_SMALL there and the wanted
        size in parameter 2; TEE_ERROR_NOT_SUPPORTED for an unknown command; TEE_ERROR_BAD_PARAMETERS where
        parameter 0 cannot hold a CKR.

    """
    control = params[0]
    if not isinstance(control, Memref) or control.type not in _CONTROL or control.capacity < 4:
        _refused(client, f"command {number}", "TEE_ERROR_BAD_PARAMETERS", "parameter 0 must be an in/out buffer")
        return TeeResult.BAD_PARAMETERS
    bound = handlers.get(number)
    if bound is None:
        _refused(client, f"command {number}", "TEE_ERROR_NOT_SUPPORTED", "there is no such command")
        return TeeResult.NOT_SUPPORTED
    command = bound.command
    try:
        reply = _run(bound, client, control, params)
    except BufferTooSmallError as error:
        return _too_small(control, params[2], error.size)
    except AnsweredError as error:
        return _answer(command, control, params[2], error.output, _explain(client, command, error))
    except Exception as error:  # noqa: BLE001 - the one place where every exception becomes a return value
        control.reply(_ANSWERS[_explain(client, command, error)])
        return _SUCCESS
    return _answer(command, control, params[2], reply, _OK)


_CONTROL = frozenset({_MEMREF_INOUT, _MEMREF_OUTPUT})


def _run(bound: Bound, client: Pkcs11Client, control: Memref, params: Params) -> bytes | bytearray:
    command = bound.command
    call = _call(command, client, params)
    request = _decode(command, control)
    if not command.in_session:
        return bound.handle(call, request)
    session = client.session(request.session)
    if session.token.vault.is_behind:
        session.token.keep_up()
    with session.lock:
        if session.closed:
            raise Pkcs11Error(CKR.SESSION_HANDLE_INVALID, f"session {session.handle} was closed meanwhile")
        call.session = session
        try:
            return bound.handle(call, request)
        except Pkcs11Error as error:
            error.rv = session.token.policy.answer(error.rv, error.optee)
            raise


def _decode(command: Command[R], control: Memref) -> R:
    """Decode a request, and wipe the bytes that it came in: a PIN or a key may be among them."""
    try:
        if control.capacity > command.largest_request:
            detail = f"a request of {control.capacity} bytes; {command.largest_request} are decoded"
            raise Pkcs11Error(CKR.DEVICE_MEMORY, detail)
        return command.decode(control.data)
    finally:
        wipe(control.data)


def _call(command: Command[Any], client: Pkcs11Client, params: Params) -> Call:
    _, first, second, third = params
    if third is not None:
        absent(third, "parameter 3")
    data = _input(first, "parameter 1", taken=command.takes_data)
    if command.writes:
        capacity = _capacity(command, second)
        return Call(client, data, b"", capacity, asks_size=capacity == 0 and second is not None)
    return Call(client, data, _input(second, "parameter 2", taken=command.takes_second), 0)


def _input(param: Param, name: str, *, taken: bool) -> bytes | bytearray:
    """Return an input that may be absent, and must be where it is not taken."""
    if param is None:
        return b""
    if not taken:
        absent(param, name)
    return input_buffer(param, name).data


def _capacity(command: Command[Any], param: Param) -> int:
    if param is None and command.output is _STREAM:
        return 0
    capacity = output_buffer(param, "parameter 2").capacity
    if command.output_size is not None and capacity != command.output_size:
        raise ParameterError(f"parameter 2 has {capacity} bytes instead of {command.output_size}")
    return capacity


def _answer(command: Command[Any], control: Memref, output: Param, reply: bytes | bytearray, rv: CKR) -> TeeResult:
    if command.writes and isinstance(output, Memref) and not output.reply(reply):
        return _too_small(control, output, len(reply))
    control.reply(_ANSWERS[rv])
    return _SHORT_BUFFER if rv is _BUFFER_TOO_SMALL else _SUCCESS


def _too_small(control: Memref, output: Param, size: int) -> TeeResult:
    if isinstance(output, Memref):
        output.size = size
        output.out = b""
    control.reply(_ANSWERS[_BUFFER_TOO_SMALL])
    return _SHORT_BUFFER


def _explain(client: Pkcs11Client, command: Command[Any], error: Exception) -> CKR:
    """Return the CKR that an exception means, having logged it."""
    rv, call = answer_to(error), command.function or command.name
    if isinstance(error, Pkcs11Error):
        level = logging.DEBUG if rv in command.quiet else logging.INFO
        _refused(client, call, f"CKR_{rv.name}", error.detail, level)
    elif isinstance(error, ParameterError):
        _refused(client, call, f"CKR_{rv.name}", error.detail)
    elif isinstance(error, WireError):
        _refused(client, call, f"CKR_{rv.name}", f"the request does not decode: {error}")
    else:
        _log.error("%s: %s: CKR_%s: %s", _who(client), call, rv.name, _failure(error), extra=_about(client))
    return rv


def _failure(error: Exception) -> str:
    if isinstance(error, StoreError | TamperedError):
        return f"{type(error).__name__}: {_printable(str(error))}"
    if isinstance(error, MemoryError):
        return "no more memory is to be had"
    # The exception's text may hold a client's data: its type and the way it came are enough to find the bug.
    trace = "".join(traceback.format_tb(error.__traceback__))
    return f"a bug: {type(error).__name__}\n{trace}"


def _refused(client: Pkcs11Client, call: str, answer: str, detail: str, level: int = logging.INFO) -> None:
    if _log.isEnabledFor(level):
        _log.log(level, "%s: %s: %s: %s", _who(client), call, answer, _printable(detail), extra=_about(client))


def _who(client: Pkcs11Client) -> str:
    return f"pid {client.identity.pid} uid {client.identity.uid}"


def _about(client: Pkcs11Client) -> dict[str, int]:
    """Return what a record has besides, for whoever bounds how much is logged about a uid."""
    return {"uid": client.identity.uid}


def _printable(text: str) -> str:
    """Escape what could forge a log line or steer a terminal."""
    return text if text.isprintable() else text.encode("unicode_escape").decode("ascii")
