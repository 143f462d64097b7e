# SPDX-License-Identifier: Apache-2.0
"""Whatever a client sends, it gets an answer that its command may give, and the token goes on (invariant 3)."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from softee.names import CKR, ParamType, TeeResult
from softee.pkcs11_ta.abi.commands import COMMANDS
from softee.wire.values import Memref, Param, Params, Value
from support.token_world import Caller, make_application

memrefs = st.builds(
    Memref,
    st.sampled_from([ParamType.MEMREF_INPUT, ParamType.MEMREF_OUTPUT, ParamType.MEMREF_INOUT]),
    st.binary(max_size=32).map(bytearray),
    st.sampled_from([0, 3, 4, 8, 12, 16, 104, 160, 4096]),
)
values = st.builds(Value, st.sampled_from([ParamType.VALUE_INPUT, ParamType.VALUE_OUTPUT, ParamType.VALUE_INOUT]))
params: st.SearchStrategy[Param] = st.none() | values | memrefs


@pytest.fixture(scope="module")
def caller() -> Caller:
    return Caller(make_application())


@settings(max_examples=300)
@given(st.integers(0, 60), st.tuples(params, params, params, params))
def test_any_parameters_get_an_answer(caller: Caller, number: int, four: Params) -> None:
    one, _, three, _ = four
    result = caller.tee.invoke(number, four)
    assert result in {TeeResult.SUCCESS, TeeResult.SHORT_BUFFER, TeeResult.NOT_SUPPORTED, TeeResult.BAD_PARAMETERS}
    if result in {TeeResult.SUCCESS, TeeResult.SHORT_BUFFER}:
        assert isinstance(one, Memref)
        assert CKR(int.from_bytes(one.out, "little")) in COMMANDS[number].returns - {CKR.GENERAL_ERROR}
    if isinstance(three, Memref) and result is TeeResult.SUCCESS:
        assert len(three.out) <= three.capacity
