# SPDX-License-Identifier: Apache-2.0
"""Private values in memory: overwritten when their last user lets go of them."""

from typing import NoReturn

from softee.tee.wiping import wipe


class SecretBytes(bytearray):
    """Bytes that nobody may print or pickle and that are overwritten when they die.

    Objects share one, so that it lives as long as its last user and no longer. It must not be changed.
    """

    def __repr__(self) -> str:
        return f"<{len(self)} secret bytes>"

    __str__ = __repr__

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("secret bytes are not pickled")

    def wipe(self) -> None:
        """Overwrite the value with zeros."""
        wipe(self)

    def __del__(self) -> None:
        self.wipe()
