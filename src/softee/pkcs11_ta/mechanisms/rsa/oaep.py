# SPDX-License-Identifier: Apache-2.0
"""RSA-OAEP, which encrypts and wraps, with SHA-1 to SHA-512 (PKCS#11 3.2, section 6.1; RFC 8017, 7.1)."""

from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP

from softee.names import CKM, CKZ
from softee.pkcs11_ta.keys.rsa import KEY_SIZE, KEY_TYPES, private_key, public_key
from softee.pkcs11_ta.keys.view import KeyView
from softee.pkcs11_ta.mechanisms.functions import Ciphering, Wrapping
from softee.pkcs11_ta.mechanisms.params import invalid
from softee.pkcs11_ta.mechanisms.rsa.masking import hash_function, mask_generation
from softee.pkcs11_ta.mechanisms.rsa.sizes import (
    check_ciphertext_size,
    check_data_size,
    check_value_size,
    check_wrapped_size,
    modulus_size,
    not_unwrapped,
    undecryptable,
)
from softee.pkcs11_ta.mechanisms.shapes.ciphering import BufferedCipher, on_bytes
from softee.pkcs11_ta.mechanisms.shapes.hash_functions import SHA1, SHA224, SHA256, SHA384, SHA512, HashFunction
from softee.pkcs11_ta.mechanisms.spec import MechanismSpec

LARGEST_LABEL = 4096
"""Bytes of an OAEP label: it stays in memory as long as its operation, of which a client may have thousands."""

_IN_THE_LIBRARY = (SHA1, SHA224, SHA256, SHA384, SHA512)
"""What `cryptography` has OAEP for."""

_NO_SOURCE = 0
"""What callers without an OAEP label put where CKZ_DATA_SPECIFIED belongs."""


@dataclass(frozen=True, slots=True)
class OaepParams:
    """CK_RSA_PKCS_OAEP_PARAMS with encoding parameter (label) ``label``, b"" for none."""

    hash: HashFunction
    mgf: HashFunction
    label: bytes


def hashes_in(params: OaepParams) -> frozenset[CKM]:
    """Return the hash functions that a parameter chooses."""
    return frozenset({params.hash.mechanism, params.mgf.mechanism})


def oaep(hash_alg: int, mgf: int, source: int, label: bytes) -> OaepParams:
    """Check CK_RSA_PKCS_OAEP_PARAMS."""
    if len(label) > LARGEST_LABEL:
        raise invalid(f"a label of {len(label)} bytes; {LARGEST_LABEL} are allowed")
    if source != CKZ.DATA_SPECIFIED and (source != _NO_SOURCE or label):
        raise invalid(f"source {source} is not CKZ_DATA_SPECIFIED")
    params = OaepParams(hash_function(hash_alg), mask_generation(mgf), label)
    if params.hash not in _IN_THE_LIBRARY or params.mgf not in _IN_THE_LIBRARY:
        raise invalid(f"hashAlg {hash_alg:#x}, mgf {mgf:#x}: neither may be SHA-3 in OAEP")
    return params


def padding_of(params: OaepParams) -> OAEP:
    """Return the library's object for the padding."""
    return OAEP(MGF1(params.mgf.algorithm), params.hash.algorithm, params.label)


def largest_message(key: KeyView, params: OaepParams) -> int:
    """Return the most bytes that fit, below 0 for a key with no room for the padding: no data fits it, as in OP-TEE."""
    return modulus_size(key) - 2 * params.hash.size - 2


def _encrypt(key: KeyView, params: OaepParams) -> BufferedCipher:
    public, padding, largest = public_key(key), padding_of(params), largest_message(key, params)
    size = modulus_size(key)

    def encrypt(data: bytes) -> bytes:
        check_data_size(data, largest)
        return public.encrypt(data, padding)

    return BufferedCipher(on_bytes(encrypt), lambda _: size, limit=None)


def _decrypt(key: KeyView, params: OaepParams) -> BufferedCipher:
    private, padding, largest = private_key(key), padding_of(params), largest_message(key, params)
    size = modulus_size(key)

    def decrypt(data: bytes) -> bytes:
        check_ciphertext_size(data, size)
        try:
            return private.decrypt(data, padding)
        except ValueError:
            raise undecryptable() from None

    return BufferedCipher(on_bytes(decrypt), lambda _: max(0, largest), limit=None)


def _wrap(key: KeyView, params: OaepParams, value: bytes | bytearray) -> bytes:
    check_value_size(value, largest_message(key, params))
    return public_key(key).encrypt(bytes(value), padding_of(params))


def _unwrap(key: KeyView, params: OaepParams, wrapped: bytes) -> bytearray:
    check_wrapped_size(wrapped, modulus_size(key))
    try:
        return bytearray(private_key(key).decrypt(wrapped, padding_of(params)))
    except ValueError:
        raise not_unwrapped() from None


SPECS = (
    MechanismSpec(
        mechanism=CKM.RSA_PKCS_OAEP,
        key_types=KEY_TYPES,
        key_size=KEY_SIZE,
        params=oaep,
        hashes_in=hashes_in,
        multi_part=False,
        functions=(Ciphering(encrypt=_encrypt, decrypt=_decrypt), Wrapping(wrap=_wrap, unwrap=_unwrap, padded=True)),
    ),
)
