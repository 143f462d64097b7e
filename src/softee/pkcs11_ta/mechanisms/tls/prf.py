# SPDX-License-Identifier: Apache-2.0
"""The pseudorandom function of TLS 1.2 (RFC 5246, section 5): HMACs of the library, one after the other.

No library has the function itself. What it gives tells nothing of the secret, however little of it is taken.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from softee.names import CKK
from softee.pkcs11_ta.keys.view import KeyView
from softee.pkcs11_ta.mechanisms.params import invalid
from softee.pkcs11_ta.mechanisms.shapes import hash_functions as h
from softee.pkcs11_ta.mechanisms.shapes.hash_functions import HashFunction

SECRETS: Final = frozenset({CKK.GENERIC_SECRET})
"""The type of premaster and master secrets, and of those that authenticate."""

MASTER_SIZE: Final = 48
"""Bytes of a master secret, and of the premaster secret that RSA carries."""

RANDOM_SIZE: Final = 32
"""Bytes of the client's and of the server's random."""

_HASHES: Final[Mapping[int, HashFunction]] = MappingProxyType(
    {one.mechanism: one for one in (h.SHA256, h.SHA384, h.SHA512)}
)
"""Those of TLS 1.2's cipher suites, and the next stronger."""


def hash_of(mechanism: int) -> HashFunction:
    """Return the hash function that a parameter names. Raises CKR_MECHANISM_PARAM_INVALID."""
    if mechanism not in _HASHES:
        raise invalid(f"{mechanism:#x} is no hash function of TLS 1.2: SHA-256, SHA-384 or SHA-512")
    return _HASHES[mechanism]


def randoms_of(client: bytes, server: bytes) -> bytes:
    """Return the client's and the server's random, one after the other. Raises CKR_MECHANISM_PARAM_INVALID."""
    if len(client) != RANDOM_SIZE or len(server) != RANDOM_SIZE:
        raise invalid(f"randoms of {len(client)} and {len(server)} bytes, not {RANDOM_SIZE}")
    return client + server


def prf(function: HashFunction, key: KeyView, label: bytes, seed: bytes, size: int) -> bytearray:
    """Return ``size`` bytes of PRF(secret, label, seed)."""
    secret, labelled = key.secret(), label + seed

    def hmac(data: bytes) -> bytes:
        context = function.begin_hmac(secret)
        context.update(data)
        return context.finalize()

    made, last = bytearray(), labelled
    while len(made) < size:
        last = hmac(last)
        made += hmac(last + labelled)
    del made[size:]
    return made
