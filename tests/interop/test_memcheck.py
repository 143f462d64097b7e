# SPDX-License-Identifier: Apache-2.0
"""A stock program with the module under valgrind: nothing read unwritten, nothing beyond a block, no leak."""

import shutil
from pathlib import Path

import pytest

from interop.tools import PIN, Programs, run_in

SUPPRESSIONS = Path(__file__).with_name("memcheck.supp")
WITHIN = 100
"""Seconds, also where the machine is busy: under valgrind all takes many times as long."""


@pytest.mark.skipif(shutil.which("valgrind") is None, reason="needs valgrind")
def test_pkcs11_tool_s_own_test_is_clean_under_memcheck(programs: Programs) -> None:
    programs.init_token()
    for key_type in ("EC:prime256v1", "RSA:2048"):
        programs.generate(key_type, key_type.partition(":")[0])
    checks = ("--leak-check=full", "--errors-for-leak-kinds=definite", "--error-exitcode=9")
    valgrind = ("valgrind", "-q", f"--suppressions={SUPPRESSIONS}", *checks)
    tool = ("pkcs11-tool", "--module", programs.module, "--login", "--pin", PIN, "--test")
    tested = run_in(programs.directory, programs.environment, (*valgrind, *tool), within=WITHIN)
    assert "No errors" in tested
