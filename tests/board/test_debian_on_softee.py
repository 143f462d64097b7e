# SPDX-License-Identifier: Apache-2.0
"""Debian's programs for a board, under qemu-user, with softee behind: over our libteec, and over both our libraries."""

import shlex
from pathlib import Path

import pytest

from board import walkthrough, xtest
from board.arm64 import Emulated, Ours
from board.conftest import Emulate
from support.secure_world import RunningDaemon

KNOWN = {"pkcs11_1009": "a GENERAL MAC is checked in full (docs/deviations.md)"}
"""The cases that do not pass, and why."""


@pytest.fixture(params=[False, True], ids=["our libteec", "both our libraries"])
def programs(emulate: Emulate, ours: Ours, request: pytest.FixtureRequest) -> Emulated:
    return emulate(ours.libteec, *([ours.libckteec] if request.param else []))


def test_optee_s_own_tests_pass_but_for_those_that_are_known(programs: Emulated) -> None:
    output = programs.run("xtest", "-t", "pkcs11").output
    assert xtest.passed(output) | xtest.failed(output) == set(xtest.CASES), output[-2000:]
    assert xtest.failed(output) == set(KNOWN), output


def test_pkcs11_tool_does_the_documentation_s_steps(
    programs: Emulated, optee_like: RunningDaemon, tmp_path: Path
) -> None:
    failures = []
    for step in walkthrough.PKCS11_TOOL:
        said = programs.run("pkcs11-tool", "--module", str(programs.libckteec), *shlex.split(step.command)[1:])
        failures.append(walkthrough.failure(step, said.status, said.output, tmp_path, optee_like.socket))
    assert [failure for failure in failures if failure] == []
