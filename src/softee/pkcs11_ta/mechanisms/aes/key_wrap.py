# SPDX-License-Identifier: Apache-2.0
"""AES key wrap: KW, KWP, and KW of what PKCS#7 has padded (PKCS#11 3.2, section 6, AES Key Wrap; NIST SP 800-38F).

They vouch for what they wrap, and the same key always becomes the same bytes, so that no initialization vector can be
used twice: they are what keys should be wrapped with. CKM_AES_KEY_WRAP_PAD is the deprecated name of the one with
PKCS#7's padding. That one also takes what KW has wrapped without a padding and may cut it, so it counts as malleable.
The initialization vector can be left out, or be the default of SP 800-38F; the library has no other.
"""

from collections.abc import Callable
from dataclasses import dataclass

from cryptography.hazmat.primitives.keywrap import (
    InvalidUnwrap,
    aes_key_unwrap,
    aes_key_unwrap_with_padding,
    aes_key_wrap,
    aes_key_wrap_with_padding,
)
from cryptography.hazmat.primitives.padding import PKCS7

from softee.names import CKM, CKR
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.keys.view import KeyView
from softee.pkcs11_ta.mechanisms.aes.cipher import KEY_SIZE, KEY_TYPES, check_key
from softee.pkcs11_ta.mechanisms.functions import Ciphering, Wrapping
from softee.pkcs11_ta.mechanisms.params import invalid
from softee.pkcs11_ta.mechanisms.shapes.ciphering import BufferedCipher, on_bytes, wrong_length
from softee.pkcs11_ta.mechanisms.spec import AnyMechanism, MechanismSpec
from softee.tee.keys import wipe

SEMIBLOCK = 8
"""Bytes of a semiblock, which all sizes are multiples of."""

_KW_IV = bytes.fromhex("a6a6a6a6a6a6a6a6")
_KWP_IV = bytes.fromhex("a65959a6")
_PADDING = PKCS7(8 * SEMIBLOCK)

Octets = bytes | bytearray


@dataclass(frozen=True, slots=True)
class _Algorithm:
    """One of the algorithms.

    ``least`` is the fewest bytes of data, ``multiple`` what their number must be a multiple of (a key's value is filled
    up with zeros to it), ``least_wrapped`` the fewest bytes that come of it.
    """

    iv: bytes
    wrap: Callable[[Octets, Octets], bytes]
    unwrap: Callable[[Octets, bytes], bytes]
    least: int
    multiple: int
    least_wrapped: int

    def check_iv(self, iv: bytes) -> None:
        """Take the default initialization vector, or none."""
        if iv not in {b"", self.iv}:
            raise invalid("an initialization vector other than the default one")

    def grown(self, count: int) -> int:
        """Return the most bytes that ``count`` become: a semiblock more, and what a padding adds."""
        return (count // SEMIBLOCK + 2) * SEMIBLOCK

    def wrapped(self, key: KeyView, data: Octets, bad_size: CKR) -> bytes:
        """Wrap data. Raises ``bad_size``."""
        if len(data) < self.least or len(data) % self.multiple:
            raise wrong_length(bad_size, len(data), f"a multiple of {self.multiple}, at least {self.least},")
        return self.wrap(key.secret(), data)

    def unwrapped(self, key: KeyView, wrapped: bytes, bad_size: CKR, bad: CKR) -> bytes:
        """Unwrap data. Raises ``bad_size`` where the size alone is wrong, ``bad`` where anything else is."""
        if len(wrapped) < self.least_wrapped or len(wrapped) % SEMIBLOCK:
            wanted = f"a multiple of {SEMIBLOCK}, at least {self.least_wrapped},"
            raise wrong_length(bad_size, len(wrapped), wanted)
        try:
            return self.unwrap(key.secret(), wrapped)
        except (InvalidUnwrap, ValueError):
            raise Pkcs11Error(bad, "the bytes were not wrapped so with this key") from None


def _wrap_padded(key: Octets, data: Octets) -> bytes:
    padder = _PADDING.padder()
    padded = bytearray(padder.update(data) + padder.finalize())
    try:
        return aes_key_wrap(key, padded)
    finally:
        wipe(padded)


def _unwrap_padded(key: Octets, wrapped: bytes) -> bytes:
    unpadder = _PADDING.unpadder()
    return unpadder.update(aes_key_unwrap(key, wrapped)) + unpadder.finalize()


_KW = _Algorithm(_KW_IV, aes_key_wrap, aes_key_unwrap, 2 * SEMIBLOCK, SEMIBLOCK, 3 * SEMIBLOCK)
_KWP = _Algorithm(_KWP_IV, aes_key_wrap_with_padding, aes_key_unwrap_with_padding, 1, 1, 2 * SEMIBLOCK)
_KW_PKCS7 = _Algorithm(_KW_IV, _wrap_padded, _unwrap_padded, SEMIBLOCK, 1, 3 * SEMIBLOCK)


def _ciphering(algorithm: _Algorithm) -> Ciphering[None]:
    def encrypt(key: KeyView, _: None) -> BufferedCipher:
        check_key(key)
        return BufferedCipher(
            on_bytes(lambda data: algorithm.wrapped(key, data, CKR.DATA_LEN_RANGE)), algorithm.grown, limit=None
        )

    def decrypt(key: KeyView, _: None) -> BufferedCipher:
        check_key(key)
        return BufferedCipher(
            on_bytes(
                lambda data: algorithm.unwrapped(key, data, CKR.ENCRYPTED_DATA_LEN_RANGE, CKR.ENCRYPTED_DATA_INVALID)
            ),
            lambda count: max(0, count - SEMIBLOCK),
            limit=None,
        )

    return Ciphering(encrypt=encrypt, decrypt=decrypt)


def _key_wrap(mechanism: CKM, algorithm: _Algorithm, *, padded: bool = False) -> AnyMechanism:
    def wrap(key: KeyView, _: None, value: Octets) -> bytes:
        check_key(key)
        filled = bytearray(value) + bytes(-len(value) % algorithm.multiple)
        try:
            return algorithm.wrapped(key, filled, CKR.KEY_SIZE_RANGE)
        finally:
            wipe(filled)

    def unwrap(key: KeyView, _: None, wrapped: bytes) -> bytearray:
        check_key(key)
        return bytearray(algorithm.unwrapped(key, wrapped, CKR.WRAPPED_KEY_LEN_RANGE, CKR.WRAPPED_KEY_INVALID))

    return MechanismSpec(
        mechanism=mechanism,
        key_types=KEY_TYPES,
        key_size=KEY_SIZE,
        params=algorithm.check_iv,
        multi_part=False,
        functions=(
            _ciphering(algorithm),
            Wrapping(wrap=wrap, unwrap=unwrap, padded=padded, malleable=padded),
        ),
    )


SPECS: tuple[AnyMechanism, ...] = (
    _key_wrap(CKM.AES_KEY_WRAP, _KW),
    _key_wrap(CKM.AES_KEY_WRAP_KWP, _KWP),
    _key_wrap(CKM.AES_KEY_WRAP_PKCS7, _KW_PKCS7, padded=True),
    _key_wrap(CKM.AES_KEY_WRAP_PAD, _KW_PKCS7, padded=True),
)
