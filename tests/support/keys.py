# SPDX-License-Identifier: Apache-2.0
"""Keys for tests of mechanisms: what a mechanism sees of a key object, made of its attributes without the object."""

from functools import cache

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

from softee.names import CKA, CKK, CKO
from softee.pkcs11_ta.attributes.values import Attributes
from softee.pkcs11_ta.keys.ec import encode_point, params_of
from softee.pkcs11_ta.keys.material import KeyMaterial
from softee.pkcs11_ta.keys.rsa import public_parts
from softee.pkcs11_ta.keys.table import KEY_TYPES


def key_of(key_class: CKO, key_type: int, parts: Attributes) -> KeyMaterial:
    """Return the key that these parts make."""
    return KeyMaterial({CKA.CLASS: int(key_class), CKA.KEY_TYPE: int(key_type), **parts})


def secret_key(value: bytes, key_type: CKK = CKK.GENERIC_SECRET) -> KeyMaterial:
    return key_of(CKO.SECRET_KEY, key_type, {CKA.VALUE: value})


def shown_key(value: bytes, key_type: CKK = CKK.GENERIC_SECRET) -> KeyMaterial:
    """Return a secret key that is neither sensitive nor unextractable, as keys are otherwise that say nothing."""
    return key_of(CKO.SECRET_KEY, key_type, {CKA.VALUE: value, CKA.SENSITIVE: False, CKA.EXTRACTABLE: True})


def aes_key(value: bytes) -> KeyMaterial:
    return secret_key(value, CKK.AES)


def private_key(native: PrivateKeyTypes) -> KeyMaterial:
    """Return one of the library's private keys as the token has it, of whichever type it is."""
    for key_type in KEY_TYPES:
        parts = key_type.from_native(native) if key_type.from_native else None
        if parts is not None:
            return key_of(CKO.PRIVATE_KEY, min(key_type.numbers), parts)
    raise AssertionError(f"no type of keys takes a {type(native).__name__}")


def rsa_public_key(native: rsa.RSAPublicKey) -> KeyMaterial:
    return key_of(CKO.PUBLIC_KEY, CKK.RSA, public_parts(native))


def ec_public_key(native: ec.EllipticCurvePublicKey) -> KeyMaterial:
    parts: Attributes = {CKA.EC_PARAMS: params_of(native.curve), CKA.EC_POINT: encode_point(native)}
    return key_of(CKO.PUBLIC_KEY, CKK.EC, parts)


@cache
def rsa_pair(bits: int = 2048) -> KeyMaterial:
    """Return an RSA private key, the same for the whole run."""
    return private_key(rsa.generate_private_key(65537, bits))


@cache
def ec_pair(curve: type[ec.EllipticCurve] = ec.SECP256R1) -> KeyMaterial:
    """Return an EC private key, the same for the whole run."""
    return private_key(ec.generate_private_key(curve()))
