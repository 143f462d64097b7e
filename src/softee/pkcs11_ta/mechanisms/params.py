# SPDX-License-Identifier: Apache-2.0
"""Mechanism parameters as they travel, read by their layouts (``names/mechanism_layouts.py``).

A mechanism gets the values of its layout's members, in order, and checks what they mean. Reading is bounded and refuses
leftovers: CKR_MECHANISM_PARAM_INVALID with the reason.
"""

from collections.abc import Callable, Iterator
from typing import Final

from softee.names import CKR
from softee.names.mechanism_layouts import BLOCK_SIZE, Form, Layout
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.wire.codec import Reader, WireError

Value = int | bytes | tuple[tuple["Value", ...], ...]
"""A member's value: a u32, bytes, or a list of structures' values."""

_READERS: Final[dict[Form, Callable[[Reader], int | bytes]]] = {
    Form.WHOLE: Reader.rest,
    Form.ULONG: Reader.u32,
    Form.FLAG: Reader.u32,
    Form.BLOCK: lambda reader: reader.take(BLOCK_SIZE),
    Form.COUNTED: lambda reader: reader.take(reader.u32()),
    Form.COUNTED_BITS: lambda reader: reader.take(reader.u32()),
    Form.COUNTED_EITHER: lambda reader: reader.take(reader.u32()),
    Form.COUNTED_BY: lambda reader: reader.take(reader.u32()),
    Form.CHOSEN: lambda reader: reader.take(reader.u32()),
    Form.POINTED: Reader.u32,
}


def read_values(layout: Layout, raw: bytes) -> tuple[Value, ...]:
    """Return the values of a layout's members. Raises CKR_MECHANISM_PARAM_INVALID."""
    reader = Reader(raw)
    try:
        values = tuple(_values(layout, reader))
        reader.finish()
    except WireError as error:
        raise invalid(f"parameter of {len(raw)} bytes: {error}") from error
    return values


def _values(layout: Layout, reader: Reader) -> Iterator[Value]:
    for member in layout.members:
        if member.form is Form.LIST and member.layout is not None:
            yield _list(member.layout, reader)
        elif member.layout is not None:
            yield from _values(member.layout, reader)
        else:
            yield _READERS[member.form](reader)


def _list(layout: Layout, reader: Reader) -> tuple[tuple[Value, ...], ...]:
    """Return a list's values. Each element takes bytes, so what was sent bounds how many there are."""
    return tuple(tuple(_values(layout, reader)) for _ in range(reader.u32()))


def invalid(detail: str) -> Pkcs11Error:
    """Return the error for a parameter that means nothing to its mechanism."""
    return Pkcs11Error(CKR.MECHANISM_PARAM_INVALID, detail)


def no_params() -> None:
    """Take no parameter."""


def initialization_vector_of(size: int) -> Callable[[bytes], bytes]:
    """Return what takes an initialization vector of ``size`` bytes."""

    def take(iv: bytes) -> bytes:
        if len(iv) != size:
            raise invalid(f"an initialization vector of {len(iv)} bytes, not {size}")
        return iv

    return take


initialization_vector = initialization_vector_of(BLOCK_SIZE)
"""Takes AES's."""
