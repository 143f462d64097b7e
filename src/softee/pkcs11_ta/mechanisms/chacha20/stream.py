# SPDX-License-Identifier: Apache-2.0
"""ChaCha20, which encrypts and vouches for nothing (PKCS#11 3.2, section 6, ChaCha20; RFC 8439, 2.4).

A nonce of 96 bits has a counter of 32 (RFC 8439), one of 64 bits a counter of up to 64 (the original). The counter is
little-endian, and data for which it would wrap around are refused. `cryptography` counts in 32 bits only, so this is
`pycryptodome`'s. XChaCha20, whose nonces have 192 bits, is left out: neither counts there as far as it does.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from softee.names import CKK, CKM
from softee.pkcs11_ta.keys.view import KeyView, SizeRange
from softee.pkcs11_ta.mechanisms.functions import Ciphering
from softee.pkcs11_ta.mechanisms.params import invalid
from softee.pkcs11_ta.mechanisms.shapes.ciphering import ByteStream
from softee.pkcs11_ta.mechanisms.spec import QUICK_BULK, MechanismSpec
from softee.tee.late import LateModule

if TYPE_CHECKING:
    from Crypto.Cipher import ChaCha20
else:
    ChaCha20 = LateModule("Crypto.Cipher.ChaCha20")

BLOCK = 64
"""Bytes of a block, which the counter counts."""

KEY_TYPES = frozenset({CKK.CHACHA20})
KEY_SIZE = SizeRange(32, 32)

_COUNTERS = {8: (4, 8), 12: (4,)}
"""The sizes that a counter may have, by the size of its nonce, in bytes."""


@dataclass(frozen=True, slots=True)
class ChaCha20Params:
    """CK_CHACHA20_PARAMS: the first block's number, the nonce, and how many bytes follow before the counter wraps."""

    first: int
    nonce: bytes
    longest: int


def chacha20(counter: bytes, nonce: bytes) -> ChaCha20Params:
    """Check CK_CHACHA20_PARAMS."""
    if len(counter) not in _COUNTERS.get(len(nonce), ()):
        raise invalid(f"blockCounterBits {8 * len(counter)} with ulNonceBits {8 * len(nonce)}")
    first = int.from_bytes(counter, "little")
    return ChaCha20Params(first, nonce, BLOCK * ((1 << 8 * len(counter)) - first))


def _cipher(key: KeyView, params: ChaCha20Params) -> "ChaCha20.ChaCha20Cipher":
    cipher = ChaCha20.new(key=key.secret(), nonce=params.nonce)
    cipher.seek(BLOCK * params.first)
    return cipher


SPECS = (
    MechanismSpec(
        mechanism=CKM.CHACHA20,
        key_types=KEY_TYPES,
        key_size=KEY_SIZE,
        params=chacha20,
        quick_bytes=QUICK_BULK,
        functions=(
            Ciphering(
                encrypt=lambda key, params: ByteStream(_cipher(key, params).encrypt, longest=params.longest),
                decrypt=lambda key, params: ByteStream(_cipher(key, params).decrypt, longest=params.longest),
            ),
        ),
    ),
)
