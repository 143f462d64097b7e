# SPDX-License-Identifier: Apache-2.0
"""Settings that hold for all tests."""

from hypothesis import HealthCheck, settings

settings.register_profile("default", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("fuzz", settings.get_profile("default"), max_examples=20_000)  # make fuzz
settings.load_profile("default")
