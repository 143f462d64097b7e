# SPDX-License-Identifier: Apache-2.0
"""How an object is written into its sealed record: a version, then its attributes as a template.

The seal vouches for the record; this decoder still takes nothing for granted, so that a wrong record is an error and
never a strange object.
"""

from typing import Final

from softee.names import CKA
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.objects.attributes import CODECS, SECRET
from softee.pkcs11_ta.objects.rules import kind_of
from softee.pkcs11_ta.objects.secret_bytes import SecretBytes
from softee.pkcs11_ta.objects.values import Attributes, AttributeValue
from softee.wire.codec import Reader, WireError, Writer

VERSION: Final = 1


class BadObjectError(Exception):
    """A record does not hold an object of this application. The text holds none of its bytes."""


def encode_object(attributes: Attributes) -> bytearray:
    """Return an object's record: u32 version, u32 count, then u32 type, u32 size, data of each. Wipe it after use."""
    record = bytearray(Writer().u32(VERSION).u32(len(attributes)).done())
    for kind in sorted(attributes):
        value = CODECS[kind].encode(attributes[kind])
        record += Writer().u32(kind).u32(len(value)).done()
        record += value
    return record


def decode_object(record: bytes | bytearray) -> dict[int, AttributeValue]:
    """Return the attributes in a record. Raises BadObjectError."""
    reader = Reader(record)
    try:
        version = reader.u32()
        if version != VERSION:
            raise BadObjectError(f"object format {version} is not known")
        attributes: dict[int, AttributeValue] = {}
        last = -1
        for _ in range(reader.u32()):
            kind, size = reader.u32(), reader.u32()
            if kind <= last:
                raise BadObjectError("attributes out of order")
            last = kind
            codec = CODECS[kind]
            # A private value goes from the plaintext, which the caller wipes, straight into bytes that are wiped.
            attributes[kind] = SecretBytes(reader.view(size)) if codec is SECRET else codec.decode(reader.take(size))
        reader.finish()
    except (WireError, KeyError, ValueError) as error:
        raise BadObjectError(f"not an object: {type(error).__name__}") from None
    _check_shape(attributes)
    return attributes


def _check_shape(attributes: dict[int, AttributeValue]) -> None:
    try:
        kind = kind_of(attributes)
    except Pkcs11Error:
        raise BadObjectError("an object of no known kind") from None
    if not attributes.keys() <= kind.uses.keys() or not {CKA.TOKEN, CKA.PRIVATE} <= attributes.keys():
        raise BadObjectError(f"attributes that a {kind.name} does not have, or lacks")
