# SPDX-License-Identifier: Apache-2.0
"""Attribute templates as they travel: a u32 size, a u32 count, then each attribute as u32 type, u32 size, data.

Decoding is bounded by the bytes that are there, whatever sizes and counts they claim, and refuses what is left over.
Values stay bytes here; ``attributes/codecs.py`` says what they mean.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from softee.names import UNAVAILABLE_INFORMATION
from softee.wire.codec import Reader, WireError, Writer

MOST_ATTRIBUTES: Final = 512
"""Of a template: several times as many as there are, so that a search or a new object costs no more than a moment."""

Template = tuple[tuple[int, bytes], ...]
"""Attributes as they travel: (type, value), in the client's order, duplicates kept."""


def read_template(reader: Reader) -> Template:
    """Read ``{u32 attrs_size, u32 attrs_count, attrs…}``, each attribute ``{u32 id, u32 size, data}``."""
    size = reader.u32()
    count = reader.u32()
    attributes = reader.sub(size)
    if count > min(size // 8, MOST_ATTRIBUTES):
        raise WireError(f"{count} attributes in {size} bytes; a template has up to {MOST_ATTRIBUTES}")
    template = tuple((attributes.u32(), attributes.take(attributes.u32())) for _ in range(count))
    attributes.finish()
    return template


def write_template(writer: Writer, template: Template) -> None:
    """Write what ``read_template`` reads."""
    body = Writer()
    for attribute, value in template:
        body.u32(attribute).blob(value)
    attributes = body.done()
    writer.u32(len(attributes)).u32(len(template)).raw(attributes)


def decode_template(data: bytes) -> Template:
    """Decode a template that fills ``data``. Raises WireError."""
    reader = Reader(data)
    template = read_template(reader)
    reader.finish()
    return template


def encode_template(template: Template) -> bytes:
    """Return the bytes that :func:`decode_template` takes."""
    writer = Writer()
    write_template(writer, template)
    return writer.done()


@dataclass(frozen=True, slots=True)
class ValueSlot:
    """One attribute of a C_GetAttributeValue reply.

    ``space`` is what the caller's buffer held: its size is the room for the value. ``value`` is None where there is
    nothing to tell: the attribute cannot be revealed, or the object has no such attribute.
    """

    type: int
    space: bytes
    value: bytes | bytearray | None

    @property
    def too_small(self) -> bool:
        """The caller gave a buffer, and the value does not fit."""
        return self.value is not None and 0 < len(self.space) < len(self.value)


def encode_slots(slots: Iterable[ValueSlot]) -> bytes:
    """Return a C_GetAttributeValue reply: as long as the request's template, each value in the space left for it.

    An attribute's size is the value's true size, also where it was not copied, or CK_UNAVAILABLE_INFORMATION.
    """
    body = Writer()
    count = 0
    for slot in slots:
        count += 1
        value, space = slot.value, slot.space
        body.u32(slot.type).u32(UNAVAILABLE_INFORMATION if value is None else len(value))
        if value is None or slot.too_small or not space:
            body.raw(space)
        else:
            body.raw(value).raw(space[len(value) :])
    attributes = body.done()
    return Writer().u32(len(attributes)).u32(count).raw(attributes).done()
