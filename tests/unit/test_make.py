# SPDX-License-Identifier: Apache-2.0
"""The Makefile: what needs something from outside says so."""

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_a_board_has_to_be_named() -> None:
    environment = {name: value for name, value in os.environ.items() if name not in {"BOARD", "MAKEFLAGS", "TESTS"}}
    done = subprocess.run(["make", "board"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "make board BOARD=SCRIPT needs a script that boots a board" in done.stderr
