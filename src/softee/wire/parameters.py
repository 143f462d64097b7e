# SPDX-License-Identifier: Apache-2.0
"""The four parameters of a request and of its reply, as they travel (docs/wire-protocol.md, "Parameters").

A buffer is in the frame (inline), in the memory file that travels with it, or NULL. Where it is in the memory file only
its place is known here; whoever does the I/O fetches and stores the bytes.
"""

import struct
from dataclasses import dataclass, field
from enum import IntEnum
from functools import lru_cache

from softee.names import ParamType
from softee.wire.codec import Reader, WireError, Writer
from softee.wire.values import NO_PARAMS, Memref, Param, Params, Value

_U32 = struct.Struct("<I")
_VALUE = struct.Struct("<II")
_MEMREF = struct.Struct("<BI")
_OFFSET = struct.Struct("<Q")
_SHIFTS = (0, 4, 8, 12)

# Enum members are looked up once, here: every frame passes through this module.
_VALUE_INPUT, _VALUE_OUTPUT, _VALUE_INOUT = ParamType.VALUE_INPUT, ParamType.VALUE_OUTPUT, ParamType.VALUE_INOUT
_MEMREF_INPUT, _MEMREF_OUTPUT, _MEMREF_INOUT = ParamType.MEMREF_INPUT, ParamType.MEMREF_OUTPUT, ParamType.MEMREF_INOUT


class Where(IntEnum):
    """Where a buffer's bytes are."""

    INLINE = 0
    IN_MEMORY_FILE = 1
    NULL_BUFFER = 2


_INLINE, _MEMORY_FILE, _NULL = Where.INLINE.value, Where.IN_MEMORY_FILE.value, Where.NULL_BUFFER.value

MAX_MEMORY_FILE = 2 * ((64 << 20) + (64 << 10))
"""The largest memory file, in bytes: it holds 64 MiB to encrypt, and as many encrypted, with what is added to them."""


@dataclass(frozen=True, slots=True)
class Region:
    """A buffer in the memory file: of which parameter (0 to 3), and where it begins. Its size is the parameter's."""

    index: int
    offset: int


@dataclass(slots=True)
class Parameters:
    """The parameters of a request, and where the reply's answers go. Not to be changed.

    ``regions`` are the buffers in the memory file; their ``data`` is empty until someone has read the file.
    ``inline_output`` is how many bytes the reply must have room for: the sizes of the inline outputs together.
    ``types`` are the paramTypes that came with a request, 0 where none came.
    """

    params: Params = NO_PARAMS
    regions: tuple[Region, ...] = ()
    inline_output: int = 0
    types: int = field(default=0, compare=False)


NO_PARAMETERS = Parameters()


def reads(param: Param) -> bool:
    """Tell whether the trusted application reads a buffer."""
    return isinstance(param, Memref) and param.type is not _MEMREF_OUTPUT


def writes(param: Param) -> bool:
    """Tell whether the trusted application writes a buffer."""
    return isinstance(param, Memref) and param.type is not _MEMREF_INPUT


def decode_parameters(data: memoryview, offset: int = 0) -> Parameters:
    """Decode a request's parameters, which begin at ``offset`` and go to the end of ``data``.

    Raises:
        WireError: an unknown type or place, bytes missing or left over, a NULL buffer with a size.

    """
    params: list[Param] = [None, None, None, None]
    regions: tuple[Region, ...] = ()
    inline_output = 0
    try:
        types: int = _U32.unpack_from(data, offset)[0]
        offset += 4
        for index, param_type, is_buffer, sent, answered in _plan(types):
            if not is_buffer:
                params[index] = Value(param_type, *_VALUE.unpack_from(data, offset)) if sent else Value(param_type)
                offset += 8 * sent
                continue
            where, size = _MEMREF.unpack_from(data, offset)
            offset += 5
            if where == _INLINE:
                params[index] = Memref(param_type, _take(data, offset, size) if sent else bytearray(), size)
                offset += size * sent
                inline_output += size * answered
            elif where == _MEMORY_FILE:
                regions += (Region(index, _OFFSET.unpack_from(data, offset)[0]),)
                params[index] = Memref(param_type, capacity=size)
                offset += 8
            else:
                params[index] = _null(param_type, where, size)
    except struct.error:
        raise WireError(f"parameters end after {len(data)} bytes, in the middle of one") from None
    if offset != len(data):
        raise WireError(f"{len(data) - offset} bytes left over after the parameters")
    first, second, third, fourth = params
    return Parameters((first, second, third, fourth), regions, inline_output, types)


def _take(data: memoryview, offset: int, size: int) -> bytearray:
    """Copy ``size`` bytes into a bytearray, which a trusted application can wipe: it may be a PIN."""
    if offset + size > len(data):
        raise WireError(f"a buffer of {size} bytes was announced, {len(data) - offset} are there")
    return bytearray(data[offset : offset + size])


def _null(param_type: ParamType, where: int, size: int) -> Memref:
    if where != _NULL:
        raise WireError(f"a buffer is nowhere: {where}")
    if size:
        raise WireError(f"a NULL buffer has a size of {size} bytes")
    return Memref(param_type, null=True)


_BUFFERS = frozenset({_MEMREF_INPUT, _MEMREF_OUTPUT, _MEMREF_INOUT})
_SENT = frozenset({_VALUE_INPUT, _VALUE_INOUT, _MEMREF_INPUT, _MEMREF_INOUT})
_NOT_ANSWERED = frozenset({_VALUE_INPUT, _MEMREF_INPUT})


@lru_cache(maxsize=64)
def _plan(types: int) -> tuple[tuple[int, ParamType, bool, int, int], ...]:
    """Return which parameters there are, and of each: its type, whether it is a buffer, 1 if sent, 1 if answered.

    There are few such combinations in practice.
    """
    there = [(index, one) for index, one in enumerate(split_types(types)) if one is not ParamType.NONE]
    return tuple((at, one, one in _BUFFERS, int(one in _SENT), int(one not in _NOT_ANSWERED)) for at, one in there)


def split_types(types: int) -> tuple[ParamType, ...]:
    """Split GlobalPlatform's paramTypes. Raises WireError for a type that does not exist."""
    if types >> 16:
        raise WireError(f"parameter types {types:#x} have more than four parameters")
    try:
        return tuple(ParamType(types >> shift & 0xF) for shift in _SHIFTS)
    except ValueError:
        raise WireError(f"parameter types {types:#x} have a type that does not exist") from None


def join_types(params: Params) -> int:
    """Return GlobalPlatform's paramTypes of ``params``."""
    types = 0
    for shift, param in zip(_SHIFTS, params, strict=True):
        if param is not None:
            types |= param.type << shift
    return types


def encode_parameters(parameters: Parameters) -> bytes:
    """Encode a request's parameters."""
    offsets = {region.index: region.offset for region in parameters.regions}
    writer = Writer().u32(join_types(parameters.params))
    for index, param in enumerate(parameters.params):
        if isinstance(param, Value) and param.type is not _VALUE_OUTPUT:
            writer.u32(param.a).u32(param.b)
        elif isinstance(param, Memref) and index in offsets:
            writer.u8(Where.IN_MEMORY_FILE).u32(param.capacity).u64(offsets[index])
        elif isinstance(param, Memref) and param.null:
            writer.u8(Where.NULL_BUFFER).u32(0)
        elif isinstance(param, Memref):
            size = len(param.data) if reads(param) else param.capacity
            writer.u8(Where.INLINE).u32(size).raw(param.data if reads(param) else b"")
    return writer.done()


def encode_answers(parameters: Parameters) -> bytes:
    """Encode the parameters of the reply to ``parameters``, which the trusted application has filled in.

    Of an output in the memory file only the size travels: whoever has put it there has left ``out`` empty.
    """
    data = _U32.pack(parameters.types or join_types(parameters.params))
    for param in parameters.params:
        if param is None or param.type in _NOT_ANSWERED:
            continue
        if isinstance(param, Memref):
            data += _U32.pack(param.size or 0) + param.out
        else:
            data += _VALUE.pack(param.a, param.b)
    return data  # adding is quicker than joining a list, for the few that most replies have


def decode_answers(data: memoryview, parameters: Parameters) -> None:
    """Fill the reply's answers into the parameters of the request, ``parameters``.

    Raises:
        WireError: other types than the request's, bytes missing or left over.

    """
    reader = Reader(data)
    types, expected = reader.u32(), join_types(parameters.params)
    if types != expected:
        raise WireError(f"the reply's parameter types are {types:#x}, the request's {expected:#x}")
    in_file = {region.index for region in parameters.regions}
    for index, param in enumerate(parameters.params):
        if isinstance(param, Value) and param.type is not _VALUE_INPUT:
            param.a, param.b = reader.u32(), reader.u32()
        elif isinstance(param, Memref) and writes(param):
            param.size = reader.u32()
            inline = index not in in_file and param.size <= param.capacity
            param.out = reader.take(param.size) if inline else b""
    reader.finish()
