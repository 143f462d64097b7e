# SPDX-License-Identifier: Apache-2.0
"""Settings that hold for all tests."""

from hypothesis import HealthCheck, settings

settings.register_profile("default", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("default")
