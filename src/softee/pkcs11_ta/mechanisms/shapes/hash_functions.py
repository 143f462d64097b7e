# SPDX-License-Identifier: Apache-2.0
"""The hash functions that digests, HMACs and signatures are made with, and how parameters name them.

This is the one place that knows which CKM and which CKG stands for which hash function.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from cryptography.hazmat.primitives import hashes

from softee.names import CKG, CKM


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


MD5 = HashFunction(CKM.MD5, None, hashes.MD5())  # noqa: S303 - a token offers what the standard names; callers choose
SHA1 = HashFunction(CKM.SHA_1, CKG.MGF1_SHA1, hashes.SHA1())  # noqa: S303 - likewise
SHA224 = HashFunction(CKM.SHA224, CKG.MGF1_SHA224, hashes.SHA224())
SHA256 = HashFunction(CKM.SHA256, CKG.MGF1_SHA256, hashes.SHA256())
SHA384 = HashFunction(CKM.SHA384, CKG.MGF1_SHA384, hashes.SHA384())
SHA512 = HashFunction(CKM.SHA512, CKG.MGF1_SHA512, hashes.SHA512())

HASH_FUNCTIONS = (SHA512, SHA384, SHA256, SHA224, SHA1, MD5)

MASKING: Mapping[int, HashFunction] = MappingProxyType({h.mechanism: h for h in HASH_FUNCTIONS if h.mgf})
"""By digest mechanism: those that PSS and OAEP may hash with."""

MASK_GENERATION: Mapping[int, HashFunction] = MappingProxyType({h.mgf: h for h in HASH_FUNCTIONS if h.mgf})
"""By CKG: those that PSS and OAEP may generate masks with."""
