# SPDX-License-Identifier: Apache-2.0
"""What a command of the PKCS#11 application is.

Parameter 0 is the control buffer (the request in, the 32-bit CKR out), parameter 1 is ``data``, parameter 2 is
``output``, parameter 3 is not used.
"""

from dataclasses import dataclass, field
from enum import Enum
from typing import Generic, TypeVar

from softee.names import CKR
from softee.pkcs11_ta.abi.fields import Decoder, Encoder, decoder, encoder, fields
from softee.wire.frames import MAX_LENGTH

R = TypeVar("R")

LARGEST_WITH_VALUE = (16 << 20) + MAX_LENGTH
"""Bytes of a request with a data object's value in it: 16 MiB, and what a frame holds for all the rest."""


class Data(Enum):
    """What a command takes in parameter 1."""

    NONE = "none"
    INPUT = "input bytes (absent: none)"


class Output(Enum):
    """What parameter 2 is."""

    NONE = "none"
    OUTPUT = "output"
    STREAM = "output bytes (absent: a buffer of no bytes)"
    INPUT = "second input bytes (absent: none)"


@dataclass(frozen=True, slots=True)
class Command(Generic[R]):
    """One command.

    ``output_size`` is what the output buffer must hold exactly, in bytes, where the reply has one size only.
    ``output_layout`` says what the output is made of, where that is not plain bytes.
    ``returns`` are the return values that the standard (or OP-TEE, where it differs) allows for the C_* function.
    ``quiet`` are those among them that clients provoke to learn something: they go to the log at debug level.
    ``largest_request``: bytes of a request that is decoded. Each byte of it costs Python time, so few have larger ones
    than a frame, and those have a rule for what in it may be large.
    ``in_session`` says that the request names a session; such commands run one at a time in it.
    """

    number: int
    name: str
    function: str
    request: type[R]
    returns: frozenset[CKR]
    quiet: frozenset[CKR] = field(default=frozenset(), kw_only=True)
    data: Data = field(default=Data.NONE, kw_only=True)
    output: Output = field(default=Output.NONE, kw_only=True)
    output_size: int | None = field(default=None, kw_only=True)
    output_layout: str = field(default="", kw_only=True)
    largest_request: int = field(default=MAX_LENGTH, kw_only=True)
    decode: Decoder[R] = field(init=False, repr=False, compare=False)
    encode: Encoder[R] = field(init=False, repr=False, compare=False)
    in_session: bool = field(init=False)
    takes_data: bool = field(init=False)
    takes_second: bool = field(init=False)
    writes: bool = field(init=False)

    def __post_init__(self) -> None:
        """Work out once what every call needs."""
        object.__setattr__(self, "decode", decoder(self.request))
        object.__setattr__(self, "encode", encoder(self.request))
        object.__setattr__(self, "in_session", fields(self.request)[0][0] == "session")
        object.__setattr__(self, "takes_data", self.data is Data.INPUT)
        object.__setattr__(self, "takes_second", self.output is Output.INPUT)
        object.__setattr__(self, "writes", self.output in (Output.OUTPUT, Output.STREAM))
