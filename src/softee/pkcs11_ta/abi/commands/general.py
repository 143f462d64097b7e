# SPDX-License-Identifier: Apache-2.0
"""PING, with which a client begins."""

from softee.pkcs11_ta.abi import messages as m
from softee.pkcs11_ta.abi import replies
from softee.pkcs11_ta.abi.command import Command, Output
from softee.pkcs11_ta.abi.returns import ANY

PING = Command(0, "PING", "", m.Nothing, ANY, output=Output.OUTPUT, output_size=replies.VERSION.size)

COMMANDS = (PING,)
