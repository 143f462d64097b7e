# SPDX-License-Identifier: Apache-2.0
"""Sealing: AES-256-GCM-SIV (RFC 8452) with a random nonce, bound to a context; and blind-index terms.

Should a random nonce ever repeat, GCM-SIV gives away no more than whether two plaintexts of one context are equal. What
is sealed is 28 bytes longer than the plaintext, so the plaintext's length shows.
"""

import os
from typing import TypeVar

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC

from softee.tee.keys import KEY_SIZE, Label, derived, wipe

NONCE_SIZE = 12
TAG_SIZE = 16
OVERHEAD = NONCE_SIZE + TAG_SIZE
"""How many bytes longer a sealed value is than its plaintext."""
TERM_SIZE = 16

_Part = TypeVar("_Part")


class TamperedError(Exception):
    """A record is not what was sealed in this place: altered, swapped, truncated, rolled back or missing."""


class UnknownFormatError(TamperedError):
    """A record's format version is not known: a newer softee wrote it, or it was altered."""


class SealKey:
    """A 32-byte secret that seals records and makes blind-index terms. ``wipe`` it when its last user goes.

    The caller's ``secret`` is not kept: two keys are derived from it and live inside OpenSSL's contexts, which
    overwrite them when they are freed. Safe to use from several threads.
    """

    __slots__ = ("_cipher", "_mac")

    def __init__(self, secret: bytes | bytearray) -> None:
        """Derive the two keys. Raises ValueError unless ``secret`` has 32 bytes."""
        if len(secret) != KEY_SIZE:
            raise ValueError(f"a sealing secret has {KEY_SIZE} bytes, not {len(secret)}")
        with derived(secret, Label.SEAL) as key:
            self._cipher: AESGCMSIV | None = AESGCMSIV(key)
        with derived(secret, Label.TERM) as key:
            self._mac: HMAC | None = HMAC(key, SHA256())

    def seal(self, context: bytes, plaintext: bytes | bytearray) -> bytes:
        """Seal ``plaintext`` so that it opens only with this key and the same ``context``.

        Contexts that begin with ``STEE`` are the storage's own (softee.tee.records). Returns nonce[12] ‖ ciphertext ‖
        tag[16]. Raises ValueError after ``wipe``.
        """
        nonce = os.urandom(NONCE_SIZE)
        return nonce + _alive(self._cipher).encrypt(nonce, plaintext, context)

    def open(self, context: bytes, sealed: bytes) -> bytearray:
        """Open what ``seal`` made. Raises TamperedError, whatever is wrong; ValueError after ``wipe``."""
        cipher = _alive(self._cipher)
        if len(sealed) < OVERHEAD:
            raise TamperedError("sealed bytes are too short")
        plaintext = bytearray(len(sealed) - OVERHEAD)
        try:
            cipher.decrypt_into(sealed[:NONCE_SIZE], memoryview(sealed)[NONCE_SIZE:], context, plaintext)
        except InvalidTag:
            wipe(plaintext)
            raise TamperedError("sealed bytes do not open with this key in this place") from None
        return plaintext

    def term(self, data: bytes) -> bytes:
        """Return the 16-byte blind-index term of ``data``: a keyed hash. Raises ValueError after ``wipe``."""
        mac = _alive(self._mac).copy()
        mac.update(data)
        return mac.finalize()[:TERM_SIZE]

    def wipe(self) -> None:
        """Let go of both keys, which overwrites them. The key is of no use afterwards."""
        self._cipher = None
        self._mac = None


def _alive(part: _Part | None) -> _Part:
    if part is None:
        raise ValueError("this key was wiped")
    return part
