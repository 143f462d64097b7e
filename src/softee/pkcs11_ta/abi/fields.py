# SPDX-License-Identifier: Apache-2.0
"""How the fields of a request travel, and the decoder and encoder that are made of them.

A request is a NamedTuple whose fields are annotated with how they travel. Both are made once, at import: any bytes
either decode completely or raise WireError; leftovers are refused. What is encoded decodes to itself.
"""

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, TypeVar, get_args, get_type_hints

from softee.pkcs11_ta.abi.template import Template, read_template, write_template
from softee.wire.codec import Reader, WireError, Writer

R = TypeVar("R")
Decoder = Callable[[bytes | bytearray], R]
Encoder = Callable[[R], bytes]


@dataclass(frozen=True, slots=True)
class Field:
    """How one field travels: its layout for the protocol's page, its reader and its writer.

    ``read`` gets the reader and the size that an earlier field says, where ``size_in`` names one (else 0).
    """

    layout: str
    read: Callable[[Reader, int], object]
    write: Callable[[Writer, Any], object]
    size_in: str | None = None


def pin(size_in: str) -> Field:
    """Return the field of a PIN, whose size stands in the field ``size_in``: a bytearray that its handler wipes."""
    return Field("PIN bytes", lambda reader, size: bytearray(reader.view(size)), Writer.raw, size_in)


U32 = Field("u32", lambda reader, _: reader.u32(), Writer.u32)
BLOB = Field("u32 size, bytes", lambda reader, _: reader.take(reader.u32()), Writer.blob)
LABEL = Field("32 bytes", lambda reader, _: reader.take(32), Writer.raw)
TEMPLATE = Field("u32 attrs_size, u32 attrs_count, attributes", lambda reader, _: read_template(reader), write_template)

UInt = Annotated[int, U32]
Blob = Annotated[bytes, BLOB]
TemplateField = Annotated[Template, TEMPLATE]


def fields(request: type[Any]) -> tuple[tuple[str, Field], ...]:
    """Return a request's fields with how each travels, in order."""
    hints = get_type_hints(request, include_extras=True)
    return tuple((name, get_args(hint)[1]) for name, hint in hints.items())


def encoder(request: type[R]) -> Encoder[R]:
    """Make a request's encoder. A size that another field names is that field's, whatever the request says."""
    layout = fields(request)
    names = [name for name, _ in layout]
    sized = {field.size_in: at for at, (_, field) in enumerate(layout) if field.size_in}
    plan = [(field.write, sized.get(name)) for name, field in layout]

    def encode(value: R) -> bytes:
        values: Sequence[Any] = tuple(getattr(value, name) for name in names)
        writer = Writer()
        for one, (write, size_of) in zip(values, plan, strict=True):
            write(writer, one if size_of is None else len(values[size_of]))
        return writer.done()

    return encode


def decoder(request: type[R]) -> Decoder[R]:
    """Make a request's decoder. The integers that it begins with are unpacked in one go, C_*Init's requests whole."""
    layout = fields(request)
    codes = [field for _, field in layout]
    count = next((i for i, field in enumerate(codes) if field is not U32), len(codes))
    head, with_size = struct.Struct(f"<{count}I"), struct.Struct(f"<{count + 1}I")
    names = [name for name, _ in layout]
    tail = [(field.read, None if field.size_in is None else names.index(field.size_in)) for field in codes[count:]]
    new: Any = tuple.__new__  # what a NamedTuple's own does last, after steps in Python
    make: Callable[[Sequence[Any]], R] = partial(new, request)

    def decode_head(data: bytes | bytearray) -> R:
        if len(data) != head.size:
            raise WireError(f"{head.size} bytes wanted, {len(data)} given")
        return make(head.unpack(data))

    def decode_head_and_blob(data: bytes | bytearray) -> R:
        if len(data) < with_size.size:
            raise WireError(f"{with_size.size} bytes wanted at least, {len(data)} given")
        *values, size = with_size.unpack_from(data)
        if len(data) != with_size.size + size:
            raise WireError(f"{with_size.size + size} bytes wanted, {len(data)} given")
        return make((*values, bytes(data[with_size.size :])))

    def decode_all(data: bytes | bytearray) -> R:
        if len(data) < head.size:
            raise WireError(f"{head.size} bytes wanted at least, {len(data)} given")
        reader = Reader(memoryview(data)[head.size :])
        values: list[Any] = list(head.unpack_from(data))
        for read, size_at in tail:
            values.append(read(reader, 0 if size_at is None else values[size_at]))
        reader.finish()
        return make(values)

    if not tail:
        return decode_head
    return decode_head_and_blob if codes[count:] == [BLOB] else decode_all
