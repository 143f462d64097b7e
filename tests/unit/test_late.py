# SPDX-License-Identifier: Apache-2.0
"""Modules of libraries that load late: not before they are used, and then as if they had been imported."""

import colorsys
import subprocess
import sys

from softee.tee.late import LateModule

_PRINT_LOADED = """
import sys
import softee.daemon.main
print(*(name for name in sys.modules if name.partition('.')[0] in {'Crypto', 'cffi', 'pycparser'}))
"""


def test_a_secure_world_starts_without_the_library_that_few_tokens_need() -> None:
    ran = subprocess.run([sys.executable, "-c", _PRINT_LOADED], capture_output=True, text=True, check=True, timeout=60)
    assert ran.stdout.split() == []


def test_what_is_asked_for_is_the_module_s_own() -> None:
    assert LateModule("colorsys").rgb_to_hsv is colorsys.rgb_to_hsv
