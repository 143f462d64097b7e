# SPDX-License-Identifier: Apache-2.0
"""AES-CTR (PKCS#11 3.2, section 6, AES with Counter; NIST SP 800-38A).

ulCounterBits 1 means what it means to OP-TEE: all 128 bits count, and wrap around. 2 to 128 mean what the standard
says: that many rightmost bits count, and data for which they would wrap around is refused with CKR_DATA_LEN_RANGE.
Up to there a narrow counter and a wide one give the same bytes, so the library's 128-bit counter serves both.
"""

from dataclasses import dataclass

from cryptography.hazmat.primitives.ciphers import CipherContext, modes

from softee.names import CKM
from softee.pkcs11_ta.keys.view import KeyView
from softee.pkcs11_ta.mechanisms.aes.cipher import BLOCK, KEY_SIZE, KEY_TYPES, decryptor, encryptor
from softee.pkcs11_ta.mechanisms.functions import Ciphering
from softee.pkcs11_ta.mechanisms.params import invalid
from softee.pkcs11_ta.mechanisms.shapes.ciphering import ByteStream
from softee.pkcs11_ta.mechanisms.spec import QUICK_BULK, MechanismSpec

_OPTEE_FULL_COUNTER = 1
_COUNTER_BITS = 8 * BLOCK


@dataclass(frozen=True, slots=True)
class CounterBlock:
    """CK_AES_CTR_PARAMS: the first counter block, and how many of its rightmost bits count."""

    bits: int
    block: bytes


def counter_block(bits: int, block: bytes) -> CounterBlock:
    """Check CK_AES_CTR_PARAMS."""
    if not 1 <= bits <= _COUNTER_BITS:
        raise invalid(f"ulCounterBits {bits} is not 1 to {_COUNTER_BITS}")
    return CounterBlock(bits, block)


def _longest_message(counter: CounterBlock) -> int:
    """Return how many bytes can be processed before the counter would come back to a value that it had."""
    if counter.bits == _OPTEE_FULL_COUNTER:
        return BLOCK << _COUNTER_BITS
    values = 1 << counter.bits
    first = int.from_bytes(counter.block, "big") % values
    return BLOCK * (values - first)


def _stream(context: CipherContext, counter: CounterBlock) -> ByteStream:
    return ByteStream(context.update, context.finalize, longest=_longest_message(counter))


def _encrypt(key: KeyView, counter: CounterBlock) -> ByteStream:
    return _stream(encryptor(key, modes.CTR(counter.block)), counter)


def _decrypt(key: KeyView, counter: CounterBlock) -> ByteStream:
    return _stream(decryptor(key, modes.CTR(counter.block)), counter)


SPECS = (
    MechanismSpec(
        mechanism=CKM.AES_CTR,
        key_types=KEY_TYPES,
        key_size=KEY_SIZE,
        params=counter_block,
        quick_bytes=QUICK_BULK,
        functions=(Ciphering(encrypt=_encrypt, decrypt=_decrypt),),
    ),
)
