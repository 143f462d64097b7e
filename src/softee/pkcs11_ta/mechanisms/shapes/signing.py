# SPDX-License-Identifier: Apache-2.0
"""Sign and verify operations in two shapes: hash the data as it comes, or collect it; then act on the result.

What acts is a function that the mechanism makes for a key, so that an operation costs little to begin.
"""

from collections.abc import Callable

from cryptography.hazmat.primitives.hashes import Hash, HashAlgorithm

from softee.names import CKR
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.mechanisms.functions import VerifyOperation
from softee.pkcs11_ta.mechanisms.shapes.held import Held

Sign = Callable[[bytes], bytes]
"""What was hashed or collected -> signature."""

Verify = Callable[[bytes, bytes], None]
"""Signature, what was hashed or collected -> nothing, or CKR_SIGNATURE_INVALID or CKR_SIGNATURE_LEN_RANGE."""


class BufferedSign:
    """Signs the data itself, which it holds until the end (``limit``: as in Held)."""

    __slots__ = ("_held", "_sign")

    def __init__(self, sign: Sign, *, limit: int | None) -> None:
        self._sign = sign
        self._held = Held(limit)

    def update(self, part: bytes | bytearray) -> None:
        """Take a part of the data. Raises CKR_DEVICE_MEMORY."""
        self._held.add(part)

    def finish(self) -> bytes:
        """Return the signature."""
        return self._sign(self._held.all())


class BufferedVerify:
    """Verifies a signature of the data itself, which it holds until the end (``limit``: as in Held)."""

    __slots__ = ("_held", "_verify")

    def __init__(self, verify: Verify, *, limit: int | None) -> None:
        self._verify = verify
        self._held = Held(limit)

    def update(self, part: bytes | bytearray) -> None:
        """Take a part of the data. Raises CKR_DEVICE_MEMORY."""
        self._held.add(part)

    def finish(self, signature: bytes) -> None:
        """Return where ``signature`` is right, else raise."""
        self._verify(signature, self._held.all())


class HashedSign:
    """Signs the digest of the data."""

    __slots__ = ("_sign", "_state")

    def __init__(self, algorithm: HashAlgorithm, sign: Sign) -> None:
        self._sign = sign
        self._state = Hash(algorithm)

    def update(self, part: bytes | bytearray) -> None:
        """Take a part of the data."""
        self._state.update(part)

    def finish(self) -> bytes:
        """Return the signature."""
        return self._sign(self._state.finalize())


class HashedVerify:
    """Verifies a signature of the digest of the data."""

    __slots__ = ("_state", "_verify")

    def __init__(self, algorithm: HashAlgorithm, verify: Verify) -> None:
        self._verify = verify
        self._state = Hash(algorithm)

    def update(self, part: bytes | bytearray) -> None:
        """Take a part of the data."""
        self._state.update(part)

    def finish(self, signature: bytes) -> None:
        """Return where ``signature`` is right, else raise."""
        self._verify(signature, self._state.finalize())


def bad_signature() -> Pkcs11Error:
    """Return the one error for a signature that is not right, whatever is wrong with it."""
    return Pkcs11Error(CKR.SIGNATURE_INVALID, "the signature is not by this key over this data")


def check_signature_size(signature: bytes, size: int) -> None:
    """Raise CKR_SIGNATURE_LEN_RANGE unless ``signature`` has ``size`` bytes."""
    if len(signature) != size:
        raise Pkcs11Error(CKR.SIGNATURE_LEN_RANGE, f"signature of {len(signature)} bytes where the key makes {size}")


class SignatureCheck:
    """Verifies a signature that is known before its data."""

    __slots__ = ("_signature", "_verify")

    def __init__(self, verify: VerifyOperation, signature: bytes) -> None:
        self._verify = verify
        self._signature = signature

    def update(self, part: bytes | bytearray) -> None:
        """Take a part of the data. Raises as the mechanism says."""
        self._verify.update(part)

    def finish(self) -> None:
        """Return where the signature is right. Raises CKR_SIGNATURE_INVALID."""
        self._verify.finish(self._signature)
