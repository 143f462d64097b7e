# SPDX-License-Identifier: Apache-2.0
"""Buffers in a client's memory file (docs/wire-protocol.md, "Large buffers").

The file is never mapped: its owner could shrink it under us or change it between check and use. Its seals say that its
size stays; inputs are read once into bytes of our own, outputs are written, each by one call at a checked place.
"""

import fcntl
import os
from collections.abc import Callable, Sized
from typing import ParamSpec

from softee.wire.codec import WireError
from softee.wire.messages import Invoke, OpenSession, Request
from softee.wire.parameters import MAX_MEMORY_FILE, Parameters, Region, reads, writes
from softee.wire.values import Memref

P = ParamSpec("P")

_SEALS = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW


def check_memory_file(descriptor: int | None, parameters: Parameters) -> None:
    """Check that a request came with a memory file if it needs one, and that all its buffers lie within.

    Raises:
        WireError: they do not.

    """
    if descriptor is None:
        if parameters.regions:
            raise WireError("a buffer is in a memory file, but no descriptor came with the frame")
        return
    if not parameters.regions:
        raise WireError("a descriptor came with a frame that needs none")
    size = _sealed_size(descriptor)
    taken = 0
    for region, buffer in _buffers(parameters):
        taken += buffer.capacity
        if region.offset + buffer.capacity > size or taken > size:
            raise WireError(f"the buffers reach beyond the memory file's {size} bytes")


def claimed(request: Request) -> int:
    """Return how many bytes a request that came with a memory file says that it is about; it is not checked yet."""
    if not isinstance(request, Invoke | OpenSession):
        return 0
    return min(_claimed(request.parameters), MAX_MEMORY_FILE)


def _claimed(parameters: Parameters) -> int:
    return sum(buffer.capacity for _, buffer in _buffers(parameters))


def is_small(parameters: Parameters, most: int) -> bool:
    """Say whether no more than so many bytes are in a memory file, and none of parameter 0.

    That is where applications are told what they shall do, and cannot say how long it takes before they have read it.
    """
    return all(region.index for region in parameters.regions) and _claimed(parameters) <= most


def read_inputs(descriptor: int, parameters: Parameters) -> None:
    """Read the inputs of checked parameters into them. Raises WireError."""
    for region, buffer in _buffers(parameters):
        if reads(buffer):
            buffer.data = bytearray(buffer.capacity)
            _all_of(buffer.data, os.preadv, descriptor, [buffer.data], region.offset)


def write_outputs(descriptor: int, parameters: Parameters) -> None:
    """Move the outputs of checked parameters to their memory file, so that the reply has none. Raises WireError."""
    for region, buffer in _buffers(parameters):
        if writes(buffer) and buffer.out:
            _all_of(buffer.out, os.pwrite, descriptor, buffer.out, region.offset)
            buffer.out = b""


def _all_of(data: Sized, transfer: Callable[P, int], *args: P.args, **kwargs: P.kwargs) -> None:
    """Read or write all of ``data``; a file that its owner has made unreadable or read-only is a bad frame."""
    try:
        done = transfer(*args, **kwargs)
    except OSError as error:
        raise WireError(f"the memory file cannot be used: {error.strerror}") from None
    if done != len(data):
        raise WireError(f"the memory file gave or took {done} bytes of {len(data)}")


def _buffers(parameters: Parameters) -> list[tuple[Region, Memref]]:
    """Return the buffers that are in the memory file, each with its place."""
    pairs = ((region, parameters.params[region.index]) for region in parameters.regions)
    return [(region, param) for region, param in pairs if isinstance(param, Memref)]


def _sealed_size(descriptor: int) -> int:
    """Return a memory file's size, after checking that it can no longer change."""
    try:
        seals = fcntl.fcntl(descriptor, fcntl.F_GET_SEALS)
    except OSError:
        raise WireError("the descriptor is not of a memory file") from None
    if seals & _SEALS != _SEALS:
        raise WireError("the memory file is not sealed against shrinking and growing")
    size = os.fstat(descriptor).st_size
    if size > MAX_MEMORY_FILE:
        raise WireError(f"the memory file has {size} bytes; {MAX_MEMORY_FILE} are allowed")
    return size
