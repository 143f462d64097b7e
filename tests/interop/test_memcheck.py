# SPDX-License-Identifier: Apache-2.0
"""A stock program with the module under valgrind: nothing read unwritten, nothing beyond a block, no leak."""

import shutil
from pathlib import Path

import pytest

from interop.tools import PIN, Programs

SUPPRESSIONS = Path(__file__).with_name("memcheck.supp")


@pytest.mark.skipif(shutil.which("valgrind") is None, reason="needs valgrind")
def test_pkcs11_tool_s_own_test_is_clean_under_memcheck(programs: Programs) -> None:
    programs.init_token()
    for key_type in ("EC:prime256v1", "RSA:2048"):
        programs.generate(key_type, key_type.partition(":")[0])
    checks = ("--leak-check=full", "--errors-for-leak-kinds=definite", "--error-exitcode=9")
    valgrind = ("valgrind", "-q", f"--suppressions={SUPPRESSIONS}", *checks)
    tested = programs.run(*valgrind, "pkcs11-tool", "--module", programs.module, "--login", "--pin", PIN, "--test")
    assert "No errors" in tested
