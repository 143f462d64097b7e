# SPDX-License-Identifier: Apache-2.0
"""RSA-PSS signatures (PKCS#11 3.2, section 6.1; RFC 8017, 8.1).

CKM_RSA_PKCS_PSS takes a digest of the parameter's hash function; the others hash with their own, and the parameter must
name the same one. The mask may be generated with any of the hash functions.
"""

from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from softee.names import CKM, CKR
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.keys.rsa import KEY_SIZE, KEY_TYPES, private_key, public_key
from softee.pkcs11_ta.keys.view import KeyView
from softee.pkcs11_ta.mechanisms.functions import Signing
from softee.pkcs11_ta.mechanisms.params import invalid
from softee.pkcs11_ta.mechanisms.rsa.masking import hash_function, mask_generation
from softee.pkcs11_ta.mechanisms.rsa.sizes import BITS_PER_BYTE, modulus_size, signature_size
from softee.pkcs11_ta.mechanisms.shapes.hash_functions import (
    SHA1,
    SHA3_224,
    SHA3_256,
    SHA3_384,
    SHA3_512,
    SHA224,
    SHA256,
    SHA384,
    SHA512,
    HashFunction,
)
from softee.pkcs11_ta.mechanisms.shapes.signing import (
    BufferedSign,
    BufferedVerify,
    HashedSign,
    HashedVerify,
    Sign,
    Verify,
    bad_signature,
    check_signature_size,
)
from softee.pkcs11_ta.mechanisms.spec import AnyMechanism, MechanismSpec

_SEPARATORS = 2
"""Bytes of an encoded message besides digest and salt: 0x01 before the salt, 0xBC at the end."""


@dataclass(frozen=True, slots=True)
class PssParams:
    """CK_RSA_PKCS_PSS_PARAMS; ``salt`` in bytes."""

    hash: HashFunction
    mgf: HashFunction
    salt: int


def hashes_in(params: PssParams) -> frozenset[CKM]:
    """Return the hash functions that a parameter chooses."""
    return frozenset({params.hash.mechanism, params.mgf.mechanism})


def pss(hash_alg: int, mgf: int, salt: int) -> PssParams:
    """Check CK_RSA_PKCS_PSS_PARAMS."""
    return PssParams(hash_function(hash_alg), mask_generation(mgf), salt)


def _padding(key: KeyView, params: PssParams) -> PSS:
    """Return the library's padding. Raises CKR_KEY_SIZE_RANGE where the key has no room for the salt."""
    encoded = -(-(key.size - 1) // BITS_PER_BYTE)
    longest = encoded - params.hash.size - _SEPARATORS
    if params.salt > longest:
        detail = f"salt of {params.salt} bytes where {key.size} bits and {params.hash.algorithm.name} leave {longest}"
        raise Pkcs11Error(CKR.KEY_SIZE_RANGE, detail)
    return PSS(MGF1(params.mgf.algorithm), params.salt)


def _check_digest(digest: bytes, params: PssParams) -> None:
    if len(digest) != params.hash.size:
        detail = f"{len(digest)} bytes where a digest by {params.hash.algorithm.name} has {params.hash.size}"
        raise Pkcs11Error(CKR.DATA_LEN_RANGE, detail)


def _signer(key: KeyView, params: PssParams) -> Sign:
    private, padding, prehashed = private_key(key), _padding(key, params), Prehashed(params.hash.algorithm)

    def sign(digest: bytes) -> bytes:
        _check_digest(digest, params)
        return private.sign(digest, padding, prehashed)

    return sign


def _verifier(key: KeyView, params: PssParams) -> Verify:
    public, padding, prehashed = public_key(key), _padding(key, params), Prehashed(params.hash.algorithm)
    size = modulus_size(key)

    def verify(signature: bytes, digest: bytes) -> None:
        _check_digest(digest, params)
        check_signature_size(signature, size)
        try:
            public.verify(signature, digest, padding, prehashed)
        except InvalidSignature:
            raise bad_signature() from None

    return verify


def _hashed(mechanism: CKM, hashing: HashFunction) -> MechanismSpec[PssParams]:
    """Describe the mechanism that signs the data's digest by ``hashing``."""
    algorithm = hashing.algorithm

    def params(hash_alg: int, mgf: int, salt: int) -> PssParams:
        checked = pss(hash_alg, mgf, salt)
        if checked.hash is not hashing:
            raise invalid(f"hashAlg {hash_alg:#x} where the mechanism hashes with {algorithm.name}")
        return checked

    return MechanismSpec(
        mechanism=mechanism,
        key_types=KEY_TYPES,
        key_size=KEY_SIZE,
        params=params,
        hashes_in=hashes_in,
        functions=(
            Signing(
                sign=lambda key, decoded: HashedSign(algorithm, _signer(key, decoded)),
                verify=lambda key, decoded: HashedVerify(algorithm, _verifier(key, decoded)),
                size=signature_size,
            ),
        ),
    )


SPECS: tuple[AnyMechanism, ...] = (
    _hashed(CKM.SHA224_RSA_PKCS_PSS, SHA224),
    _hashed(CKM.SHA512_RSA_PKCS_PSS, SHA512),
    _hashed(CKM.SHA384_RSA_PKCS_PSS, SHA384),
    _hashed(CKM.SHA256_RSA_PKCS_PSS, SHA256),
    _hashed(CKM.SHA1_RSA_PKCS_PSS, SHA1),
    MechanismSpec(
        mechanism=CKM.RSA_PKCS_PSS,
        key_types=KEY_TYPES,
        params=pss,
        hashes_in=hashes_in,
        multi_part=False,
        functions=(
            Signing(
                sign=lambda key, params: BufferedSign(_signer(key, params), limit=None),
                verify=lambda key, params: BufferedVerify(_verifier(key, params), limit=None),
                size=signature_size,
            ),
        ),
    ),
    _hashed(CKM.SHA3_512_RSA_PKCS_PSS, SHA3_512),
    _hashed(CKM.SHA3_384_RSA_PKCS_PSS, SHA3_384),
    _hashed(CKM.SHA3_256_RSA_PKCS_PSS, SHA3_256),
    _hashed(CKM.SHA3_224_RSA_PKCS_PSS, SHA3_224),
)
