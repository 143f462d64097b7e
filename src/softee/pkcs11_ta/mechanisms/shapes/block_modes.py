# SPDX-License-Identifier: Apache-2.0
"""Block ciphers on whole blocks, with PKCS#7 padding, and as a MAC: what AES and Triple DES have in common.

Bad padding has one error, whatever is wrong.
"""

from cryptography.hazmat.primitives.ciphers import CipherContext
from cryptography.hazmat.primitives.padding import PKCS7

from softee.names import CKR
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.mechanisms.shapes.ciphering import Stream, wrong_length
from softee.pkcs11_ta.mechanisms.shapes.slices import in_slices


class WholeBlocks(Stream):
    """Encrypts or decrypts whole blocks of ``block`` bytes; ``short`` is the error for data that ends in less."""

    __slots__ = ("_block", "_context", "_short")

    def __init__(self, context: CipherContext, block: int, short: CKR) -> None:
        super().__init__()
        self._context = context
        self._block = block
        self._short = short

    def given(self, taken: int) -> int:
        """Return the whole blocks."""
        return taken // self._block * self._block

    def update(self, part: bytes | bytearray) -> bytes:
        """Take a part of the data and return the blocks that are whole."""
        self._taken += len(part)
        return in_slices(self._context.update, part)

    def finish(self) -> bytes:
        """Return nothing more. Raises ``short``."""
        if self._taken % self._block:
            raise wrong_length(self._short, self._taken, f"a multiple of {self._block}")
        return self._context.finalize()


def end_padded(context: CipherContext, block: int, taken: int) -> bytes:
    """Return what ends a ciphertext of ``taken`` bytes: so many bytes of padding, each saying how many."""
    fill = block - taken % block
    return context.update(bytes([fill]) * fill) + context.finalize()


class PaddingEncrypt(WholeBlocks):
    """Encrypts what is filled up to whole blocks."""

    __slots__ = ()

    def one_shot_size(self, count: int) -> int:
        """Return ``count`` and the padding, of up to a block."""
        return self.given(count) + self._block

    def finish(self) -> bytes:
        """Return the last block, filled up by PKCS#7. Never fails."""
        return end_padded(self._context, self._block, self._taken)


class PaddingDecrypt(WholeBlocks):
    """Holds back the last whole block, which may be padding."""

    __slots__ = ("_unpadder",)

    def __init__(self, context: CipherContext, block: int) -> None:
        super().__init__(context, block, CKR.ENCRYPTED_DATA_LEN_RANGE)
        self._unpadder = PKCS7(8 * block).unpadder()

    def given(self, taken: int) -> int:
        """Return the whole blocks but the last."""
        return max(0, taken // self._block - 1) * self._block

    def update(self, part: bytes | bytearray) -> bytes:
        """Take a part of the data and return what cannot be padding."""
        return self._unpadder.update(super().update(part))

    def finish(self) -> bytes:
        """Return the last block without its padding. Raises CKR_ENCRYPTED_DATA_INVALID where that is bad."""
        rest = super().finish()
        if not self._taken:
            raise wrong_length(CKR.ENCRYPTED_DATA_LEN_RANGE, 0, f"at least {self._block}")
        try:
            return self._unpadder.update(rest) + self._unpadder.finalize()
        except ValueError:
            raise Pkcs11Error(CKR.ENCRYPTED_DATA_INVALID, "the padding is not PKCS#7's") from None


class CbcMac:
    """The last block of CBC with an initialization vector of zeros, of data filled up with zeros (FIPS 113).

    Data of different lengths must not be authenticated so: two MACs make a third.
    """

    __slots__ = ("_block", "_chain", "_last", "_taken")

    def __init__(self, chain: CipherContext, block: int) -> None:
        self._chain = chain
        self._block = block
        self._last = b""
        self._taken = 0

    def update(self, data: bytes | bytearray, /) -> None:
        """Take a part of the data."""
        self._taken += len(data)
        self._last = self._chain.update(data)[-self._block :] or self._last

    def finalize(self) -> bytes:
        """Return the last block. No data are one block of zeros."""
        if self._taken % self._block or not self._taken:
            self.update(bytes(self._block - self._taken % self._block))
        return self._last
