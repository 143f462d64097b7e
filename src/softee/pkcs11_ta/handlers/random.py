# SPDX-License-Identifier: Apache-2.0
"""C_SeedRandom and C_GenerateRandom: the kernel's generator."""

import os

from softee.names import CKR
from softee.pkcs11_ta.abi.commands import random
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.abi.messages import InSession
from softee.pkcs11_ta.handlers.binding import bind
from softee.pkcs11_ta.session.call import Call

LARGEST = 64 * 1024 * 1024
"""How many random bytes one call may ask for: as many as the largest buffer that a client can pass."""


def seed_random(call: Call, request: InSession) -> bytes:
    """Accept a seed and do without: the kernel's generator needs none, and a client's must not steer it."""
    return b""


def generate_random(call: Call, request: InSession) -> bytes:
    """Fill the caller's buffer with random bytes."""
    if call.capacity > LARGEST:
        raise Pkcs11Error(CKR.ARGUMENTS_BAD, f"{call.capacity} bytes are too many for one call; ask for {LARGEST}")
    return os.urandom(call.capacity)


BOUND = (
    bind(random.SEED_RANDOM, seed_random),
    bind(random.GENERATE_RANDOM, generate_random),
)
