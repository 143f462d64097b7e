# SPDX-License-Identifier: Apache-2.0
"""The user key under a PIN. Opening it *is* the PIN check: nothing is stored that a PIN could be compared with.

The wrapping key is HKDF-SHA256(Argon2id(PIN, salt) ‖ vault secret): guessing a PIN takes the store, the root key, and
Argon2id's price for each guess.
"""

import secrets
import threading
from dataclasses import dataclass
from typing import cast

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from softee.names import CKR, CKU
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.token.state import SALT_SIZE, Cost, PinCredential
from softee.tee.keys import wipe
from softee.tee.sealing import SealKey, TamperedError

MIN_PIN, MAX_PIN = 4, 128
"""Shortest and longest PIN in bytes, as in OP-TEE."""

USER_KEY_SIZE = 32
DEFAULT_COST = Cost(memory=19 * 1024, passes=2, lanes=1)
"""OWASP's first choice for Argon2id; 21 to 30 ms. Stored with each credential, so that it can grow."""

_KEY_SIZE = 32


def new_user_key() -> bytearray:
    """Return a new random user key."""
    return bytearray(secrets.token_bytes(USER_KEY_SIZE))


def pin_fits(pin: bytes | bytearray) -> bool:
    """Tell whether a PIN has an allowed length."""
    return MIN_PIN <= len(pin) <= MAX_PIN


def require_pin_length(pin: bytes | bytearray, rv: CKR = CKR.PIN_LEN_RANGE) -> None:
    """Raise ``rv`` for a PIN that is too short or too long to be set."""
    if not pin_fits(pin):
        raise Pkcs11Error(rv, f"a PIN has {MIN_PIN} to {MAX_PIN} bytes, this one {len(pin)}")


@dataclass(frozen=True, slots=True)
class PinWrapper:
    """Wraps user keys under PINs.

    ``running`` bounds how many Argon2id computations run at once in the process: each takes ``cost.memory`` KiB.
    """

    running: threading.BoundedSemaphore
    cost: Cost = DEFAULT_COST

    def wrap(self, user: CKU, pin: bytearray, vault_secret: bytes, user_key: bytearray) -> PinCredential:
        """Wrap the user key under a new PIN, with a new salt and no failures."""
        salt = secrets.token_bytes(SALT_SIZE)
        key = self._key(pin, salt, self.cost, vault_secret)
        try:
            return PinCredential(salt, self.cost, key.seal(_context(user), user_key))
        finally:
            key.wipe()

    def unwrap(
        self, user: CKU, pin: bytearray, vault_secret: bytes, credential: PinCredential, *, cheaply: bool = False
    ) -> bytearray | None:
        """Return the user key, or None for a wrong PIN.

        ``cheaply``: a PIN of a length that cannot be right is wrong without a computation, as in OP-TEE. Otherwise it
        costs as much as any, so that nobody uses up tries, or time, at a better price.
        """
        if cheaply and not pin_fits(pin):
            return None
        key = self._key(pin, credential.salt, credential.cost, vault_secret)
        try:
            return key.open(_context(user), credential.wrapped)
        except TamperedError:
            return None
        finally:
            key.wipe()

    def _key(self, pin: bytearray, salt: bytes, cost: Cost, vault_secret: bytes) -> SealKey:
        stretched = bytearray(_KEY_SIZE)
        with self.running:
            Argon2id(
                salt=salt, length=_KEY_SIZE, iterations=cost.passes, lanes=cost.lanes, memory_cost=cost.memory
            ).derive_into(cast("bytes", pin), stretched)  # any buffer does, and a bytearray can be wiped
        material = stretched + vault_secret
        wrapping = bytearray(_KEY_SIZE)
        HKDF(SHA256(), _KEY_SIZE, salt=None, info=b"softee user key under PIN").derive_into(material, wrapping)
        key = SealKey(wrapping)
        for secret in (stretched, material, wrapping):
            wipe(secret)
        return key


def _context(user: CKU) -> bytes:
    return b"softee user key, PIN of " + user.name.encode("ascii")
