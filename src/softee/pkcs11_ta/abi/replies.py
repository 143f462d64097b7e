# SPDX-License-Identifier: Apache-2.0
"""The replies that are structures of one size: OP-TEE's layouts of the standard's information structures.

The command table has their sizes from here, and through it the C library.
"""

import struct
from enum import IntFlag

VERSION = struct.Struct("<3I")
"""Of the application's interface: major, minor, patch."""

SLOT_INFO = struct.Struct("<64s32sI2s2s")
"""CK_SLOT_INFO."""

TOKEN_INFO = struct.Struct("<32s32s16s16sI10I2s2s16s")
"""CK_TOKEN_INFO."""

MECHANISM_INFO = struct.Struct("<3I")
"""CK_MECHANISM_INFO."""

STARTED = struct.Struct("<3IQ")
"""Of an operation that has begun: its ``size``, ``StartedFlag``, and the place and the value of its change counter."""

SESSION_INFO = struct.Struct("<4I")
"""CK_SESSION_INFO."""


class StartedFlag(IntFlag):
    """What else is said of an operation that has begun."""

    RESUMABLE = 1
    """When it has ended well, in one part, it may be resumed."""
    MULTI_PART = 2
    """It takes data in parts, too."""
