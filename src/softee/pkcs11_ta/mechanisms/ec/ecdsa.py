# SPDX-License-Identifier: Apache-2.0
"""ECDSA (PKCS#11 3.2, section 6.3; FIPS 186-5): signatures are r and s, each as wide as the curve's field.

CKM_ECDSA takes a digest of any size; of one longer than the curve's order the leftmost bits count. The others hash
first.
"""

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.hashes import HashAlgorithm

from softee.names import CKM, CKR
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.keys.ec import KEY_SIZE, KEY_TYPES, field_size, private_key, public_key
from softee.pkcs11_ta.keys.view import KeyView
from softee.pkcs11_ta.mechanisms.functions import Signing
from softee.pkcs11_ta.mechanisms.params import no_params
from softee.pkcs11_ta.mechanisms.shapes import hash_functions as h
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


class _AnyDigest(HashAlgorithm):
    """Stands for whatever hash function made a digest of ``size`` bytes."""

    name = "any"
    block_size = None

    def __init__(self, size: int) -> None:
        self._size = size

    @property
    def digest_size(self) -> int:
        """Bytes of the digest."""
        return self._size


_LARGEST_FIELD = 66
"""Bytes of a P-521 coordinate: no byte of a digest beyond that matters."""

_ALGORITHMS = {size: ECDSA(Prehashed(_AnyDigest(size))) for size in range(1, _LARGEST_FIELD + 1)}
"""By size of the digest in bytes."""


def _significant(digest: bytes, width: int) -> bytes:
    """Return the bytes of ``digest`` that can matter. Raises CKR_FUNCTION_FAILED for none at all, as OP-TEE."""
    if not digest:
        raise Pkcs11Error(CKR.FUNCTION_FAILED, "there is no digest to sign or verify")
    return digest[:width]


def _signer(key: KeyView) -> Sign:
    private, width = private_key(key), field_size(key)

    def sign(digest: bytes) -> bytes:
        digest = _significant(digest, width)
        r, s = decode_dss_signature(private.sign(digest, _ALGORITHMS[len(digest)]))
        return r.to_bytes(width, "big") + s.to_bytes(width, "big")

    return sign


def _verifier(key: KeyView) -> Verify:
    public, width = public_key(key), field_size(key)

    def verify(signature: bytes, digest: bytes) -> None:
        digest = _significant(digest, width)
        check_signature_size(signature, 2 * width)
        r, s = int.from_bytes(signature[:width], "big"), int.from_bytes(signature[width:], "big")
        try:
            public.verify(encode_dss_signature(r, s), digest, _ALGORITHMS[len(digest)])
        except InvalidSignature:
            raise bad_signature() from None

    return verify


def _signature_size(key: KeyView, _: None) -> int:
    return 2 * field_size(key)


def _hashed(mechanism: CKM, hash_function: h.HashFunction) -> MechanismSpec[None]:
    """Describe the mechanism that signs the data's digest by ``hash_function``."""
    algorithm = hash_function.algorithm
    return MechanismSpec(
        mechanism=mechanism,
        key_types=KEY_TYPES,
        key_size=KEY_SIZE,
        params=no_params,
        functions=(
            Signing(
                sign=lambda key, _: HashedSign(algorithm, _signer(key)),
                verify=lambda key, _: HashedVerify(algorithm, _verifier(key)),
                size=_signature_size,
            ),
        ),
    )


SPECS: tuple[AnyMechanism, ...] = (
    _hashed(CKM.ECDSA_SHA512, h.SHA512),
    _hashed(CKM.ECDSA_SHA384, h.SHA384),
    _hashed(CKM.ECDSA_SHA256, h.SHA256),
    _hashed(CKM.ECDSA_SHA224, h.SHA224),
    _hashed(CKM.ECDSA_SHA1, h.SHA1),
    MechanismSpec(
        mechanism=CKM.ECDSA,
        key_types=KEY_TYPES,
        key_size=KEY_SIZE,
        params=no_params,
        multi_part=False,
        functions=(
            Signing(
                sign=lambda key, _: BufferedSign(_signer(key), limit=None),
                verify=lambda key, _: BufferedVerify(_verifier(key), limit=None),
                size=_signature_size,
            ),
        ),
    ),
    _hashed(CKM.ECDSA_SHA3_512, h.SHA3_512),
    _hashed(CKM.ECDSA_SHA3_384, h.SHA3_384),
    _hashed(CKM.ECDSA_SHA3_256, h.SHA3_256),
    _hashed(CKM.ECDSA_SHA3_224, h.SHA3_224),
)
