# SPDX-License-Identifier: Apache-2.0
"""Attacks by the shape of a template: nested at every depth, cut at every byte, values that do not fit."""

from typing import Any

import pytest

from softee.names import CKA, CKM, CKO, CKR
from softee.pkcs11_ta.abi.command import Command
from softee.pkcs11_ta.abi.template import encode_template
from support.commands import c
from support.object_calls import create
from support.token_world import Caller, make_application, template, u32


@pytest.fixture
def caller() -> Caller:
    return Caller(make_application())


@pytest.fixture
def session(caller: Caller) -> int:
    return caller.set_up()


@pytest.mark.parametrize("field", [CKA.WRAP_TEMPLATE, CKA.UNWRAP_TEMPLATE, CKA.DERIVE_TEMPLATE])
@pytest.mark.parametrize(("depth", "taken"), [(1, True), (4, True), (5, False), (6, False), (7, False)])
def test_invariant_3_templates_are_nested_four_deep_and_no_deeper(
    caller: Caller, session: int, field: CKA, depth: int, *, taken: bool
) -> None:
    inner = template((CKA.LABEL, b"innermost"))
    for _ in range(depth - 1):
        inner = template((field, inner))
    wanted = template((CKA.VALUE_LEN, 16), (field, inner))
    answer = caller.call(c.GENERATE_KEY, session, CKM.AES_KEY_GEN, b"", wanted)
    assert answer.rv is (CKR.OK if taken else CKR.ATTRIBUTE_VALUE_INVALID)
    changed = caller.call(c.FIND_OBJECTS_INIT, session, template((field, inner)))
    assert changed.rv is (CKR.OK if taken else CKR.ATTRIBUTE_VALUE_INVALID)


@pytest.mark.parametrize("command", [c.CREATE_OBJECT, c.FIND_OBJECTS_INIT], ids=lambda command: command.name)
def test_invariant_3_an_attribute_that_is_cut_anywhere_is_refused(
    caller: Caller, session: int, command: Command[Any]
) -> None:
    """In its header or in its value, whatever the sizes before it say."""
    whole = encode_template(template((CKA.CLASS, int(CKO.DATA)), (CKA.LABEL, b"label")))
    attributes = whole[8:]
    for cut in range(len(attributes)):
        rest = attributes[:cut]
        assert caller.send(command, u32(session) + whole[:8] + rest).rv is CKR.ARGUMENTS_BAD
        assert caller.send(command, u32(session, len(rest), 2) + rest).rv is CKR.ARGUMENTS_BAD


def test_invariant_3_an_attribute_in_a_nested_template_that_is_cut_anywhere_is_refused(
    caller: Caller, session: int
) -> None:
    attributes = encode_template(template((CKA.LABEL, b"label")))[8:]
    for cut in range(len(attributes)):
        for head in (u32(len(attributes), 1), u32(cut, 1)):
            wanted = template((CKA.VALUE_LEN, 16), (CKA.WRAP_TEMPLATE, head + attributes[:cut]))
            answer = caller.call(c.GENERATE_KEY, session, CKM.AES_KEY_GEN, b"", wanted)
            assert answer.rv is CKR.ATTRIBUTE_VALUE_INVALID


def test_a_value_that_does_not_fit_is_too_large_and_nothing_of_it_is_told(caller: Caller, session: int) -> None:
    data = create(caller, session, LABEL=b"a label", VALUE=b"value")
    for room in range(len(b"a label")):
        wanted = template((CKA.LABEL, b"\xcc" * room), (CKA.VALUE, bytes(5)))
        answer = caller.call(c.GET_ATTRIBUTE_VALUE, session, data, wanted, capacity=len(encode_template(wanted)))
        size = int.from_bytes(answer.output[12:16], "little")
        if room == 0:
            assert (answer.rv, size) == (CKR.OK, len(b"a label")), "no room asks for the size"
            continue
        assert (answer.rv, size) == (CKR.BUFFER_TOO_SMALL, len(b"a label")), "the client library makes it unavailable"
        assert answer.output[16 : 16 + room] == b"\xcc" * room
        assert answer.output[-5:] == b"value"
