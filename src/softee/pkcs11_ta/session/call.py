# SPDX-License-Identifier: Apache-2.0
"""What a handler gets beside its request."""

from dataclasses import dataclass, field
from typing import TypeVar

from softee.pkcs11_ta.abi.errors import BufferTooSmallError
from softee.pkcs11_ta.session.authentication import Authenticator
from softee.pkcs11_ta.session.client import Pkcs11Client, Session

Reply = TypeVar("Reply", bytes, bytes | bytearray)


@dataclass(slots=True)
class Call:
    """What a handler gets beside its request.

    ``input`` is parameter 1 and ``second`` parameter 2 where it is an input, b"" when absent. ``capacity`` is the size
    of parameter 2 as an output, 0 when absent. ``asks_size``: it is there, NULL or not, and has no room; its owner only
    wants to know the size, even if that is 0. ``session`` is set for commands whose request names one: it is open, and
    locked until the handler returns.
    """

    client: Pkcs11Client
    input: bytes | bytearray
    second: bytes | bytearray
    capacity: int
    asks_size: bool = False
    session: Session = field(init=False)

    @property
    def authenticator(self) -> Authenticator:
        """The PIN and login rules."""
        return Authenticator(self.client.pins)

    def fit(self, reply: Reply) -> Reply:
        """Return the reply if the client's buffer holds it; else raise BufferTooSmallError with its size."""
        if len(reply) > self.capacity:
            raise BufferTooSmallError(len(reply))
        return reply

    def require_capacity(self, size: int) -> None:
        """Raise BufferTooSmallError unless the client's buffer holds ``size`` bytes and is no question for the size."""
        if size > self.capacity or self.asks_size:
            raise BufferTooSmallError(size)
