# SPDX-License-Identifier: Apache-2.0
"""The replies that are structures of one size: OP-TEE's layouts of the standard's information structures.

The command table has their sizes from here, and through it the C library.
"""

import struct

VERSION = struct.Struct("<3I")
"""Of the application's interface: major, minor, patch."""

SLOT_INFO = struct.Struct("<64s32sI2s2s")
"""CK_SLOT_INFO."""

TOKEN_INFO = struct.Struct("<32s32s16s16sI10I2s2s16s")
"""CK_TOKEN_INFO."""

MECHANISM_INFO = struct.Struct("<3I")
"""CK_MECHANISM_INFO."""

SESSION_INFO = struct.Struct("<4I")
"""CK_SESSION_INFO."""
