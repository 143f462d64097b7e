# SPDX-License-Identifier: Apache-2.0
"""Any bytes are an operation's parameters, and any are the answers to them, or are refused with WireError.

What decodes, encodes to the same bytes. No buffer is larger than what came, no answer larger than the client's buffer.
"""

from fuzz.targets.data import Data
from softee.wire.codec import WireError
from softee.wire.parameters import (
    Parameters,
    decode_answers,
    decode_parameters,
    encode_answers,
    encode_parameters,
    join_types,
)
from softee.wire.values import Memref


def one_input(raw: bytes) -> None:
    """Decode the bytes before a border as a request's parameters, and those behind it as their answers."""
    data = Data(raw)
    request = data.take(data.number(2))
    try:
        parameters = decode_parameters(memoryview(request))
    except WireError:
        return
    assert encode_parameters(parameters) == request
    assert sum(len(one.data) for one in parameters.params if isinstance(one, Memref)) <= len(request)
    types = b"" if data.chance(8) else join_types(parameters.params).to_bytes(4, "little")
    answer(parameters, types + data.rest())


def answer(parameters: Parameters, reply: bytes) -> None:
    try:
        decode_answers(memoryview(reply), parameters)
    except WireError:
        return
    assert encode_answers(parameters) == reply
    assert all(len(one.out) <= one.capacity for one in parameters.params if isinstance(one, Memref))
