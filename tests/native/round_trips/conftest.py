# SPDX-License-Identifier: Apache-2.0
"""A secure world that shows its changes, with two clients, and one that hides them."""

from collections.abc import Iterator

import pytest

from native.round_trips.worlds import World, world
from softee.pkcs11_ta.token.profiles import PORTABLE


@pytest.fixture
def shown() -> Iterator[World]:
    with world(PORTABLE, [0, 1], shown=True) as one:
        yield one


@pytest.fixture
def hidden() -> Iterator[World]:
    with world(PORTABLE, [2, 3], shown=False) as one:
        yield one
