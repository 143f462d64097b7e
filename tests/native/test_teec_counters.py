# SPDX-License-Identifier: Apache-2.0
"""The change counters that a secure world passes: libteec maps them to be read, and only where nobody can take them."""

import ctypes
import fcntl
import gc
import mmap
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from ctypes import POINTER, c_size_t, c_uint32, c_uint64
from pathlib import Path

import pytest

from native.peer import Channel, Peer
from support.channel_attack import open_descriptors

BOTH = 3
"""The features: memory files and change counters."""
COUNTERS = (7, 2**64 - 1, 3)


class _Context(ctypes.Structure):
    _fields_ = (("private", ctypes.c_int * 2),)


@contextmanager
def page(seals: int = fcntl.F_SEAL_SHRINK, size: int = 4096) -> Iterator[int]:
    descriptor = os.memfd_create("page", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.write(descriptor, struct.pack("<3Q", *COUNTERS)[:size].ljust(size, b"\0"))
    fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, seals)
    yield descriptor
    os.close(descriptor)


class Teec:
    """libteec in this process, with a context."""

    def __init__(self, build: Path, socket: Path) -> None:
        self.library = ctypes.CDLL(str(build / "native" / "teec" / "libteec.so.2"))
        self.library.softee_change_counters.restype = POINTER(c_uint64)
        self.library.TEEC_InitializeContext.restype = c_uint32
        self.context = _Context()
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("SOFTEE_SOCKET", str(socket))
            assert self.library.TEEC_InitializeContext(None, ctypes.byref(self.context)) == 0

    def counters(self) -> list[int] | None:
        count = c_size_t(1)
        values = self.library.softee_change_counters(ctypes.byref(self.context), ctypes.byref(count))
        return values[: count.value] if values else None

    def close(self) -> None:
        self.library.TEEC_FinalizeContext(ctypes.byref(self.context))


@contextmanager
def connected(build: Path, socket: Path, *files: int, features: int = BOTH) -> Iterator[Teec]:
    def script(channel: Channel) -> None:
        channel.greet(features=features, files=files)
        channel.receive()

    with Peer(socket, script):
        teec = Teec(build, socket)
        yield teec
        teec.close()


def test_they_are_those_of_the_secure_world(native_release_build: Path, tmp_path: Path) -> None:
    with page() as descriptor, connected(native_release_build, tmp_path / "tee.sock", descriptor) as teec:
        counters = teec.counters()
        assert counters is not None
        assert (counters[:3], len(counters)) == ([*COUNTERS], 512)
        with mmap.mmap(descriptor, 4096) as mapping:
            mapping[:8] = struct.pack("<Q", 8)
        assert (teec.counters() or [])[:1] == [8]
        teec.close()
        assert teec.counters() is None


def test_a_page_that_could_be_taken_away_is_not_mapped(native_release_build: Path, tmp_path: Path) -> None:
    with page(0) as descriptor, connected(native_release_build, tmp_path / "tee.sock", descriptor) as teec:
        assert teec.counters() is None


@pytest.mark.parametrize("size", [0, 7, (1 << 20) + 8])
def test_a_page_of_a_size_that_makes_no_sense_is_not_mapped(
    native_release_build: Path, tmp_path: Path, size: int
) -> None:
    with page(size=size) as descriptor, connected(native_release_build, tmp_path / "tee.sock", descriptor) as teec:
        assert teec.counters() is None


def test_a_secure_world_without_them_is_as_good(native_release_build: Path, tmp_path: Path) -> None:
    with connected(native_release_build, tmp_path / "tee.sock", features=1) as teec:
        assert teec.counters() is None


def test_one_that_promises_them_and_passes_none_has_none(native_release_build: Path, tmp_path: Path) -> None:
    with connected(native_release_build, tmp_path / "tee.sock") as teec:
        assert teec.counters() is None


def test_no_descriptor_stays_open_whatever_comes(native_release_build: Path, tmp_path: Path) -> None:
    gc.collect()  # what an earlier test has left is closed now, not meanwhile
    before = open_descriptors()
    for number, features in enumerate((1, BOTH)):
        with (
            page() as one,
            page(0) as other,
            connected(native_release_build, tmp_path / f"tee-{number}.sock", one, other, features=features),
        ):
            pass
    assert open_descriptors() == before


def test_a_child_has_none_of_it(native_release_build: Path, tmp_path: Path) -> None:
    with page() as descriptor, connected(native_release_build, tmp_path / "tee.sock", descriptor) as teec:
        child = os.fork()
        if child == 0:
            os._exit(0 if teec.counters() is None else 1)
        assert os.waitpid(child, 0)[1] == 0
        assert teec.counters() is not None
