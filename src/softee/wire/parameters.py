# SPDX-License-Identifier: Apache-2.0
"""The four parameters of a request and of its reply, as they travel (docs/wire-protocol.md, "Parameters").

A buffer is in the frame (inline), in the memory file that travels with it, or NULL. Where it is in the memory file only
its place is known here; whoever does the I/O fetches and stores the bytes.
"""

import struct
from collections.abc import Callable, Mapping
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


@dataclass(frozen=True, slots=True)
class Parameters:
    """The parameters of a request, and where the reply's answers go.

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
    return _RequestDecoder(data, offset).decode()


class _RequestDecoder:
    """Walks over a request's parameters, by an offset instead of slices, to be quick."""

    __slots__ = ("_data", "_inline_output", "_offset", "_regions")

    def __init__(self, data: memoryview, offset: int) -> None:
        self._data = data
        self._offset = offset
        self._regions: tuple[Region, ...] = ()
        self._inline_output = 0

    def decode(self) -> Parameters:
        params: list[Param] = [None, None, None, None]
        try:
            types: int = _U32.unpack_from(self._data, self._offset)[0]
            plan = _plan(types)
            self._offset += 4
            for index, param_type, decode in plan:
                params[index] = decode(self, index, param_type)
        except struct.error:
            raise WireError(f"parameters end after {len(self._data)} bytes, in the middle of one") from None
        if self._offset != len(self._data):
            raise WireError(f"{len(self._data) - self._offset} bytes left over after the parameters")
        first, second, third, fourth = params
        return Parameters((first, second, third, fourth), self._regions, self._inline_output, types)

    def no_value(self, _index: int, param_type: ParamType) -> Value:
        return Value(param_type)

    def value(self, _index: int, param_type: ParamType) -> Value:
        a, b = _VALUE.unpack_from(self._data, self._offset)
        self._offset += 8
        return Value(param_type, a, b)

    def memref(self, index: int, param_type: ParamType) -> Memref:
        where, size = _MEMREF.unpack_from(self._data, self._offset)
        self._offset += 5
        if where == _INLINE:
            if param_type is _MEMREF_INPUT:
                return Memref(param_type, self._take(size), size)
            self._inline_output += size
            return Memref(param_type, bytearray() if param_type is _MEMREF_OUTPUT else self._take(size), size)
        if where == _MEMORY_FILE:
            self._regions += (Region(index, _OFFSET.unpack_from(self._data, self._offset)[0]),)
            self._offset += 8
            return Memref(param_type, capacity=size)
        if where != _NULL:
            raise WireError(f"a buffer is nowhere: {where}")
        if size:
            raise WireError(f"a NULL buffer has a size of {size} bytes")
        return Memref(param_type, null=True)

    def _take(self, size: int) -> bytearray:
        """Copy ``size`` bytes into a bytearray, which a trusted application can wipe: it may be a PIN."""
        start = self._offset
        self._offset = end = start + size
        if end > len(self._data):
            raise WireError(f"a buffer of {size} bytes was announced, {len(self._data) - start} are there")
        return bytearray(self._data[start:end])


_Step = tuple[int, ParamType, Callable[[_RequestDecoder, int, ParamType], Param]]

_DECODERS: Mapping[ParamType, Callable[[_RequestDecoder, int, ParamType], Param]] = {
    _VALUE_INPUT: _RequestDecoder.value,
    _VALUE_OUTPUT: _RequestDecoder.no_value,
    _VALUE_INOUT: _RequestDecoder.value,
    _MEMREF_INPUT: _RequestDecoder.memref,
    _MEMREF_OUTPUT: _RequestDecoder.memref,
    _MEMREF_INOUT: _RequestDecoder.memref,
}


@lru_cache(maxsize=64)
def _plan(types: int) -> tuple[_Step, ...]:
    """Return the steps that decode parameters of ``types``. There are few such combinations in practice."""
    split = enumerate(split_types(types))
    return tuple((index, one, _DECODERS[one]) for index, one in split if one is not ParamType.NONE)


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
    """Encode the parameters of the reply to ``parameters``, which the trusted application has filled in."""
    parts: list[bytes | bytearray] = [_U32.pack(parameters.types or join_types(parameters.params))]
    in_file = [region.index for region in parameters.regions] if parameters.regions else ()
    for index, param in enumerate(parameters.params):
        if param is None or param.type is _MEMREF_INPUT or param.type is _VALUE_INPUT:
            continue
        if isinstance(param, Value):
            parts.append(_VALUE.pack(param.a, param.b))
        else:
            parts.append(_U32.pack(param.size or 0))
            if index not in in_file:
                parts.append(param.out)
    return b"".join(parts)


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
