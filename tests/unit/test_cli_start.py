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
HEAVY = ("cryptography", "Crypto", "rich", "softee.pkcs11_ta.keys", "softee.pkcs11_ta.mechanisms", "softee.stores")
NOT_FOR_A_PATH = (*HEAVY, "msgspec", "ctypes", "softee.client", "softee.daemon", "softee.names")


def imported(*arguments: str) -> list[str]:
    done = subprocess.run([sys.executable, "-c", _IMPORTED, *arguments], capture_output=True, text=True, check=True)
    return done.stderr.split()


@pytest.mark.parametrize("command", ["run", "status", "token list", "token init", "module"])
def test_a_command_that_has_no_keys_imports_no_cryptography(command: str) -> None:
    found = imported(*command.split(), "--help")
    assert "softee.cli.failure" in found
    assert not [module for module in found if module.startswith(HEAVY)]


@pytest.mark.parametrize("arguments", [("module",), ("--version",), ("--help",), ("key", "--help"), ("nothing",)])
def test_what_tells_of_the_installation_alone_imports_nothing_for_it(arguments: tuple[str, ...]) -> None:
    assert not [module for module in imported(*arguments) if module.startswith(NOT_FOR_A_PATH)]
