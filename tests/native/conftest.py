# SPDX-License-Identifier: Apache-2.0
"""Builds of the native libraries and their test programs, one of each kind per run."""

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def build(directory: Path, *options: str) -> Path:
    commands = (
        ["meson", "setup", str(directory), str(ROOT), "-Dpython=false", "-Dnative_tests=true", *options],
        ["ninja", "-C", str(directory)],
    )
    for command in commands:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    return directory


@pytest.fixture(scope="session")
def native_build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The build directory with AddressSanitizer and UndefinedBehaviorSanitizer; programs are in native/tests."""
    return build(tmp_path_factory.mktemp("sanitized"), "-Db_sanitize=address,undefined", "-Dbuildtype=debug")


@pytest.fixture(scope="session")
def native_release_build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The build directory with the libraries as they are shipped."""
    return build(tmp_path_factory.mktemp("release"))
