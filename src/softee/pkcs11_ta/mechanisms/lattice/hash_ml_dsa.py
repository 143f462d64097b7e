# SPDX-License-Identifier: Apache-2.0
"""HashML-DSA, signatures of digests (PKCS#11 3.2, section 6.67; FIPS 204, algorithms 4 and 5).

CKM_HASH_ML_DSA signs a digest that the application has made, the others make it. SHAKE128 and SHAKE256 have no digest
mechanism in PKCS#11 3.2, by which a parameter could name them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes

from softee.names import CKM, CKR
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.keys.ml_dsa import KEY_TYPES, SETS, private_key, public_key
from softee.pkcs11_ta.keys.view import KeyView
from softee.pkcs11_ta.mechanisms.functions import Signing
from softee.pkcs11_ta.mechanisms.lattice.ml_dsa import signature_size
from softee.pkcs11_ta.mechanisms.params import invalid
from softee.pkcs11_ta.mechanisms.shapes import hash_functions as h
from softee.pkcs11_ta.mechanisms.shapes.additional_context import SignParams, sign_params
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

_NIST_HASHES = "2.16.840.1.101.3.4.2"


@dataclass(frozen=True, slots=True)
class Prehash:
    """A hash function that a message may be hashed with first: its object identifier, and the library's object."""

    oid: str
    algorithm: hashes.HashAlgorithm


_NAMED: Final[Mapping[int, Prehash]] = MappingProxyType(
    {
        function.mechanism: Prehash(f"{_NIST_HASHES}.{arc}", function.algorithm)
        for function, arc in (
            (h.SHA256, 1),
            (h.SHA384, 2),
            (h.SHA512, 3),
            (h.SHA224, 4),
            (h.SHA512_224, 5),
            (h.SHA512_256, 6),
            (h.SHA3_224, 7),
            (h.SHA3_256, 8),
            (h.SHA3_384, 9),
            (h.SHA3_512, 10),
        )
    }
)
"""By the digest mechanism, as CK_HASH_SIGN_ADDITIONAL_CONTEXT names them (FIPS 204, section 5.4.1)."""

_SHAKE128: Final = Prehash(f"{_NIST_HASHES}.11", hashes.SHAKE128(32))
_SHAKE256: Final = Prehash(f"{_NIST_HASHES}.12", hashes.SHAKE256(64))


@dataclass(frozen=True, slots=True)
class HashSignParams:
    """CK_HASH_SIGN_ADDITIONAL_CONTEXT."""

    signing: SignParams
    hash: CKM


def hash_sign_params(hedge: int, context: bytes, hash_mechanism: int) -> HashSignParams:
    """Check CK_HASH_SIGN_ADDITIONAL_CONTEXT."""
    if hash_mechanism not in _NAMED:
        raise invalid(f"hash {hash_mechanism:#x} is none that ML-DSA signs digests of")
    return HashSignParams(sign_params(hedge, context), CKM(hash_mechanism))


def _signer(key: KeyView, params: SignParams, oid: str) -> Sign:
    private, deterministic = private_key(key), params.deterministic
    return lambda digest: private.sign_digest(oid, digest, params.context, deterministic=deterministic)


def _verifier(key: KeyView, params: SignParams, oid: str) -> Verify:
    public = public_key(key)

    def verify(signature: bytes, digest: bytes) -> None:
        check_signature_size(signature, public.algorithm.signature_size)
        try:
            public.verify_digest(oid, digest, params.context, signature)
        except InvalidSignature:
            raise bad_signature() from None

    return verify


def _checked(params: HashSignParams, digest: bytes) -> bytes:
    """Return a digest of the right size. Raises CKR_DATA_LEN_RANGE."""
    size = _NAMED[params.hash].algorithm.digest_size
    if len(digest) != size:
        raise Pkcs11Error(CKR.DATA_LEN_RANGE, f"{len(digest)} bytes are no digest of CKM_{params.hash.name}")
    return digest


def _sign_digest(key: KeyView, params: HashSignParams) -> BufferedSign:
    sign = _signer(key, params.signing, _NAMED[params.hash].oid)
    return BufferedSign(lambda digest: sign(_checked(params, digest)), limit=None)


def _verify_digest(key: KeyView, params: HashSignParams) -> BufferedVerify:
    verify = _verifier(key, params.signing, _NAMED[params.hash].oid)
    return BufferedVerify(lambda signature, digest: verify(signature, _checked(params, digest)), limit=None)


def _hashed(mechanism: CKM, prehash: Prehash) -> MechanismSpec[SignParams]:
    """Describe the mechanism that makes the digest, too."""
    return MechanismSpec(
        mechanism=mechanism,
        key_types=KEY_TYPES,
        key_size=SETS.sizes,
        params=sign_params,
        functions=(
            Signing(
                sign=lambda key, params: HashedSign(prehash.algorithm, _signer(key, params, prehash.oid)),
                verify=lambda key, params: HashedVerify(prehash.algorithm, _verifier(key, params, prehash.oid)),
                size=signature_size,
            ),
        ),
    )


SPECS: tuple[AnyMechanism, ...] = (
    MechanismSpec(
        mechanism=CKM.HASH_ML_DSA,
        key_types=KEY_TYPES,
        key_size=SETS.sizes,
        params=hash_sign_params,
        hashes_in=lambda params: frozenset({params.hash}),
        multi_part=False,
        functions=(Signing(sign=_sign_digest, verify=_verify_digest, size=signature_size),),
    ),
    _hashed(CKM.HASH_ML_DSA_SHA224, _NAMED[h.SHA224.mechanism]),
    _hashed(CKM.HASH_ML_DSA_SHA256, _NAMED[h.SHA256.mechanism]),
    _hashed(CKM.HASH_ML_DSA_SHA384, _NAMED[h.SHA384.mechanism]),
    _hashed(CKM.HASH_ML_DSA_SHA512, _NAMED[h.SHA512.mechanism]),
    _hashed(CKM.HASH_ML_DSA_SHA3_224, _NAMED[h.SHA3_224.mechanism]),
    _hashed(CKM.HASH_ML_DSA_SHA3_256, _NAMED[h.SHA3_256.mechanism]),
    _hashed(CKM.HASH_ML_DSA_SHA3_384, _NAMED[h.SHA3_384.mechanism]),
    _hashed(CKM.HASH_ML_DSA_SHA3_512, _NAMED[h.SHA3_512.mechanism]),
    _hashed(CKM.HASH_ML_DSA_SHAKE128, _SHAKE128),
    _hashed(CKM.HASH_ML_DSA_SHAKE256, _SHAKE256),
)
