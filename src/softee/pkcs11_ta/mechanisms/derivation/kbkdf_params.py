# SPDX-License-Identifier: Apache-2.0
"""The parameters of NIST SP 800-108's modes (PKCS#11 3.2, section 6, SP800-108): which pieces a function is fed with.

What the iteration variable is differs: the counter's format in counter mode, a place for the last block or for the
pipeline's in the others, which may have a counter besides.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from softee.names import DkmLengthMethod, PrfDataType
from softee.pkcs11_ta.mechanisms.aes import cmac
from softee.pkcs11_ta.mechanisms.hashes import hmac
from softee.pkcs11_ta.mechanisms.params import invalid
from softee.pkcs11_ta.mechanisms.shapes.mac import Mac
from softee.wire.codec import Reader, WireError

_PRFS: Final[Mapping[int, Mac]] = {**hmac.MACS, **cmac.MACS}

_BITS: Final = 8
_MOST_COUNTER_BITS: Final = 32
_MOST_LENGTH_BITS: Final = 64


@dataclass(frozen=True, slots=True)
class Number:
    """How a number is written."""

    size: int
    little_endian: bool

    def encode(self, value: int) -> bytes:
        """Return ``value``, less what does not fit."""
        return (value % (1 << _BITS * self.size)).to_bytes(self.size, "little" if self.little_endian else "big")


@dataclass(frozen=True, slots=True)
class Iteration:
    """The place of what the mode itself makes."""


@dataclass(frozen=True, slots=True)
class Counter:
    """The place of the block's number."""

    number: Number

    @property
    def most(self) -> int:
        """How many blocks can be counted."""
        return (1 << _BITS * self.number.size) - 1


@dataclass(frozen=True, slots=True)
class DkmLength:
    """The place of the derived key's length, or of that of all blocks."""

    number: Number
    of_segments: bool

    def encode(self, size: int, block: int) -> bytes:
        """Return the length in bits of a key of ``size`` bytes that is made of blocks."""
        return self.number.encode(_BITS * (-(-size // block) * block if self.of_segments else size))


@dataclass(frozen=True, slots=True)
class OfKey:
    """The place of another key's value."""

    handle: int


Piece = Iteration | Counter | DkmLength | OfKey | bytes


@dataclass(frozen=True, slots=True)
class KbkdfParams:
    """CK_SP800_108_KDF_PARAMS, CK_SP800_108_FEEDBACK_KDF_PARAMS."""

    prf: Mac
    pieces: tuple[Piece, ...]
    initial: bytes = b""

    def keys(self) -> tuple[int, ...]:
        """Return the handles of the keys whose values are pieces."""
        return tuple(piece.handle for piece in self.pieces if isinstance(piece, OfKey))


def _width(bits: int, most: int) -> int:
    if bits % _BITS or not _BITS <= bits <= most:
        raise invalid(f"a number of {bits} bits; whole bytes, and no more than {most} bits, are allowed")
    return bits // _BITS


def _counter(reader: Reader) -> Counter:
    little_endian, bits = reader.u32(), reader.u32()
    return Counter(Number(_width(bits, _MOST_COUNTER_BITS), bool(little_endian)))


def _dkm_length(reader: Reader) -> DkmLength:
    method, little_endian, bits = reader.u32(), reader.u32(), reader.u32()
    if method not in set(DkmLengthMethod):
        raise invalid(f"dkmLengthMethod {method} is unknown")
    of_segments = method == DkmLengthMethod.SP800_108_DKM_LENGTH_SUM_OF_SEGMENTS
    return DkmLength(Number(_width(bits, _MOST_LENGTH_BITS), bool(little_endian)), of_segments)


Readers = Mapping[int, Callable[[Reader], Piece]]
Data = tuple[tuple[int, bytes], ...]

_IN_ANY_MODE: Final[Readers] = {
    PrfDataType.SP800_108_DKM_LENGTH: _dkm_length,
    PrfDataType.SP800_108_BYTE_ARRAY: Reader.rest,
    PrfDataType.SP800_108_KEY_HANDLE: lambda reader: OfKey(reader.u32()),
}
_IN_COUNTER_MODE: Final[Readers] = {**_IN_ANY_MODE, PrfDataType.SP800_108_ITERATION_VARIABLE: _counter}
_IN_OTHER_MODES: Final[Readers] = {
    **_IN_ANY_MODE,
    PrfDataType.SP800_108_ITERATION_VARIABLE: lambda _: Iteration(),
    PrfDataType.SP800_108_COUNTER: _counter,
}


def _pieces(data: Data, readers: Readers) -> Iterator[Piece]:
    for kind, value in data:
        if kind not in readers:
            raise invalid(f"data of type {kind} has no place in this mode")
        reader = Reader(value)
        try:
            yield readers[kind](reader)
            reader.finish()
        except WireError as error:
            raise invalid(f"data of type {kind}: {error}") from error


def _checked(prf: int, data: Data, further: int, readers: Readers, varying: type[Piece]) -> KbkdfParams:
    if prf not in _PRFS:
        raise invalid(f"prfType {prf:#x} is no HMAC and no AES-CMAC")
    if further:
        raise invalid(f"{further} further keys are wanted; one comes of a call")
    pieces = tuple(_pieces(data, readers))
    once = [sum(isinstance(piece, kind) for piece in pieces) for kind in (varying, Counter, DkmLength)]
    if once[0] != 1 or max(once) > 1:
        raise invalid("the iteration variable must stand there once, a counter and the length at most once")
    return KbkdfParams(_PRFS[prf], pieces)


def counter_mode(prf: int, data: Data, further: int) -> KbkdfParams:
    """Check the parameter of CKM_SP800_108_COUNTER_KDF."""
    return _checked(prf, data, further, _IN_COUNTER_MODE, Counter)


def feedback_mode(prf: int, data: Data, initial: bytes, further: int) -> KbkdfParams:
    """Check the parameter of CKM_SP800_108_FEEDBACK_KDF."""
    return replace(_checked(prf, data, further, _IN_OTHER_MODES, Iteration), initial=initial)


def double_pipeline_mode(prf: int, data: Data, further: int) -> KbkdfParams:
    """Check the parameter of CKM_SP800_108_DOUBLE_PIPELINE_KDF."""
    return _checked(prf, data, further, _IN_OTHER_MODES, Iteration)
