# SPDX-License-Identifier: Apache-2.0
"""Every command by its name, whatever chapter it is in: ``c.SIGN_INIT``."""

from types import SimpleNamespace

from softee.pkcs11_ta.abi.commands import COMMANDS

c = SimpleNamespace(**{command.name: command for command in COMMANDS})
