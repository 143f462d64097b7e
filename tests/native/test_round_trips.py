# SPDX-License-Identifier: Apache-2.0
"""The libraries over a real secure world that lets them ask less: how much less, and that applications cannot tell.

The suite (round_trips) has a process of its own for each file, as it is shipped and under the sanitizers.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = sorted((Path(__file__).parent / "round_trips").glob("calls_*.py"))


def run(file: Path, build: Path, **environment: str) -> None:
    command = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", file)
    variables = {**os.environ, "CKTEEC_SUITE_BUILD": str(build), "PYTHONPATH": str(ROOT / "src"), **environment}
    done = subprocess.run(command, capture_output=True, text=True, env=variables, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_suite(file: Path, native_release_build: Path) -> None:
    run(file, native_release_build)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_suite_under_the_sanitizers(file: Path, native_build: Path) -> None:
    runtime = subprocess.run(["gcc", "-print-file-name=libasan.so"], capture_output=True, text=True, check=True)
    run(
        file,
        native_build,
        LD_PRELOAD=runtime.stdout.strip(),
        ASAN_OPTIONS="detect_leaks=0",  # Python's own
        UBSAN_OPTIONS="halt_on_error=1:print_stacktrace=1",
        PYCRYPTODOME_DISABLE_DEEPBIND="1",  # which the sanitizers refuse
    )
