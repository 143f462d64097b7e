# SPDX-License-Identifier: Apache-2.0
"""A Debian 13 that has little more than make and Python: `make` sets up what is missing, and softee works there."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from interop.clients.conftest import programs_of
from interop.clients.debian import BARE_DEBIAN_13, WORK, Debian
from interop.clients.fetched import ROOT
from interop.tools import run_in
from support.secure_world import RunningDaemon

CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
WITHIN = 1200

FEW = tuple(f"tests/interop/test_{name}.py" for name in ("pkcs11_tool", "openssl_engine", "curves", "java"))
"""Tests that read what other programs say, which is not the same in each release of Debian."""


@pytest.fixture
def bare(module: Path, daemon: RunningDaemon, tmp_path: Path) -> Debian:
    """A bare Debian 13, with the sources and with what this machine trusts: a registry may be behind a proxy."""
    work = tmp_path / "work"
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, listed.split("\0")):
        (work / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, work / name)
    found = programs_of(BARE_DEBIAN_13, module, daemon, work).with_bind(CERTIFICATES, str(CERTIFICATES))
    shutil.copy("/etc/resolv.conf", found.root / "etc/resolv.conf")
    pip = {name: value for name, value in os.environ.items() if name in ("PIP_CERT", "PIP_INDEX_URL")}
    return found.with_variables({"PYTHON": "python3", **pip})


def test_make_demo_and_some_tests(bare: Debian) -> None:
    tests = f"make test TESTS='{' '.join(FEW)}'"
    command = bare.command("env", "--unset=SOFTEE_SOCKET", "sh", "-ec", f"cd {WORK}; make demo; {tests}")
    said = run_in(None, bare.environment, command, within=WITHIN)
    assert "steps passed" in said
    assert " failed" not in said
