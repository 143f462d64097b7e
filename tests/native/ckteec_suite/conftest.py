# SPDX-License-Identifier: Apache-2.0
"""The library, loaded once in the process and initialized for each test."""

from collections.abc import Iterator

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
