# SPDX-License-Identifier: Apache-2.0
"""The requests of the PKCS#11 application: what parameter 0 (control) holds for each command.

A request is a NamedTuple whose fields are annotated with how they travel. Its decoder is made once, at import: any
bytes either decode completely or raise WireError; leftovers are refused.
"""

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple, TypeVar, get_args, get_type_hints

from softee.wire.codec import Reader, WireError

Template = tuple[tuple[int, bytes], ...]
"""TemplateField as they travel: (type, value), in the client's order, duplicates kept."""

R = TypeVar("R")
Decoder = Callable[[bytes | bytearray], R]


@dataclass(frozen=True, slots=True)
class Field:
    """How one field travels: its layout for the protocol's page, and its reader.

    ``read`` gets the reader and the values of the fields before it.
    """

    layout: str
    read: Callable[[Reader, Sequence[Any]], object]


def read_template(reader: Reader) -> Template:
    """Read ``{u32 attrs_size, u32 attrs_count, attrs…}``, each attribute ``{u32 id, u32 size, data}``."""
    size = reader.u32()
    count = reader.u32()
    attributes = reader.sub(size)
    if count > size // 8:
        raise WireError(f"{count} attributes in {size} bytes")
    template = tuple((attributes.u32(), attributes.take(attributes.u32())) for _ in range(count))
    attributes.finish()
    return template


def _pin(size_at: int) -> Field:
    """Return the field of a PIN whose size stands in field ``size_at``: a bytearray that its handler wipes."""
    return Field("PIN bytes", lambda reader, values: bytearray(reader.view(values[size_at])))


U32 = Field("u32", lambda reader, _: reader.u32())
BLOB = Field("u32 size, bytes", lambda reader, _: reader.take(reader.u32()))
LABEL = Field("32 bytes", lambda reader, _: reader.take(32))
TEMPLATE = Field("u32 attrs_size, u32 attrs_count, attributes", lambda reader, _: read_template(reader))

UInt = Annotated[int, U32]
Blob = Annotated[bytes, BLOB]
TemplateField = Annotated[Template, TEMPLATE]


class Nothing(NamedTuple):
    """PING and SLOT_LIST: a value that says nothing."""

    unused: UInt


class OnSlot(NamedTuple):
    """A slot."""

    slot: UInt


class OnMechanism(NamedTuple):
    """A mechanism of a slot."""

    slot: UInt
    mechanism: UInt


class OpenPkcs11Session(NamedTuple):
    """C_OpenSession: ``flags`` are CKF_RW_SESSION and CKF_SERIAL_SESSION."""

    slot: UInt
    flags: UInt


class InSession(NamedTuple):
    """A session."""

    session: UInt


class InitToken(NamedTuple):
    """C_InitToken: an empty PIN asks for login by TEE identity."""

    slot: UInt
    pin_size: UInt
    label: Annotated[bytes, LABEL]
    pin: Annotated[bytearray, _pin(1)]


class InitPin(NamedTuple):
    """C_InitPIN."""

    session: UInt
    pin_size: UInt
    pin: Annotated[bytearray, _pin(1)]


class SetPin(NamedTuple):
    """C_SetPIN."""

    session: UInt
    old_size: UInt
    new_size: UInt
    old_pin: Annotated[bytearray, _pin(1)]
    new_pin: Annotated[bytearray, _pin(2)]


class Login(NamedTuple):
    """C_Login: ``user`` is a CKU."""

    session: UInt
    user: UInt
    pin_size: UInt
    pin: Annotated[bytearray, _pin(2)]


class OnObject(NamedTuple):
    """An object."""

    session: UInt
    handle: UInt


class WithTemplate(NamedTuple):
    """C_CreateObject, C_FindObjectsInit."""

    session: UInt
    template: TemplateField


class OnObjectWithTemplate(NamedTuple):
    """C_GetAttributeValue, C_SetAttributeValue, C_CopyObject."""

    session: UInt
    handle: UInt
    template: TemplateField


class WithMechanism(NamedTuple):
    """C_DigestInit."""

    session: UInt
    mechanism: UInt
    parameter: Blob


class WithKey(NamedTuple):
    """C_EncryptInit, C_DecryptInit, C_SignInit, C_VerifyInit."""

    session: UInt
    handle: UInt
    mechanism: UInt
    parameter: Blob


class GenerateKey(NamedTuple):
    """C_GenerateKey."""

    session: UInt
    mechanism: UInt
    parameter: Blob
    template: TemplateField


class GenerateKeyPair(NamedTuple):
    """C_GenerateKeyPair."""

    session: UInt
    mechanism: UInt
    parameter: Blob
    public: TemplateField
    private: TemplateField


class FromKey(NamedTuple):
    """C_DeriveKey (``handle`` is the base key), C_UnwrapKey (the unwrapping key)."""

    session: UInt
    handle: UInt
    mechanism: UInt
    parameter: Blob
    template: TemplateField


class WrapKey(NamedTuple):
    """C_WrapKey: ``handle`` is the wrapping key, ``key`` the one to wrap."""

    session: UInt
    handle: UInt
    key: UInt
    mechanism: UInt
    parameter: Blob


class Release(NamedTuple):
    """RELEASE_ACTIVE_PROCESSING: ``command`` is one whose operation ends."""

    session: UInt
    command: UInt


def fields(request: type[Any]) -> tuple[tuple[str, Field], ...]:
    """Return a request's fields with how each travels, in order."""
    hints = get_type_hints(request, include_extras=True)
    return tuple((name, get_args(hint)[1]) for name, hint in hints.items())


def decoder(request: type[R]) -> Decoder[R]:
    """Make a request's decoder. The integers that it begins with are unpacked in one go, C_*Init's requests whole."""
    codes = [field for _, field in fields(request)]
    count = next((i for i, field in enumerate(codes) if field is not U32), len(codes))
    head, with_size = struct.Struct(f"<{count}I"), struct.Struct(f"<{count + 1}I")
    tail = codes[count:]
    make: Callable[..., R] = request

    def decode_head(data: bytes | bytearray) -> R:
        if len(data) != head.size:
            raise WireError(f"{head.size} bytes wanted, {len(data)} given")
        return make(*head.unpack(data))

    def decode_head_and_blob(data: bytes | bytearray) -> R:
        if len(data) < with_size.size:
            raise WireError(f"{with_size.size} bytes wanted at least, {len(data)} given")
        *values, size = with_size.unpack_from(data)
        if len(data) != with_size.size + size:
            raise WireError(f"{with_size.size + size} bytes wanted, {len(data)} given")
        return make(*values, bytes(data[with_size.size :]))

    def decode_all(data: bytes | bytearray) -> R:
        if len(data) < head.size:
            raise WireError(f"{head.size} bytes wanted at least, {len(data)} given")
        reader = Reader(memoryview(data)[head.size :])
        values: list[Any] = list(head.unpack_from(data))
        for field in tail:
            values.append(field.read(reader, values))
        reader.finish()
        return make(*values)

    if not tail:
        return decode_head
    return decode_head_and_blob if tail == [BLOB] else decode_all
