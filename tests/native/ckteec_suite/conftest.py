# SPDX-License-Identifier: Apache-2.0
"""The library, loaded once in the process and initialized for each test."""

import ctypes
from collections.abc import Iterator
from ctypes import POINTER, c_uint64

import pytest

from native.ckteec_suite.support import Answer, Library, load
from softee.names import CKR


@pytest.fixture(scope="session")
def loaded() -> Library:
    """The library as it is after loading."""
    return load()


@pytest.fixture
def library(loaded: Library) -> Iterator[Library]:
    """The library, initialized; the secure world says CKR_OK to everything."""
    loaded.answer(Answer())
    assert loaded.call("C_Initialize", None) == CKR.OK
    yield loaded
    loaded.call("C_Finalize", None)


@pytest.fixture
def counters(library: Library) -> Iterator[ctypes.Array[c_uint64]]:
    """The counters of the secure world that the library sees: one, at 5."""
    shown = (c_uint64 * 1)(5)
    library.call("C_Finalize", None)
    library.state.counters = ctypes.cast(shown, POINTER(c_uint64))
    library.state.counter_count = 1
    assert library.call("C_Initialize", None) == CKR.OK
    library.sent.clear()
    yield shown
    library.call("C_Finalize", None)
    library.state.counters = POINTER(c_uint64)()
