# SPDX-License-Identifier: Apache-2.0
"""Object commands as tests call them, and a logged-in session to call them in."""

import struct
from typing import Any

from softee.names import CKA, CKM, CKR, UNAVAILABLE_INFORMATION
from softee.pkcs11_ta.abi.template import Template
from softee.pkcs11_ta.attributes.values import AttributeValue
from support.commands import c
from support.samples import as_template, sample
from support.token_world import Attribute, Caller, make_application, template

FIRST_SESSION_OBJECT = 0x80000000
Values = tuple[Attribute, ...]


def fresh_caller(**settings: Any) -> tuple[Caller, int]:  # noqa: ANN401 - passed on
    """Return a client of an application of its own, and a read-write session in which the user is logged in."""
    caller = Caller(make_application(**settings))
    return caller, caller.set_up()


def wire(kind: str, **changes: AttributeValue) -> Template:
    return as_template(sample(kind, **changes))


def create(caller: Caller, session: int, kind: str = "data", **changes: AttributeValue) -> int:
    return caller.ok(c.CREATE_OBJECT, session, wire(kind, **changes)).handle


def get(caller: Caller, session: int, handle: int, attribute: int) -> bytes | CKR:
    """Return an attribute, or why it cannot be had."""
    answer = caller.call(c.GET_ATTRIBUTE_VALUE, session, handle, template((attribute, bytes(8192))))
    (size,) = struct.unpack_from("<I", answer.output, 12)
    assert (size == UNAVAILABLE_INFORMATION) is (answer.rv is not CKR.OK)
    return answer.output[16 : 16 + size] if answer.rv is CKR.OK else answer.rv


def generate(caller: Caller, session: int, *attributes: Attribute) -> int:
    wanted = template((CKA.VALUE_LEN, 16), *attributes)
    return caller.ok(c.GENERATE_KEY, session, CKM.AES_KEY_GEN, b"", wanted).handle


def pair(caller: Caller, session: int, mechanism: CKM, public: Values, private: Values = ()) -> tuple[int, int]:
    answer = caller.ok(c.GENERATE_KEY_PAIR, session, mechanism, b"", template(*public), template(*private))
    handles = struct.unpack("<2I", answer.output)
    return handles[0], handles[1]


def search(caller: Caller, session: int, wanted: Template, at_once: int = 64) -> list[int]:
    """Run a whole search, so many handles at a time."""
    caller.ok(c.FIND_OBJECTS_INIT, session, wanted)
    found: list[int] = []
    while part := caller.ok(c.FIND_OBJECTS, session, capacity=4 * at_once).output:
        found += struct.unpack(f"<{len(part) // 4}I", part)
    caller.ok(c.FIND_OBJECTS_FINAL, session)
    return found
