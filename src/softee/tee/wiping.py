# SPDX-License-Identifier: Apache-2.0
"""Secrets that are overwritten when their last user goes."""


def wipe(secret: bytearray) -> None:
    """Overwrite a secret with zeros."""
    secret[:] = bytes(len(secret))
