# SPDX-License-Identifier: Apache-2.0
"""Whatever parameter comes with a mechanism, it is read and checked, or refused with CKR_MECHANISM_PARAM_INVALID.

The length of a MAC, which is some mechanisms' whole parameter, is refused with CKR_SIGNATURE_LEN_RANGE, as by OP-TEE.
"""

from collections.abc import Callable

from fuzz.targets.data import Data
from softee.names import CKM, CKR
from softee.names.mechanism_layouts import BLOCK_SIZE, LAYOUTS, Form, Layout, Member, Use
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.mechanisms.functions import Messaging
from softee.pkcs11_ta.mechanisms.table import MECHANISMS

SPECS = tuple(MECHANISMS.values())
HASHES = tuple(int(mechanism) for mechanism in CKM if mechanism.name.startswith("SHA"))
"""What stands in many parameters."""


def one_input(raw: bytes) -> None:
    """Read bytes as the parameter of some mechanism, or of a message of it."""
    data = Data(raw)
    spec = data.choose(SPECS)
    use = Use.MESSAGE if data.chance(4) and (spec.mechanism, Use.MESSAGE) in LAYOUTS else Use.OPERATION
    has_messages = any(isinstance(group, Messaging) for group in spec.functions)
    read = spec.message if use is Use.MESSAGE and has_messages else spec.parameter
    layout = LAYOUTS[spec.mechanism, use] if read == spec.message else spec.layout
    parameter = data.rest() if data.chance(4) else parameter_of(layout, data)
    assert answer(read, parameter) in {CKR.OK, CKR.MECHANISM_PARAM_INVALID, CKR.SIGNATURE_LEN_RANGE}


def answer(read: Callable[[bytes], object], parameter: bytes) -> CKR:
    try:
        read(parameter)
    except Pkcs11Error as error:
        return error.rv
    return CKR.OK


def parameter_of(layout: Layout, data: Data) -> bytes:
    """Return a parameter of such a form, as it travels."""
    return b"".join(_member(member, data) for member in layout.members)


def _member(member: Member, data: Data) -> bytes:
    if member.form is Form.LIST and member.layout is not None:
        elements = [parameter_of(member.layout, data) for _ in range(data.below(5))]
        return u32(len(elements)) + b"".join(elements)
    if member.layout is not None:
        return parameter_of(member.layout, data)
    match member.form:
        case Form.WHOLE:
            return data.blob()
        case Form.BLOCK:
            return data.take(BLOCK_SIZE).ljust(BLOCK_SIZE, b"\0")
        case Form.ULONG | Form.FLAG | Form.POINTED:
            return u32(number(data))
        case _:
            counted = data.blob()
            return u32(len(counted)) + counted


def number(data: Data) -> int:
    """Return a number that may mean something to a mechanism."""
    which = data.number()
    if which < 128:
        return which
    return data.number(4) if which % 2 else data.choose(HASHES)


def u32(number: int) -> bytes:
    return number.to_bytes(4, "little")
