# SPDX-License-Identifier: Apache-2.0
"""Which commands a client may send again, where the secure world went away and nobody knows whether it did them.

What is not listed here is not sent again: whoever logs in, makes, changes or destroys something is told that it failed.
The C library's table is made of this one.
"""

from typing import Any, Final

from softee.pkcs11_ta.abi.command import Command
from softee.pkcs11_ta.abi.commands import (
    ciphers,
    digests,
    general,
    objects,
    random,
    sessions,
    signatures,
    slots,
)

DONE_AGAIN: Final[tuple[Command[Any], ...]] = (
    general.PING,
    slots.SLOT_LIST,
    slots.SLOT_INFO,
    slots.TOKEN_INFO,
    slots.MECHANISM_IDS,
    slots.MECHANISM_INFO,
    sessions.OPEN_SESSION,
    sessions.SESSION_INFO,
    objects.FIND_OBJECTS_INIT,
    objects.GET_OBJECT_SIZE,
    objects.GET_ATTRIBUTE_VALUE,
    random.SEED_RANDOM,
    random.GENERATE_RANDOM,
    ciphers.ENCRYPT_INIT,
    ciphers.DECRYPT_INIT,
    signatures.SIGN_INIT,
    signatures.VERIFY_INIT,
    digests.DIGEST_INIT,
)
"""What only asks, begins an operation, or opens a session: one that was opened is gone with its secure world."""

DONE_AGAIN_WITH_OPERATION: Final[tuple[Command[Any], ...]] = (
    ciphers.ENCRYPT_ONESHOT,
    ciphers.DECRYPT_ONESHOT,
    signatures.SIGN_ONESHOT,
    signatures.VERIFY_ONESHOT,
    digests.DIGEST_ONESHOT,
)
"""What goes on with an operation, which has to be begun again before."""

DONE_AGAIN_IN_A_CHILD: Final[tuple[Command[Any], ...]] = (sessions.LOGIN,)
"""What a forked process does again, to go on where its parent was: in a server's worker a library logs in by itself, at
its first signature, and where that fails it has no key for good. No try is free: a wrong PIN is counted each time.
"""

ENDED: Final[tuple[Command[Any], ...]] = (
    sessions.CLOSE_SESSION,
    sessions.CLOSE_ALL_SESSIONS,
    sessions.LOGOUT,
    sessions.SESSION_CANCEL,
    objects.FIND_OBJECTS_FINAL,
)
"""What ends something that has ended with the secure world. It waits for nobody: programs call it when they exit."""
