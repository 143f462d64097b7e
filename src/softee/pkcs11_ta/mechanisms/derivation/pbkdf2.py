# SPDX-License-Identifier: Apache-2.0
"""Keys from passwords with PBKDF2 (PKCS#11 3.2, section 6, PKCS #5 PBKDF2; RFC 8018).

The type is the template's, a generic secret where it says none. How much one call computes is bounded: its session
waits for it.
"""

from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

from softee.names import CKA, CKM, Pbkd2Prf, Pbkd2Salt
from softee.pkcs11_ta.attributes.secret_bytes import SecretBytes
from softee.pkcs11_ta.attributes.values import Attributes, Parts
from softee.pkcs11_ta.keys.table import SECRET_KEY_TYPES
from softee.pkcs11_ta.mechanisms.functions import KeyGenerating
from softee.pkcs11_ta.mechanisms.params import invalid
from softee.pkcs11_ta.mechanisms.shapes import hash_functions as h
from softee.pkcs11_ta.mechanisms.shapes.deriving import key_size
from softee.pkcs11_ta.mechanisms.shapes.hash_functions import HashFunction, hash_in
from softee.pkcs11_ta.mechanisms.spec import AnyMechanism, MechanismSpec

MOST_ITERATIONS: Final = 5_000_000
"""Of all blocks of a key together: a few seconds."""

_PRFS: Final = {
    Pbkd2Prf.PKCS5_PBKD2_HMAC_SHA1: h.SHA1,
    Pbkd2Prf.PKCS5_PBKD2_HMAC_SHA224: h.SHA224,
    Pbkd2Prf.PKCS5_PBKD2_HMAC_SHA256: h.SHA256,
    Pbkd2Prf.PKCS5_PBKD2_HMAC_SHA384: h.SHA384,
    Pbkd2Prf.PKCS5_PBKD2_HMAC_SHA512: h.SHA512,
    Pbkd2Prf.PKCS5_PBKD2_HMAC_SHA512_224: h.SHA512_224,
    Pbkd2Prf.PKCS5_PBKD2_HMAC_SHA512_256: h.SHA512_256,
}


@dataclass(frozen=True, slots=True)
class Pbkdf2Params:
    """CK_PKCS5_PBKD2_PARAMS2."""

    hash: HashFunction
    salt: bytes
    iterations: int
    password: bytes


def _params(  # noqa: PLR0917 - the structure has so many members
    source: int, salt: bytes, iterations: int, prf: int, data: bytes, password: bytes
) -> Pbkdf2Params:
    if source != Pbkd2Salt.SALT_SPECIFIED:
        raise invalid(f"saltSource {source} is not CKZ_SALT_SPECIFIED")
    if prf not in set(_PRFS) or data:
        raise invalid(f"prf {prf} with {len(data)} bytes of data is no HMAC with SHA-1 or SHA-2")
    if not 1 <= iterations <= MOST_ITERATIONS:
        raise invalid(f"{iterations} iterations; 1 to {MOST_ITERATIONS} are allowed")
    return Pbkdf2Params(_PRFS[Pbkd2Prf(prf)], salt, iterations, password)


def _generate(params: Pbkdf2Params, template: Attributes) -> Parts:
    length = key_size(template)
    blocks = -(-length // params.hash.size)
    if blocks * params.iterations > MOST_ITERATIONS:
        raise invalid(f"{params.iterations} iterations for {blocks} blocks; {MOST_ITERATIONS} in all are allowed")
    derived = PBKDF2HMAC(params.hash.algorithm, length, params.salt, params.iterations).derive(params.password)
    return {CKA.VALUE: SecretBytes(derived)}


SPECS: tuple[AnyMechanism, ...] = (
    MechanismSpec(
        mechanism=CKM.PKCS5_PBKD2,
        key_types=SECRET_KEY_TYPES,
        params=_params,
        hashes_in=hash_in,
        functions=(KeyGenerating(generate=_generate, slow=True),),
    ),
)
