# SPDX-License-Identifier: Apache-2.0
"""Hypothesis strategies for what travels on a channel."""

from hypothesis import strategies as st

from softee.names import ParamType
from softee.wire.messages import Cancel, CloseSession, Hello, Invoke, OpenSession, Request
from softee.wire.parameters import Parameters, Region
from softee.wire.values import Memref, Param, Value

U32 = st.integers(0, 0xFFFFFFFF)
U64 = st.integers(0, 0xFFFFFFFFFFFFFFFF)
_DATA = st.binary(max_size=64).map(bytearray)


def _value(kind: ParamType) -> st.SearchStrategy[Param]:
    if kind is ParamType.VALUE_OUTPUT:
        return st.just(Value(kind))
    return st.builds(Value, st.just(kind), U32, U32)


def _inline(kind: ParamType) -> st.SearchStrategy[Param]:
    if kind is ParamType.MEMREF_OUTPUT:
        return st.builds(Memref, st.just(kind), capacity=U32)
    return _DATA.map(lambda data: Memref(kind, bytearray(data), len(data)))


def _param(kind: ParamType) -> st.SearchStrategy[Param]:
    if kind is ParamType.NONE:
        return st.none()
    return _value(kind) if kind <= ParamType.VALUE_INOUT else _inline(kind) | st.just(Memref(kind, null=True))


@st.composite
def operations(draw: st.DrawFn) -> Parameters:
    """Requests' parameters as a decoder gives them: data only where it is inline."""
    first, second, third, fourth = (draw(st.sampled_from(ParamType).flatmap(_param)) for _ in range(4))
    params = [first, second, third, fourth]
    regions = []
    for index, param in enumerate(params):
        if isinstance(param, Memref) and not param.null and draw(st.booleans()):
            params[index] = Memref(param.type, capacity=draw(U32))
            regions.append(Region(index, draw(U64)))
    in_file = {region.index for region in regions}
    inline = sum(
        param.capacity
        for index, param in enumerate(params)
        if isinstance(param, Memref) and param.type is not ParamType.MEMREF_INPUT and index not in in_file
    )
    first, second, third, fourth = params
    return Parameters((first, second, third, fourth), tuple(regions), inline)


REQUESTS: st.SearchStrategy[Request] = st.one_of(
    st.builds(Hello, features=U32, secret=st.binary(min_size=16, max_size=16)),
    st.builds(OpenSession, st.uuids(), U32, U32, U32, operations()),
    st.builds(Invoke, U32, U32, U32, operations()),
    st.builds(Cancel, U32, U32),
    st.builds(CloseSession, U32),
)
