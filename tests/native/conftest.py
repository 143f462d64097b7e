# SPDX-License-Identifier: Apache-2.0
"""Builds of the native libraries and their test programs, one of each kind per run."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOFTHSM = Path("/usr/lib/softhsm/libsofthsm2.so")
SANITIZED = ("-Db_sanitize=address,undefined", "-Dbuildtype=debug")


def build(
    directory: Path, *options: str, variables: Mapping[str, str] | None = None, targets: Sequence[str] = ()
) -> Path:
    """Build the libraries and test programs, or the targets that are named."""
    commands = (
        ["meson", "setup", str(directory), str(ROOT), "-Dpython=false", "-Dnative_tests=true", *options],
        ["ninja", "-C", str(directory), *targets],
    )
    environment = {**os.environ, **(variables or {})}
    for command in commands:
        done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    return directory


@pytest.fixture(scope="session")
def native_build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The build directory with AddressSanitizer and UndefinedBehaviorSanitizer; programs are in native/tests."""
    return built_elsewhere() or build(tmp_path_factory.mktemp("sanitized"), *SANITIZED)


@pytest.fixture(scope="session")
def native_release_build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The build directory with the libraries as they are shipped."""
    return built_elsewhere() or build(tmp_path_factory.mktemp("release"))


@pytest.fixture(scope="session")
def other_modules(native_release_build: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Other PKCS#11 modules that have the same symbols: SoftHSM where it is installed, and a copy of our own."""
    copy = tmp_path_factory.mktemp("other") / "libother.so"
    shutil.copy(native_release_build / "native" / "ckteec" / "libckteec.so.0", copy)
    return ":".join(map(str, ([SOFTHSM] if SOFTHSM.exists() else []) + [copy]))


def run_suite_with(directory: Path, suite: Path, *options: str) -> None:
    """Run a suite of tests with a build of another kind, and options of pytest's."""
    environment = {**os.environ, "SOFTEE_NATIVE_BUILD": str(directory), "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(suite), *options]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def built_elsewhere() -> Path | None:
    """Return the build that SOFTEE_NATIVE_BUILD names, as ``run_suite_with`` does."""
    named = os.environ.get("SOFTEE_NATIVE_BUILD")
    return Path(named) if named else None
