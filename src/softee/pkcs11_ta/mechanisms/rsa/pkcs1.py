# SPDX-License-Identifier: Apache-2.0
"""RSA with PKCS#1 v1.5 padding (PKCS#11 3.2, section 6.1; RFC 8017, 7.2 and 8.2).

CKM_RSA_PKCS signs what it is given, usually a DigestInfo that the caller has made; the others hash first. A ciphertext
with bad padding decrypts to random bytes instead of an error (the library's implicit rejection), so that nobody can use
the token as a padding oracle; as a wrapped key they are no key, or any.
"""

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import constant_time
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.utils import NoDigestInfo, Prehashed

from softee.names import CKM, CKR
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.keys.rsa import KEY_SIZE, KEY_TYPES, private_key, public_key
from softee.pkcs11_ta.keys.view import KeyView
from softee.pkcs11_ta.mechanisms.functions import Ciphering, Recover, Recovering, Signing, Wrapping
from softee.pkcs11_ta.mechanisms.params import no_params
from softee.pkcs11_ta.mechanisms.rsa.sizes import (
    check_ciphertext_size,
    check_data_size,
    check_value_size,
    check_wrapped_size,
    modulus_size,
    not_unwrapped,
    signature_size,
    undecryptable,
)
from softee.pkcs11_ta.mechanisms.shapes.ciphering import BufferedCipher, on_bytes
from softee.pkcs11_ta.mechanisms.shapes.hash_functions import (
    MD5,
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
    bad_signature,
    check_signature_size,
)
from softee.pkcs11_ta.mechanisms.spec import AnyMechanism, MechanismSpec

_PADDING = PKCS1v15()
_AS_GIVEN = NoDigestInfo()
_PADDING_SIZE = 11
"""Bytes that the padding takes at least."""

_DIGEST_INFO_SIZE = 19
"""Bytes that a DigestInfo has besides the digest, at most."""


def _sign(key: KeyView, _: None) -> BufferedSign:
    private, largest = private_key(key), modulus_size(key) - _PADDING_SIZE

    def sign(data: bytes) -> bytes:
        check_data_size(data, largest)
        return private.sign(data, _PADDING, _AS_GIVEN)

    return BufferedSign(sign, limit=None)


def _recover(key: KeyView, _: None) -> Recover:
    public, size = public_key(key), modulus_size(key)

    def recover(signature: bytes) -> bytes:
        check_signature_size(signature, size)
        try:
            return public.recover_data_from_signature(signature, _PADDING, None)
        except InvalidSignature:
            raise bad_signature() from None

    return recover


def _verify(key: KeyView, _: None) -> BufferedVerify:
    recover, largest = _recover(key, None), modulus_size(key) - _PADDING_SIZE

    def verify(signature: bytes, data: bytes) -> None:
        check_data_size(data, largest)
        # Not public.verify(…, NoDigestInfo()), which refuses the signature of no bytes at all.
        if not constant_time.bytes_eq(recover(signature), data):
            raise bad_signature()

    return BufferedVerify(verify, limit=None)


def _encrypt(key: KeyView, _: None) -> BufferedCipher:
    public, size = public_key(key), modulus_size(key)

    def encrypt(data: bytes) -> bytes:
        check_data_size(data, size - _PADDING_SIZE)
        return public.encrypt(data, _PADDING)

    return BufferedCipher(on_bytes(encrypt), lambda _: size, limit=None)


def _decrypt(key: KeyView, _: None) -> BufferedCipher:
    private, size = private_key(key), modulus_size(key)

    def decrypt(data: bytes) -> bytes:
        check_ciphertext_size(data, size)
        try:
            return private.decrypt(data, _PADDING)
        except ValueError:
            raise undecryptable() from None

    return BufferedCipher(on_bytes(decrypt), lambda _: size - _PADDING_SIZE, limit=None)


def _wrap(key: KeyView, _: None, value: bytes | bytearray) -> bytes:
    check_value_size(value, modulus_size(key) - _PADDING_SIZE)
    return public_key(key).encrypt(bytes(value), _PADDING)


def _unwrap(key: KeyView, _: None, wrapped: bytes) -> bytearray:
    """Decrypt a wrapped key, or make one up where the padding is bad: its size is as random as the rest of it."""
    check_wrapped_size(wrapped, modulus_size(key))
    try:
        return bytearray(private_key(key).decrypt(wrapped, _PADDING))
    except ValueError:
        raise not_unwrapped() from None


def _hashed(mechanism: CKM, hash_function: HashFunction) -> MechanismSpec[None]:
    """Describe the mechanism that signs the DigestInfo of the data's digest."""
    algorithm, prehashed = hash_function.algorithm, Prehashed(hash_function.algorithm)
    smallest_modulus = hash_function.size + _DIGEST_INFO_SIZE + _PADDING_SIZE

    def check_key(key: KeyView) -> None:
        if modulus_size(key) < smallest_modulus:
            detail = f"a modulus of {key.size} bits has no room for {algorithm.name}"
            raise Pkcs11Error(CKR.KEY_SIZE_RANGE, detail)

    def sign(key: KeyView, _: None) -> HashedSign:
        check_key(key)
        private = private_key(key)
        return HashedSign(algorithm, lambda digest: private.sign(digest, _PADDING, prehashed))

    def verify(key: KeyView, _: None) -> HashedVerify:
        check_key(key)
        public, size = public_key(key), modulus_size(key)

        def check(signature: bytes, digest: bytes) -> None:
            check_signature_size(signature, size)
            try:
                public.verify(signature, digest, _PADDING, prehashed)
            except InvalidSignature:
                raise bad_signature() from None

        return HashedVerify(algorithm, check)

    return MechanismSpec(
        mechanism=mechanism,
        key_types=KEY_TYPES,
        key_size=KEY_SIZE,
        params=no_params,
        functions=(Signing(sign=sign, verify=verify, size=signature_size),),
    )


SPECS: tuple[AnyMechanism, ...] = (
    _hashed(CKM.SHA224_RSA_PKCS, SHA224),
    _hashed(CKM.SHA512_RSA_PKCS, SHA512),
    _hashed(CKM.SHA384_RSA_PKCS, SHA384),
    _hashed(CKM.SHA256_RSA_PKCS, SHA256),
    _hashed(CKM.SHA1_RSA_PKCS, SHA1),
    _hashed(CKM.MD5_RSA_PKCS, MD5),
    MechanismSpec(
        mechanism=CKM.RSA_PKCS,
        key_types=KEY_TYPES,
        key_size=KEY_SIZE,
        params=no_params,
        multi_part=False,
        functions=(
            Signing(sign=_sign, verify=_verify, size=signature_size),
            Recovering(sign=_sign, recover=_recover, size=signature_size),
            Ciphering(encrypt=_encrypt, decrypt=_decrypt),
            Wrapping(wrap=_wrap, unwrap=_unwrap, padded=True),
        ),
    ),
    _hashed(CKM.SHA3_512_RSA_PKCS, SHA3_512),
    _hashed(CKM.SHA3_384_RSA_PKCS, SHA3_384),
    _hashed(CKM.SHA3_256_RSA_PKCS, SHA3_256),
    _hashed(CKM.SHA3_224_RSA_PKCS, SHA3_224),
)
