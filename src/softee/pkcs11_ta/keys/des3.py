# SPDX-License-Identifier: Apache-2.0
"""Triple DES keys: three DES keys with odd parity in every byte (PKCS#11 3.2, section 6, Triple-length DES).

Whoever gives a key gives its parity bits rightly. In what the token makes, derives or unwraps they are put right:
refused, they would tell bits of whatever is unwrapped as such a key. Two neighbours that are alike undo each other and
leave single DES; such a key is refused.
"""

from typing import TYPE_CHECKING, Final

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.constant_time import bytes_eq

from softee.names import CKA, CKK, CKO, CKR
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.attributes.values import Given
from softee.pkcs11_ta.keys.key_type import KeyForm, KeyType
from softee.pkcs11_ta.keys.parts import octets
from softee.pkcs11_ta.keys.rows import FIXED_SECRET_KEY
from softee.pkcs11_ta.keys.secret import CHECK_VALUE_SIZE, complete_secret, secret_size
from softee.tee.late import LateModule

if TYPE_CHECKING:
    from Crypto.Cipher import DES3 as LIBRARY
else:
    LIBRARY = LateModule("Crypto.Cipher.DES3")

SIZES: Final = (24,)
"""In bytes, parity bits included."""

_check_size = complete_secret(SIZES)


def _with_parity(value: bytes | bytearray) -> bytes:
    """Return a value with its parity bits put right. Raises ValueError where single DES is left of it."""
    return LIBRARY.adjust_key_parity(bytes(value))


def _complete(given: Given) -> None:
    _check_size(given)
    value = bytes(octets(given, CKA.VALUE))
    if not bytes_eq(_with_parity(value), value):
        raise Pkcs11Error(CKR.ATTRIBUTE_VALUE_INVALID, "the parity of a byte is even")


def block_cipher(value: bytes | bytearray) -> TripleDES:
    """Return the library's Triple DES with a key."""
    return TripleDES(bytes(value))


def _check_value(value: bytes | bytearray) -> bytes:
    """Return the first bytes of a block of zeros, encrypted."""
    encryptor = Cipher(block_cipher(value), modes.ECB()).encryptor()  # noqa: S305 - one block, as the standard defines it
    return encryptor.update(bytes(8))[:CHECK_VALUE_SIZE]


DES3: Final = KeyType(
    name="Triple DES",
    numbers=frozenset({CKK.DES3}),
    measure=secret_size,
    forms=(
        KeyForm(
            CKO.SECRET_KEY,
            FIXED_SECRET_KEY,
            _complete,
            frozenset({CKA.ENCRYPT, CKA.DECRYPT, CKA.SIGN, CKA.VERIFY}),
            sizes=SIZES,
            check_value=_check_value,
            arrange=_with_parity,
        ),
    ),
)
