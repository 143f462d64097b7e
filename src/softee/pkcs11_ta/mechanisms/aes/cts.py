# SPDX-License-Identifier: Apache-2.0
"""AES-CBC with ciphertext stealing (PKCS#11 3.2, section 6, AES CBC with Ciphertext Stealing CTS).

The variant is CBC-CS3 of the addendum to NIST SP 800-38A, which is Kerberos' (RFC 3962) and OP-TEE's: the last two
blocks are always exchanged, and the last one is cut to what is left. One block alone is plain CBC. The block cipher and
the chaining are the library's; here is only which bytes go where.
"""

from cryptography.hazmat.primitives.ciphers import CipherContext, modes

from softee.names import CKM, CKR
from softee.pkcs11_ta.keys.view import KeyView
from softee.pkcs11_ta.mechanisms.aes.cipher import BLOCK, KEY_SIZE, KEY_TYPES, decryptor, encryptor
from softee.pkcs11_ta.mechanisms.functions import Ciphering
from softee.pkcs11_ta.mechanisms.params import initialization_vector
from softee.pkcs11_ta.mechanisms.shapes.ciphering import Stream, wrong_length
from softee.pkcs11_ta.mechanisms.spec import MechanismSpec


class _CiphertextStealing(Stream):
    """Chains block after block, and holds back the last 17 to 32 bytes, which end the message."""

    __slots__ = ("_chain", "_held")

    def __init__(self, chain: CipherContext) -> None:
        super().__init__()
        self._chain = chain
        self._held = b""

    def given(self, taken: int) -> int:
        """Return the whole blocks that more than one block follows."""
        return max(0, taken - BLOCK - 1) // BLOCK * BLOCK

    def update(self, part: bytes | bytearray) -> bytes:
        """Take a part of the data and return what cannot be among the last two blocks."""
        count = self.update_size(len(part))
        self._taken += len(part)
        data = self._held + part
        self._held = data[count:]
        return self._chain.update(data[:count])


class _Encrypt(_CiphertextStealing):
    __slots__ = ()

    def finish(self) -> bytes:
        """Return the last two blocks, exchanged. Raises CKR_DATA_LEN_RANGE where there was less than a block."""
        held = self._held
        if len(held) < BLOCK:
            raise wrong_length(CKR.DATA_LEN_RANGE, self._taken, f"at least {BLOCK}")
        blocks = self._chain.update(held + bytes(-len(held) % BLOCK)) + self._chain.finalize()
        return blocks[BLOCK:] + blocks[: len(held) - BLOCK] if len(held) > BLOCK else blocks


class _Decrypt(_CiphertextStealing):
    __slots__ = ("_block",)

    def __init__(self, chain: CipherContext, block: CipherContext) -> None:
        super().__init__(chain)
        self._block = block

    def finish(self) -> bytes:
        """Return the last two blocks. Raises CKR_ENCRYPTED_DATA_LEN_RANGE where there was less than a block."""
        held = self._held
        if len(held) < BLOCK:
            raise wrong_length(CKR.ENCRYPTED_DATA_LEN_RANGE, self._taken, f"at least {BLOCK}")
        return (self._chain.update(self._in_order(held)) + self._chain.finalize())[: len(held)]

    def _in_order(self, held: bytes) -> bytes:
        """Return the last two blocks as CBC made them: the stolen bytes are what the last block decrypts to."""
        last, cut = held[:BLOCK], held[BLOCK:]
        if not cut:
            return last
        return cut + self._block.update(last)[len(cut) :] + last


def _encrypt(key: KeyView, iv: bytes) -> _Encrypt:
    return _Encrypt(encryptor(key, modes.CBC(iv)))


def _decrypt(key: KeyView, iv: bytes) -> _Decrypt:
    single_blocks = decryptor(key, modes.ECB())  # noqa: S305 - decrypts one block, out of the chain
    return _Decrypt(decryptor(key, modes.CBC(iv)), single_blocks)


SPECS = (
    MechanismSpec(
        mechanism=CKM.AES_CTS,
        key_types=KEY_TYPES,
        key_size=KEY_SIZE,
        params=initialization_vector,
        functions=(Ciphering(encrypt=_encrypt, decrypt=_decrypt),),
    ),
)
