# SPDX-License-Identifier: Apache-2.0
"""A command imports what it needs: asking for the module's path does not wait for a secure world's cryptography."""

import subprocess
import sys

import pytest

_IMPORTED = """
import sys
from softee.cli.main import main
sys.argv = ["softee", *sys.argv[1:]]
try:
    main()
except SystemExit:
    print(*sys.modules, file=sys.stderr)
"""
HEAVY = ("cryptography", "Crypto", "softee.pkcs11_ta.keys", "softee.pkcs11_ta.mechanisms", "softee.stores")


@pytest.mark.parametrize("command", ["module", "run", "status"])
def test_a_command_that_has_no_keys_imports_no_cryptography(command: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _IMPORTED, command, "--help"], check=True, capture_output=True, text=True
    )
    imported = done.stderr.split()
    assert "softee.cli.failure" in imported
    assert not [module for module in imported if module.startswith(HEAVY)]
