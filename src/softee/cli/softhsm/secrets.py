# SPDX-License-Identifier: Apache-2.0
"""What SoftHSM2 encrypts: the token's key under a PIN, and under that key the bytes of private objects.

Both are AES-256 in CBC mode with PKCS#7's padding behind a random vector. The PIN becomes a key by hashing it with a
salt, and the hash again, 1500 times and as often as the salt's last byte says. Nothing authenticates what is decrypted:
a wrong PIN is told by three letters before the key.
"""

from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.hashes import SHA256, Hash
from cryptography.hazmat.primitives.padding import PKCS7

from softee.cli.softhsm.stored import BadStoreError
from softee.pkcs11_ta.attributes.secret_bytes import SecretBytes

_SALT: Final = 8
_VECTOR: Final = 16
_ROUNDS: Final = 1500
_MAGIC: Final = b"RJR"
_KEY: Final = 32


def unlocked(blob: bytes, pin: bytearray) -> SecretBytes | None:
    """Return a token's key, None where this is not the PIN. Raises BadStoreError where it is no such blob."""
    if len(blob) != _SALT + _VECTOR + 48:
        raise BadStoreError(f"the PIN's record has {len(blob)} bytes")
    try:
        found = decrypted(_key_of(pin, blob[:_SALT]), blob[_SALT:])
    except BadStoreError:
        return None
    return SecretBytes(found[len(_MAGIC) :]) if found.startswith(_MAGIC) and len(found) == len(_MAGIC) + _KEY else None


def decrypted(key: SecretBytes, value: bytes) -> SecretBytes:
    """Return bytes of a private object. Raises BadStoreError."""
    if not value:
        return SecretBytes()
    decryptor = Cipher(AES256(key), CBC(value[:_VECTOR].ljust(_VECTOR, b"\0"))).decryptor()
    unpadder = PKCS7(8 * _VECTOR).unpadder()
    try:
        padded = decryptor.update(value[_VECTOR:]) + decryptor.finalize()
        return SecretBytes(unpadder.update(padded) + unpadder.finalize())
    except ValueError:
        raise BadStoreError("an encrypted value does not decrypt") from None


def _key_of(pin: bytearray, salt: bytes) -> SecretBytes:
    found = _hashed(salt, pin)
    for _ in range(_ROUNDS + salt[-1] - 1):
        found = _hashed(found)
    return SecretBytes(found)


def _hashed(*parts: bytes | bytearray) -> bytes:
    digest = Hash(SHA256())
    for part in parts:
        digest.update(part)
    return digest.finalize()
