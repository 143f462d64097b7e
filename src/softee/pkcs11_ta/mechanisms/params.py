# SPDX-License-Identifier: Apache-2.0
"""Mechanism parameters as they travel: CK_ULONGs as 32 bits, structures as their fields one after the other.

Every codec reads through a bounded reader, refuses leftovers and raises CKR_MECHANISM_PARAM_INVALID with the reason.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from softee.names import CKR, CKZ
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.mechanisms.shapes.hash_functions import MASK_GENERATION, MASKING, HashFunction
from softee.wire.codec import Reader, WireError

P = TypeVar("P")

BLOCK = 16
"""Bytes of an AES block, and so of an initialization vector."""

COUNTER_BITS = 8 * BLOCK

LARGEST_LABEL = 4096
"""Bytes of an OAEP label: it stays in memory as long as its operation, of which a client may have thousands."""

_NO_SOURCE = 0
"""What callers without an OAEP label put where CKZ_DATA_SPECIFIED belongs."""


@dataclass(frozen=True, slots=True)
class CounterBlock:
    """CK_AES_CTR_PARAMS: the first counter block, and how many of its rightmost bits count."""

    bits: int
    block: bytes


@dataclass(frozen=True, slots=True)
class PssParams:
    """CK_RSA_PKCS_PSS_PARAMS; ``salt`` in bytes."""

    hash: HashFunction
    mgf: HashFunction
    salt: int


@dataclass(frozen=True, slots=True)
class OaepParams:
    """CK_RSA_PKCS_OAEP_PARAMS with encoding parameter (label) ``label``, b"" for none."""

    hash: HashFunction
    mgf: HashFunction
    label: bytes


def _whole(read: Callable[[Reader], P]) -> Callable[[bytes], P]:
    """Make a codec of ``read``: too few bytes and leftovers are refused."""

    def codec(raw: bytes) -> P:
        reader = Reader(raw)
        try:
            value = read(reader)
            reader.finish()
        except WireError as error:
            raise Pkcs11Error(CKR.MECHANISM_PARAM_INVALID, f"parameter of {len(raw)} bytes: {error}") from error
        return value

    return codec


def _hash_function(reader: Reader) -> HashFunction:
    mechanism = reader.u32()
    if mechanism not in MASKING:
        raise Pkcs11Error(CKR.MECHANISM_PARAM_INVALID, f"hashAlg {mechanism:#x} is none of SHA-1 to SHA-512")
    return MASKING[mechanism]


def _mask_generation(reader: Reader) -> HashFunction:
    mgf = reader.u32()
    if mgf not in MASK_GENERATION:
        raise Pkcs11Error(CKR.MECHANISM_PARAM_INVALID, f"mgf {mgf:#x} is none of MGF1 with SHA-1 to SHA-512")
    return MASK_GENERATION[mgf]


@_whole
def initialization_vector(reader: Reader) -> bytes:
    """Read the 16 bytes of an AES initialization vector."""
    return reader.take(BLOCK)


@_whole
def counter_block(reader: Reader) -> CounterBlock:
    """Read CK_AES_CTR_PARAMS: u32 ulCounterBits (1 to 128), 16 bytes."""
    bits = reader.u32()
    if not 1 <= bits <= COUNTER_BITS:
        raise Pkcs11Error(CKR.MECHANISM_PARAM_INVALID, f"ulCounterBits {bits} is not 1 to {COUNTER_BITS}")
    return CounterBlock(bits, reader.take(BLOCK))


@_whole
def pss(reader: Reader) -> PssParams:
    """Read CK_RSA_PKCS_PSS_PARAMS: u32 hashAlg, u32 mgf, u32 sLen."""
    return PssParams(_hash_function(reader), _mask_generation(reader), reader.u32())


@_whole
def oaep(reader: Reader) -> OaepParams:
    """Read CK_RSA_PKCS_OAEP_PARAMS: u32 hashAlg, u32 mgf, u32 source, u32 size of the label, the label."""
    hash_function, mgf = _hash_function(reader), _mask_generation(reader)
    source, label = reader.u32(), reader.take(reader.u32())
    if len(label) > LARGEST_LABEL:
        raise Pkcs11Error(CKR.MECHANISM_PARAM_INVALID, f"a label of {len(label)} bytes; {LARGEST_LABEL} are allowed")
    if source != CKZ.DATA_SPECIFIED and (source != _NO_SOURCE or label):
        raise Pkcs11Error(CKR.MECHANISM_PARAM_INVALID, f"source {source} is not CKZ_DATA_SPECIFIED")
    return OaepParams(hash_function, mgf, label)


def mac_length(largest: int) -> Callable[[bytes], int]:
    """Return the codec of CK_MAC_GENERAL_PARAMS, u32 bytes of MAC wanted, for a MAC of ``largest`` bytes.

    Outside of 1 to ``largest`` the codec answers CKR_SIGNATURE_LEN_RANGE, as OP-TEE does.
    """

    @_whole
    def codec(reader: Reader) -> int:
        length = reader.u32()
        if not 1 <= length <= largest:
            raise Pkcs11Error(CKR.SIGNATURE_LEN_RANGE, f"a MAC of {length} bytes was asked for, not 1 to {largest}")
        return length

    return codec
