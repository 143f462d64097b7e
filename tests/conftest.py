# SPDX-License-Identifier: Apache-2.0
"""Settings that hold for all tests."""

import logging
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from support.leaks import pins_in
from support.secure_world import PINS

settings.register_profile("default", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("fuzz", settings.get_profile("default"), max_examples=20_000)  # make fuzz
settings.load_profile("default")


@pytest.fixture(autouse=True)
def _no_pin_is_logged(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Search what a test logs in this process for the tests' PINs; daemons' logs are searched when they have ended."""
    yield
    told = pins_in("\n".join(map(logging.Formatter().format, caplog.get_records("call"))), PINS)
    assert not told, f"a log tells {told}"
