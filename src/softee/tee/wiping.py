# SPDX-License-Identifier: Apache-2.0
"""Secrets that are overwritten when their last user goes."""


def wipe(secret: bytearray) -> None:
    """Overwrite a secret with zeros, also where there is no memory for as many at once."""
    try:
        secret[:] = bytes(len(secret))
    except MemoryError:
        for index in range(len(secret)):
            secret[index] = 0
