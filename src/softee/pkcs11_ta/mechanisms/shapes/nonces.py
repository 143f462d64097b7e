# SPDX-License-Identifier: Apache-2.0
"""The nonces of messages: the caller's, or made by the token so that none comes twice (PKCS#11 3.2, section 6.13).

A counter begins at zero with each C_MessageEncryptInit, as the standard says: a caller that begins anew with the same
key has to choose another fixed part. What CKG_GENERATE makes needs no such care: it is random.
"""

import secrets
from dataclasses import replace

from softee.names import GeneratorFunction
from softee.pkcs11_ta.mechanisms.functions import Message
from softee.pkcs11_ta.mechanisms.params import invalid

_RANDOM = frozenset({GeneratorFunction.GENERATE, GeneratorFunction.GENERATE_RANDOM})


def nonce_of_message(nonce: bytes, fixed_bits: int, generator: int, *, tag_size: int, data_size: int = 0) -> Message:
    """Return a message's parameter. Raises CKR_MECHANISM_PARAM_INVALID for what does not go together."""
    try:
        making = GeneratorFunction(generator)
    except ValueError:
        raise invalid(f"there is no generator function {generator}") from None
    if fixed_bits > 8 * len(nonce):
        raise invalid(f"{fixed_bits} fixed bits of a nonce of {len(nonce)} bytes")
    return Message(
        nonce=nonce,
        tag_size=tag_size,
        fixed_bits=fixed_bits,
        generator=making,
        data_size=data_size,
    )


def with_nonce(message: Message, nonce: bytes) -> Message:
    """Return a message with its whole nonce."""
    return replace(message, nonce=nonce, fixed_bits=0, generator=GeneratorFunction.NO_GENERATE)


class Nonces:
    """Makes the nonces of one message-based operation.

    ``random_bits`` is how many bits are made at random at least. ``counts`` says whether there is a counter: where one
    message is all, it would always say the same.
    """

    __slots__ = ("_count", "_counts", "_random_bits", "_xored")

    def __init__(self, random_bits: int, *, counts: bool) -> None:
        self._random_bits = random_bits
        self._counts = counts
        self._count = 0
        self._xored: Message | None = None

    def next(self, message: Message) -> bytes:
        """Return the nonce of a message, which is used up by that. Raises CKR_MECHANISM_PARAM_INVALID."""
        if message.generator is GeneratorFunction.NO_GENERATE:
            return message.nonce
        bits = 8 * len(message.nonce) - message.fixed_bits
        given = int.from_bytes(message.nonce, "big")
        if message.generator in _RANDOM:
            made = _with_low_bits(given, self._random(bits), bits)
        elif message.generator is GeneratorFunction.GENERATE_COUNTER:
            made = _with_low_bits(given, self._counted(bits), bits)
        else:
            made = self._require_same(message, given) ^ self._counted(bits)
        return made.to_bytes(len(message.nonce), "big")

    def _random(self, bits: int) -> int:
        if bits < self._random_bits:
            raise invalid(f"{bits} bits of the nonce are left to chance; {self._random_bits} are the fewest")
        return secrets.randbits(bits)

    def _counted(self, bits: int) -> int:
        if not self._counts or self._count >> bits:
            raise invalid(f"no count is left for the {bits} bits of the nonce that are not fixed")
        self._count += 1
        return self._count - 1

    def _require_same(self, message: Message, given: int) -> int:
        """Return the number that counts are XORed with, which must stay the same from the first message on."""
        first = self._xored = self._xored or message
        if (first.nonce, first.fixed_bits) != (message.nonce, message.fixed_bits):
            raise invalid("what the counter is XORed with has changed since the first message")
        return given


def _with_low_bits(number: int, low: int, bits: int) -> int:
    return number >> bits << bits | low
