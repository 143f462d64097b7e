# SPDX-License-Identifier: Apache-2.0
"""How an object is written into its sealed record: a version, then its attributes as a template.

The seal vouches for the record; this decoder still takes nothing for granted, so that a wrong record is an error and
never a strange object.
"""

from typing import Final

from softee.names import CKA
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.attributes.codecs import CODECS, SECRET
from softee.pkcs11_ta.attributes.secret_bytes import SecretBytes
from softee.pkcs11_ta.attributes.values import Attributes, AttributeValue
from softee.pkcs11_ta.objects.rules import kind_of
from softee.wire.codec import Reader, WireError, Writer

VERSION: Final = 1


class BadObjectError(Exception):
    """A record does not hold an object of this application. The text holds none of its bytes."""


def encode_object(attributes: Attributes) -> bytearray:
    """Return an object's record: u32 version, u32 count, then u32 type, u32 size, data of each. Wipe it after use."""
    record = bytearray(Writer().u32(VERSION).u32(len(attributes)).done())
    for attribute in sorted(attributes):
        value = CODECS[attribute].encode(attributes[attribute])
        record += Writer().u32(attribute).u32(len(value)).done()
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
            attribute, size = reader.u32(), reader.u32()
            if attribute <= last:
                raise BadObjectError("attributes out of order")
            last = attribute
            codec = CODECS[attribute]
            # A private value goes from the plaintext, which the caller wipes, straight into bytes that are wiped.
            value = SecretBytes(reader.view(size)) if codec is SECRET else codec.decode(reader.take(size))
            attributes[attribute] = value
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
