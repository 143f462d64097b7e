# SPDX-License-Identifier: Apache-2.0
"""Tests that need a board with the real OP-TEE, or Debian's programs for one: ``make board BOARD=...`` runs them."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from board.arm64 import ROOT, Emulated, Ours, cross_build, fetch
from board.machine import Board
from support.secure_world import RunningDaemon, running_daemon

BOARD = os.environ.get("SOFTEE_BOARD")
PLACE = ROOT / "build" / "board"
"""Where packages and builds stay from one run to the next."""

SERVE = ("--profile", "optee")
"""Options with which ``softee serve`` does as a board does."""

if not BOARD:
    collect_ignore_glob = ["test_*.py"]


@pytest.fixture(scope="session")
def board() -> Board:
    """The board with the real OP-TEE."""
    board = Board(Path(BOARD or "").resolve(), PLACE / "machine")
    board.prepare()
    return board


@pytest.fixture(scope="session")
def ours() -> Ours:
    """Our libraries for a board."""
    return cross_build(PLACE / "arm64")


@pytest.fixture(scope="session")
def debian() -> Path:
    """A root file system with Debian's programs for a board."""
    return fetch(PLACE / "debian")


@pytest.fixture
def optee_like(tmp_path: Path) -> Iterator[RunningDaemon]:
    """A secure world of softee's that does as a board does."""
    with running_daemon(tmp_path, options=SERVE) as running:
        yield running


Emulate = Callable[..., Emulated]


@pytest.fixture
def emulate(debian: Path, optee_like: RunningDaemon, tmp_path: Path) -> Emulate:
    """Debian's programs with libraries of ours in front of theirs, and softee's secure world behind."""

    def emulated(*libraries: Path) -> Emulated:
        programs = Emulated(debian, tmp_path / "emulated", {"SOFTEE_SOCKET": str(optee_like.socket), "LC_ALL": "C"})
        programs.install(*libraries)
        return programs

    return emulated
