# SPDX-License-Identifier: Apache-2.0
"""A token on which any objects are tried: every answer must be one that the command may give."""

from functools import cache
from typing import Any

from softee.names import CKA, CKR
from softee.pkcs11_ta.abi.command import Command
from softee.pkcs11_ta.abi.template import Template, encode_template
from softee.pkcs11_ta.attributes.codecs import CODECS
from softee.pkcs11_ta.token.profiles import PORTABLE
from support.commands import c
from support.object_calls import fresh_caller
from support.samples import OBJECT_SAMPLES, as_template
from support.token_world import Answer, Caller


@cache
def world() -> tuple[Caller, int]:
    return fresh_caller(policy=PORTABLE)


def checked(command: Command[Any], *request: int | bytes | Template, **rest: Any) -> Answer:  # noqa: ANN401 - passed on
    """Invoke a command and return its answer, which must be one that it may give."""
    caller, _ = world()
    answer = caller.call(command, *request, **rest)
    assert answer.rv in command.returns
    assert answer.rv not in {CKR.GENERAL_ERROR, CKR.FUNCTION_FAILED, CKR.DEVICE_ERROR}
    return answer


def use_and_destroy(handle: int) -> None:
    """Do with an object what can be done with any, and remove it where it allows that."""
    _, session = world()
    everything = tuple((kind, b"") for kind in CODECS)
    capacity = len(encode_template(everything))
    checked(c.GET_ATTRIBUTE_VALUE, session, handle, everything, capacity=capacity)
    assert checked(c.GET_OBJECT_SIZE, session, handle).rv is CKR.OK
    assert checked(c.FIND_OBJECTS_INIT, session, ()).rv is CKR.OK
    assert checked(c.FIND_OBJECTS_FINAL, session).rv is CKR.OK
    assert checked(c.DESTROY_OBJECT, session, handle).rv in {CKR.OK, CKR.ACTION_PROHIBITED}


@cache
def unwrapper() -> int:
    _, session = world()
    key = {**OBJECT_SAMPLES["AES key"], CKA.UNWRAP: True}
    return checked(c.CREATE_OBJECT, session, as_template(key)).handle
