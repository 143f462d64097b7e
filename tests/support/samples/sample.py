# SPDX-License-Identifier: Apache-2.0
"""What a family of mechanisms and key types says of itself, so that the contract tests know no family."""

from collections.abc import Callable
from dataclasses import dataclass

from softee.pkcs11_ta.attributes.values import AttributeValue
from softee.pkcs11_ta.keys.view import KeyView
from support import keys

ObjectSample = dict[int, AttributeValue]
"""A good C_CreateObject template, decoded."""


def no_key() -> KeyView:
    """Stand for the key of a mechanism that takes none."""
    return keys.secret_key(b"none")


@dataclass(frozen=True)
class MechanismSample:
    """A good key and parameter for a mechanism, and what data it takes with them. A mechanism may have several.

    ``others`` are the keys that its parameter names. ``parameter_ends``: a parameter of another size is none.
    ``begins`` is what all its data begin with. ``deterministic``: the same data always encrypts to the same bytes. A
    wrapped value is filled up with zeros to a multiple of ``filled_to``; wrapped bytes of ``bad_wrapped`` sizes are
    refused. ``wraps`` are the least and the most bytes of a value that the tests wrap. ``recovers_any``: a changed
    signature is one too, of other data.
    """

    key: Callable[[], KeyView] = no_key
    parameter: bytes = b""
    others: Callable[[], tuple[KeyView, ...]] = tuple
    parameter_ends: bool = True
    begins: bytes = b""
    shortest: int = 0
    longest: int = 150
    multiple_of: int = 1
    deterministic: bool = True
    filled_to: int = 1
    bad_wrapped: tuple[int, ...] = ()
    wraps: tuple[int, int] = (1, 70)
    recovers_any: bool = False

    @property
    def size(self) -> int:
        """A size of data that the mechanism takes."""
        return min(max(32, self.shortest), self.longest)
