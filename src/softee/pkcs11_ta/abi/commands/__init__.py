# SPDX-License-Identifier: Apache-2.0
"""The commands of OP-TEE's PKCS#11 application, by chapter of the standard.

The one list that the dispatcher, the tests and the pages follow. Numbers and layouts are OP-TEE's and never change;
numbers from 0x1000 are ours.
"""

from typing import Any

from softee.pkcs11_ta.abi.command import Command
from softee.pkcs11_ta.abi.commands import (
    attestation,
    by_message,
    ciphers,
    digests,
    general,
    keys,
    objects,
    random,
    restoring,
    resuming,
    sessions,
    signatures,
    slots,
)

_CHAPTERS: tuple[tuple[Command[Any], ...], ...] = (
    general.COMMANDS,
    slots.COMMANDS,
    sessions.COMMANDS,
    objects.COMMANDS,
    ciphers.COMMANDS,
    digests.COMMANDS,
    signatures.COMMANDS,
    by_message.COMMANDS,
    keys.COMMANDS,
    random.COMMANDS,
    attestation.COMMANDS,
    resuming.COMMANDS,
    restoring.COMMANDS,
)

COMMANDS: tuple[Command[Any], ...] = tuple(
    sorted((command for chapter in _CHAPTERS for command in chapter), key=lambda command: command.number)
)
"""In the order of their numbers."""
