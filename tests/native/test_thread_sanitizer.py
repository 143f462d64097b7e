# SPDX-License-Identifier: Apache-2.0
"""Threads in both libraries under ThreadSanitizer: what it reports ends the process with an error.

It takes a build of its own: SOFTEE_SOAK=1.
"""

import os
from pathlib import Path

import pytest

from native.conftest import build, run_suite_with
from native.test_ckteec import SUITE, run, run_suite

pytestmark = pytest.mark.skipif(not os.environ.get("SOFTEE_SOAK"), reason="takes a minute; SOFTEE_SOAK=1")

HERE = Path(__file__).parent
THREADS = {"test_teec_process.py": "", "test_teec_faults.py": "", "test_bench_caller.py": "threads_and_processes"}
"""Suites of tests in which threads call, and which of these (pytest's -k); the third calls through libckteec."""


@pytest.fixture(scope="session")
def threads_build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("threads"), "-Db_sanitize=thread", "-Dbuildtype=debugoptimized")


@pytest.mark.parametrize("suite", THREADS)
def test_threads_race_for_nothing(threads_build: Path, suite: str) -> None:
    run_suite_with(threads_build, HERE / suite, "-k", THREADS[suite])


def test_calls_forks_and_ends_race_for_nothing_in_an_application(threads_build: Path, other_modules: str) -> None:
    runtime = run("gcc", "-print-file-name=libtsan.so").strip()
    options = "halt_on_error=1:exitcode=66:die_after_fork=0"
    run_suite(SUITE / "calls_process.py", threads_build, other_modules, LD_PRELOAD=runtime, TSAN_OPTIONS=options)
