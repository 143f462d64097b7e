# SPDX-License-Identifier: Apache-2.0
"""The keys of Wycheproof's groups as templates for C_CreateObject."""

from collections.abc import Callable
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_der_private_key, load_der_public_key

from softee.names import CKA, CKK, CKO, MlDsaParameterSet, MlKemParameterSet
from support.cryptoki import Template

Group = dict[str, Any]


def _big(number: int) -> bytes:
    return number.to_bytes(-(-number.bit_length() // 8), "big")


def rsa_private(group: Group) -> Template:
    """Return the template of the group's RSA private key."""
    key = load_der_private_key(bytes.fromhex(group["privateKeyPkcs8"]), None)
    assert isinstance(key, rsa.RSAPrivateKey)
    numbers = key.private_numbers()
    return {
        CKA.CLASS: CKO.PRIVATE_KEY,
        CKA.KEY_TYPE: CKK.RSA,
        CKA.TOKEN: False,
        CKA.SIGN: True,
        CKA.DECRYPT: True,
        CKA.MODULUS: _big(numbers.public_numbers.n),
        CKA.PUBLIC_EXPONENT: _big(numbers.public_numbers.e),
        CKA.PRIVATE_EXPONENT: _big(numbers.d),
        CKA.PRIME_1: _big(numbers.p),
        CKA.PRIME_2: _big(numbers.q),
        CKA.EXPONENT_1: _big(numbers.dmp1),
        CKA.EXPONENT_2: _big(numbers.dmq1),
        CKA.COEFFICIENT: _big(numbers.iqmp),
    }


def rsa_public(group: Group) -> Template:
    """Return the template of the group's RSA public key."""
    key = load_der_public_key(bytes.fromhex(group["publicKeyDer"]))
    assert isinstance(key, rsa.RSAPublicKey)
    numbers = key.public_numbers()
    own: Template = {CKA.CLASS: CKO.PUBLIC_KEY, CKA.KEY_TYPE: CKK.RSA}
    return {**own, CKA.MODULUS: _big(numbers.n), CKA.PUBLIC_EXPONENT: _big(numbers.e)}


def ec_public(ec_params: bytes) -> Callable[[Group], Template]:
    """Return what makes the template of the group's EC public key."""
    own: Template = {CKA.CLASS: CKO.PUBLIC_KEY, CKA.KEY_TYPE: CKK.EC, CKA.EC_PARAMS: ec_params}
    return lambda group: {**own, CKA.EC_POINT: bytes.fromhex(group["publicKey"]["uncompressed"])}


def edwards_public(ec_params: bytes) -> Callable[[Group], Template]:
    """Return what makes the template of the group's Edwards public key."""
    own: Template = {CKA.CLASS: CKO.PUBLIC_KEY, CKA.KEY_TYPE: CKK.EC_EDWARDS, CKA.EC_PARAMS: ec_params}
    return lambda group: {**own, CKA.EC_POINT: bytes.fromhex(group["publicKey"]["pk"])}


def ml_dsa_65_public(group: Group) -> Template:
    """Return the template of the group's ML-DSA-65 public key."""
    own: Template = {CKA.CLASS: CKO.PUBLIC_KEY, CKA.KEY_TYPE: CKK.ML_DSA}
    number = MlDsaParameterSet.ML_DSA_65
    return {**own, CKA.PARAMETER_SET: number, CKA.VALUE: bytes.fromhex(group["publicKey"])}


def ml_kem_768_private(seed: bytes) -> Template:
    """Return the template of an ML-KEM-768 private key that a seed makes."""
    own: Template = {CKA.CLASS: CKO.PRIVATE_KEY, CKA.KEY_TYPE: CKK.ML_KEM}
    return {**own, CKA.PARAMETER_SET: MlKemParameterSet.ML_KEM_768, CKA.SEED: seed}


P256, P384 = bytes.fromhex("06082a8648ce3d030107"), bytes.fromhex("06052b81040022")
X25519, X448, ED25519, ED448 = (bytes.fromhex(f"06032b65{last}") for last in ("6e", "6f", "70", "71"))
