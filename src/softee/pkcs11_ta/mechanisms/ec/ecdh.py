# SPDX-License-Identifier: Apache-2.0
"""Elliptic-curve Diffie-Hellman, without and with cofactor (PKCS#11 3.2, section 6.3; X9.63, RFC 7748, SP 800-56A).

The other party's public key may come bare or as a DER OCTET STRING. What is no point of the base key's curve, and a
point of small order, whose secret anybody knows, have one error, so that nothing is learnt from trying. All curves in
Weierstrass form here have the cofactor 1: the two mechanisms do the same on them.

Without a key derivation function the secret is cut at its leading end. The functions of X9.63 and of SP 800-56A (the
concatenation KDF) give any number of bytes. OP-TEE has none of them, and cuts the secret at its other end.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec as weierstrass
from cryptography.hazmat.primitives.asymmetric.x448 import X448PrivateKey, X448PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hashes import HashAlgorithm
from cryptography.hazmat.primitives.kdf.concatkdf import ConcatKDFHash
from cryptography.hazmat.primitives.kdf.x963kdf import X963KDF

from softee.names import CKA, CKD, CKK, CKM, CKR
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.attributes.secret_bytes import SecretBytes
from softee.pkcs11_ta.attributes.values import Attributes, Parts
from softee.pkcs11_ta.keys import ec, montgomery
from softee.pkcs11_ta.keys.view import KeyView, unfit
from softee.pkcs11_ta.mechanisms.functions import Deriving
from softee.pkcs11_ta.mechanisms.params import invalid
from softee.pkcs11_ta.mechanisms.shapes import hash_functions as h
from softee.pkcs11_ta.mechanisms.shapes.deriving import beginning_of_secret, end_of_secret, key_size
from softee.pkcs11_ta.mechanisms.spec import AnyMechanism, MechanismSpec

LARGEST_SHARED_DATA = 1 << 16
"""Bytes of pSharedData: a key derivation function reads them again for each digest's worth of key."""


_Make = Callable[[HashAlgorithm, int, bytes], X963KDF | ConcatKDFHash]


@dataclass(frozen=True, slots=True)
class Kdf:
    """A key derivation function: the library's, and the hash function in it."""

    make: _Make
    hash: h.HashFunction


KDFS: Final = {
    CKD.SHA1_KDF: Kdf(X963KDF, h.SHA1),
    CKD.SHA224_KDF: Kdf(X963KDF, h.SHA224),
    CKD.SHA256_KDF: Kdf(X963KDF, h.SHA256),
    CKD.SHA384_KDF: Kdf(X963KDF, h.SHA384),
    CKD.SHA512_KDF: Kdf(X963KDF, h.SHA512),
    CKD.SHA3_224_KDF: Kdf(X963KDF, h.SHA3_224),
    CKD.SHA3_256_KDF: Kdf(X963KDF, h.SHA3_256),
    CKD.SHA3_384_KDF: Kdf(X963KDF, h.SHA3_384),
    CKD.SHA3_512_KDF: Kdf(X963KDF, h.SHA3_512),
    CKD.SHA1_KDF_SP800: Kdf(ConcatKDFHash, h.SHA1),
    CKD.SHA224_KDF_SP800: Kdf(ConcatKDFHash, h.SHA224),
    CKD.SHA256_KDF_SP800: Kdf(ConcatKDFHash, h.SHA256),
    CKD.SHA384_KDF_SP800: Kdf(ConcatKDFHash, h.SHA384),
    CKD.SHA512_KDF_SP800: Kdf(ConcatKDFHash, h.SHA512),
    CKD.SHA3_224_KDF_SP800: Kdf(ConcatKDFHash, h.SHA3_224),
    CKD.SHA3_256_KDF_SP800: Kdf(ConcatKDFHash, h.SHA3_256),
    CKD.SHA3_384_KDF_SP800: Kdf(ConcatKDFHash, h.SHA3_384),
    CKD.SHA3_512_KDF_SP800: Kdf(ConcatKDFHash, h.SHA3_512),
}
"""Those with BLAKE2b are left out, since the library's two functions take none of its sizes but one."""


@dataclass(frozen=True, slots=True)
class EcdhParams:
    """CK_ECDH1_DERIVE_PARAMS. ``kdf`` is None for CKD_NULL."""

    kdf: Kdf | None
    shared_data: bytes
    public_data: bytes


def ecdh_params(kdf: int, shared_data: bytes, public_data: bytes) -> EcdhParams:
    """Check CK_ECDH1_DERIVE_PARAMS."""
    if kdf == CKD.NULL:
        if shared_data:
            raise invalid(f"ulSharedDataLen {len(shared_data)}, which CKD_NULL does not use")
        return EcdhParams(None, b"", public_data)
    if kdf not in KDFS:
        raise invalid(f"kdf {kdf:#x} is none that the token has")
    if len(shared_data) > LARGEST_SHARED_DATA:
        raise invalid(f"ulSharedDataLen {len(shared_data)}; {LARGEST_SHARED_DATA} are allowed")
    return EcdhParams(KDFS[CKD(kdf)], shared_data, public_data)


def _without_a_kdf(kdf: int, shared_data: bytes, public_data: bytes) -> EcdhParams:
    if kdf != CKD.NULL:
        raise invalid(f"kdf {kdf:#x} is not CKD_NULL, which is all that OP-TEE has")
    return ecdh_params(kdf, shared_data, public_data)


def _hashes_in(params: EcdhParams) -> frozenset[CKM]:
    return frozenset({params.kdf.hash.mechanism} if params.kdf else ())


def _shared_secret(key: KeyView, public_data: bytes) -> bytes:
    """Return the secret that the base key shares with the owner of ``public_data``. Raises CKR_PUBLIC_KEY_INVALID."""
    native = key.native()
    try:
        if isinstance(native, weierstrass.EllipticCurvePrivateKey):
            point = ec.decode_point(public_data, native.curve)
            other = weierstrass.EllipticCurvePublicKey.from_encoded_point(native.curve, point)
            return native.exchange(weierstrass.ECDH(), other)
        if isinstance(native, X25519PrivateKey):
            return native.exchange(X25519PublicKey.from_public_bytes(montgomery.X25519.decode_point(public_data)))
        if isinstance(native, X448PrivateKey):
            return native.exchange(X448PublicKey.from_public_bytes(montgomery.X448.decode_point(public_data)))
    except ValueError:
        detail = f"pPublicData ({len(public_data)} bytes) is no public key to share a secret with on this curve"
        raise Pkcs11Error(CKR.PUBLIC_KEY_INVALID, detail) from None
    raise unfit("a private key to share secrets with")


def _derive(key: KeyView, params: EcdhParams, _: tuple[KeyView, ...], template: Attributes) -> Parts:
    secret = SecretBytes(_shared_secret(key, params.public_data))
    if params.kdf is None:
        return end_of_secret(secret, key, template)
    kdf = params.kdf.make(params.kdf.hash.algorithm, key_size(template), params.shared_data)
    return {CKA.VALUE: SecretBytes(kdf.derive(secret))}


def _derive_as_optee(key: KeyView, params: EcdhParams, _: tuple[KeyView, ...], template: Attributes) -> Parts:
    key_size(template)  # which the template must say
    return beginning_of_secret(SecretBytes(_shared_secret(key, params.public_data)), key, template)


def _spec(mechanism: CKM, key_types: frozenset[CKK]) -> MechanismSpec[EcdhParams]:
    return MechanismSpec(
        mechanism=mechanism,
        key_types=key_types,
        key_size=ec.KEY_SIZE,
        params=ecdh_params,
        hashes_in=_hashes_in,
        functions=(Deriving(derive=_derive),),
    )


_ECDH1_DERIVE = _spec(CKM.ECDH1_DERIVE, ec.KEY_TYPES | montgomery.KEY_TYPES)

SPECS: tuple[AnyMechanism, ...] = (_ECDH1_DERIVE, _spec(CKM.ECDH1_COFACTOR_DERIVE, ec.KEY_TYPES))

AS_OPTEE: Final = (replace(_ECDH1_DERIVE, params=_without_a_kdf, functions=(Deriving(derive=_derive_as_optee),)),)
