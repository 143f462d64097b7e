# SPDX-License-Identifier: Apache-2.0
"""What the parameters of PSS and OAEP have in common: a hash function, and one that masks are generated with."""

from softee.pkcs11_ta.mechanisms.params import invalid
from softee.pkcs11_ta.mechanisms.shapes.hash_functions import MASK_GENERATION, MASKING, HashFunction


def hash_function(mechanism: int) -> HashFunction:
    """Return the hash function that ``hashAlg`` names. Raises CKR_MECHANISM_PARAM_INVALID."""
    if mechanism not in MASKING:
        raise invalid(f"hashAlg {mechanism:#x} is none of SHA-1 to SHA-512 and SHA-3")
    return MASKING[mechanism]


def mask_generation(mgf: int) -> HashFunction:
    """Return the hash function of the MGF1 that ``mgf`` names. Raises CKR_MECHANISM_PARAM_INVALID."""
    if mgf not in MASK_GENERATION:
        raise invalid(f"mgf {mgf:#x} is none of MGF1 with SHA-1 to SHA-512 and SHA-3")
    return MASK_GENERATION[mgf]
