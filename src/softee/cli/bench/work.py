# SPDX-License-Identifier: Apache-2.0
"""The rows' operations by ``cryptography``, in this process: the part of the floor that is no round trip.

Each :data:`Work` makes ready, as a token has its keys parsed, and returns what does the operation once.
"""

import os
from collections.abc import Callable
from functools import cache, partial

from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC, GCM

from softee.cli.bench import keys

Work = Callable[[], Callable[[], object]]

MESSAGE = bytes(range(32))
"""What is signed: for ECDSA, it stands for a SHA-256 digest."""

VECTOR_16, VECTOR_12 = bytes(16), bytes(12)
_ECDSA = ec.ECDSA(Prehashed(hashes.SHA256()))
_PKCS1, _SHA256 = padding.PKCS1v15(), hashes.SHA256()
_HALF = 32
"""Bytes of each half of a P-256 signature."""


def nothing() -> Callable[[], object]:
    """Do nothing: the floor is the round trip."""
    return lambda: None


def random() -> Callable[[], object]:
    """Return 32 bytes of the kernel's."""
    return partial(os.urandom, 32)


def sign_p256() -> Callable[[], object]:
    """Sign with P-256."""
    return partial(keys.p256().sign, MESSAGE, _ECDSA)


def sign_p384() -> Callable[[], object]:
    """Sign with P-384."""
    return partial(keys.p384().sign, MESSAGE, _ECDSA)


def sign_edwards() -> Callable[[], object]:
    """Sign with Ed25519."""
    return partial(keys.edwards().sign, MESSAGE)


def sign_rsa(bits: int) -> Work:
    """Sign with RSA."""
    return lambda: partial(keys.rsa_key(bits).sign, MESSAGE, _PKCS1, _SHA256)


@cache
def p256_signature() -> bytes:
    """Return a signature of the message by the P-256 key, as PKCS#11 has it."""
    halves = decode_dss_signature(keys.p256().sign(MESSAGE, _ECDSA))
    return b"".join(half.to_bytes(_HALF, "big") for half in halves)


def verify_p256() -> Callable[[], object]:
    """Verify with P-256."""
    halves = (int.from_bytes(half, "big") for half in (p256_signature()[:_HALF], p256_signature()[_HALF:]))
    return partial(keys.p256().public_key().verify, encode_dss_signature(*halves), MESSAGE, _ECDSA)


@cache
def rsa_signature() -> bytes:
    """Return a signature of the message by the RSA-2048 key."""
    return keys.rsa_key(2048).sign(MESSAGE, _PKCS1, _SHA256)


def verify_rsa() -> Callable[[], object]:
    """Verify with RSA-2048."""
    return partial(keys.rsa_key(2048).public_key().verify, rsa_signature(), MESSAGE, _PKCS1, _SHA256)


def hmac_sha256() -> Callable[[], object]:
    """Authenticate the message."""

    def once() -> bytes:
        mac = hmac.HMAC(keys.secret(32), _SHA256)
        mac.update(MESSAGE)
        return mac.finalize()

    return once


def cbc(size: int) -> Work:
    """Encrypt so many bytes with AES-256-CBC."""
    return lambda: partial(_encrypt, CBC(VECTOR_16), bytes(size))


def gcm(size: int) -> Work:
    """Encrypt so many bytes with AES-256-GCM."""
    return lambda: partial(_encrypt, GCM(VECTOR_12), bytes(size))


def sha256(size: int) -> Work:
    """Digest so many bytes."""
    return lambda: partial(_digest, bytes(size))


def generate() -> Callable[[], object]:
    """Generate a P-256 key."""
    return partial(ec.generate_private_key, ec.SECP256R1())


def _encrypt(mode: CBC | GCM, data: bytes) -> bytes:
    encryptor = Cipher(AES(keys.secret(32)), mode).encryptor()
    return encryptor.update(data) + encryptor.finalize()


def _digest(data: bytes) -> bytes:
    digest = hashes.Hash(_SHA256)
    digest.update(data)
    return digest.finalize()
