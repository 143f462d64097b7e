# SPDX-License-Identifier: Apache-2.0
"""Other people's programs and suites that need more than ``make test`` installs: ``make interop`` runs them."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from interop.clients.debian import DEBIAN_13, DEBIAN_14, Debian, Release
from interop.tools import Programs
from softee.pkcs11_ta.mechanisms.table import MECHANISMS
from softee.pkcs11_ta.token.profiles import OFF_BY_DEFAULT
from support.secure_world import RunningDaemon, running_daemon

if not os.environ.get("SOFTEE_CLIENTS"):
    collect_ignore_glob = ["test_*.py"]


@pytest.fixture
def everything(module: Path, tmp_path: Path) -> Iterator[Programs]:
    """Programs with a token that has all mechanisms, those that are off by default too."""
    added = [mechanism.name for mechanism in MECHANISMS if mechanism in OFF_BY_DEFAULT]
    settings = f"[pkcs11]\nadded_mechanisms = {[f'CKM_{name}' for name in added]}\n"
    with running_daemon(tmp_path, settings=settings) as running:
        yield Programs(module, running.socket, tmp_path)


def programs_of(release: Release, module: Path, daemon: RunningDaemon, directory: Path) -> Debian:
    if os.geteuid() != 0:
        pytest.skip("needs root, for debootstrap and chroot")
    return Debian(release.installed(), module, daemon.socket, directory)


@pytest.fixture
def debian13(module: Path, daemon: RunningDaemon, tmp_path: Path) -> Debian:
    """Debian 13's programs with the test's own secure world."""
    return programs_of(DEBIAN_13, module, daemon, tmp_path)


@pytest.fixture
def debian14(module: Path, daemon: RunningDaemon, tmp_path: Path) -> Debian:
    """Programs of what becomes Debian 14, with the test's own secure world."""
    return programs_of(DEBIAN_14, module, daemon, tmp_path)
