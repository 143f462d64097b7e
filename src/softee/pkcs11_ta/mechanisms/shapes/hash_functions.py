# SPDX-License-Identifier: Apache-2.0
"""The hash functions that digests, HMACs, derivations and signatures are made with, and how parameters name them.

This is the one place that knows which CKM and which CKG stands for which hash function, and which library has it.
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.hmac import HMAC

from softee.names import CKG, CKM


class HashContext(Protocol):
    """A library's digest or HMAC at work."""

    def update(self, data: bytes | bytearray, /) -> None:
        """Take a part of the data."""
        ...

    def finalize(self) -> bytes:
        """Return the whole."""
        ...

    def copy(self) -> "HashContext":
        """Return another one that is as far."""
        ...


class Hashing(Protocol):
    """What a digest mechanism and all that follows from it are made of."""

    @property
    def mechanism(self) -> CKM:
        """The digest mechanism."""
        ...

    @property
    def size(self) -> int:
        """Bytes of a digest."""
        ...

    def begin(self) -> HashContext:
        """Begin a digest."""
        ...

    def begin_hmac(self, key: bytes | bytearray) -> HashContext:
        """Begin an HMAC."""
        ...


@dataclass(frozen=True, slots=True)
class HashFunction:
    """A hash function: its digest mechanism, the MGF1 that is made from it, and the library's object for it."""

    mechanism: CKM
    mgf: CKG | None
    algorithm: hashes.HashAlgorithm

    @property
    def size(self) -> int:
        """Bytes of a digest."""
        return self.algorithm.digest_size

    def begin(self) -> HashContext:
        """Begin a digest."""
        return hashes.Hash(self.algorithm)

    def begin_hmac(self, key: bytes | bytearray) -> HashContext:
        """Begin an HMAC."""
        return HMAC(key, self.algorithm)


class _StandardLibrary:
    """A digest or HMAC of Python's, with the names that `cryptography` gives its own."""

    __slots__ = ("_state",)

    def __init__(self, state: "hashlib.blake2b | hmac.HMAC") -> None:
        self._state = state

    def update(self, data: bytes | bytearray, /) -> None:
        """Take a part of the data."""
        self._state.update(data)

    def finalize(self) -> bytes:
        """Return the whole."""
        return self._state.digest()

    def copy(self) -> HashContext:
        """Return another one that is as far."""
        return _StandardLibrary(self._state.copy())


@dataclass(frozen=True, slots=True)
class Blake2b:
    """BLAKE2b without a key, of one digest size (RFC 7693). `cryptography` has the longest alone, Python has all."""

    mechanism: CKM
    size: int

    def _new(self, data: bytes = b"") -> "hashlib.blake2b":
        return hashlib.blake2b(data, digest_size=self.size)

    def begin(self) -> HashContext:
        """Begin a digest."""
        return _StandardLibrary(self._new())

    def begin_hmac(self, key: bytes | bytearray) -> HashContext:
        """Begin an HMAC."""
        return _StandardLibrary(hmac.new(key, digestmod=self._new))


MD5 = HashFunction(CKM.MD5, None, hashes.MD5())  # noqa: S303 - a token offers what the standard names; callers choose
SHA1 = HashFunction(CKM.SHA_1, CKG.MGF1_SHA1, hashes.SHA1())  # noqa: S303 - likewise
SHA224 = HashFunction(CKM.SHA224, CKG.MGF1_SHA224, hashes.SHA224())
SHA256 = HashFunction(CKM.SHA256, CKG.MGF1_SHA256, hashes.SHA256())
SHA384 = HashFunction(CKM.SHA384, CKG.MGF1_SHA384, hashes.SHA384())
SHA512 = HashFunction(CKM.SHA512, CKG.MGF1_SHA512, hashes.SHA512())
SHA512_224 = HashFunction(CKM.SHA512_224, None, hashes.SHA512_224())
SHA512_256 = HashFunction(CKM.SHA512_256, None, hashes.SHA512_256())
SHA3_224 = HashFunction(CKM.SHA3_224, CKG.MGF1_SHA3_224, hashes.SHA3_224())
SHA3_256 = HashFunction(CKM.SHA3_256, CKG.MGF1_SHA3_256, hashes.SHA3_256())
SHA3_384 = HashFunction(CKM.SHA3_384, CKG.MGF1_SHA3_384, hashes.SHA3_384())
SHA3_512 = HashFunction(CKM.SHA3_512, CKG.MGF1_SHA3_512, hashes.SHA3_512())
BLAKE2B_160 = Blake2b(CKM.BLAKE2B_160, 20)
BLAKE2B_256 = Blake2b(CKM.BLAKE2B_256, 32)
BLAKE2B_384 = Blake2b(CKM.BLAKE2B_384, 48)
BLAKE2B_512 = Blake2b(CKM.BLAKE2B_512, 64)

HASH_FUNCTIONS = (
    SHA512,
    SHA384,
    SHA256,
    SHA224,
    SHA1,
    MD5,
    SHA512_256,
    SHA512_224,
    SHA3_512,
    SHA3_384,
    SHA3_256,
    SHA3_224,
)
"""Those that signatures can be made with: `cryptography` has them."""

HASHINGS: tuple[Hashing, ...] = (*HASH_FUNCTIONS, BLAKE2B_512, BLAKE2B_384, BLAKE2B_256, BLAKE2B_160)
"""All of them, in the order of C_GetMechanismList, which is OP-TEE's for OP-TEE's."""

MASKING: Mapping[int, HashFunction] = MappingProxyType({h.mechanism: h for h in HASH_FUNCTIONS if h.mgf})
"""By digest mechanism: those that PSS and OAEP may hash with."""

MASK_GENERATION: Mapping[int, HashFunction] = MappingProxyType({h.mgf: h for h in HASH_FUNCTIONS if h.mgf})
"""By CKG: those that PSS and OAEP may generate masks with."""


class HashesParameter(Protocol):
    """A decoded parameter that names a hash function."""

    @property
    def hash(self) -> HashFunction:
        """The hash function."""
        ...


def hash_in(parameter: HashesParameter) -> frozenset[CKM]:
    """Return the digest mechanism that a parameter chooses: the ``hashes_in`` of mechanisms with such parameters."""
    return frozenset({parameter.hash.mechanism})
