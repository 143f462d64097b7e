# SPDX-License-Identifier: Apache-2.0
"""Keys that are digests of other keys' values (PKCS#11 3.2, section 6, SHA-1 to BLAKE2B-512, key derivation).

A new key shorter than the digest has its first bytes. As with C_DigestKey, the value of a protected key must not be
found by digesting guesses: from such a key only a protected one is derived.
"""

from softee.names import CKM
from softee.pkcs11_ta.attributes.values import Attributes, Parts
from softee.pkcs11_ta.keys.table import SECRET_KEY_TYPES
from softee.pkcs11_ta.keys.view import KeyView
from softee.pkcs11_ta.mechanisms.functions import Deriving
from softee.pkcs11_ta.mechanisms.params import no_params
from softee.pkcs11_ta.mechanisms.shapes import hash_functions as h
from softee.pkcs11_ta.mechanisms.shapes.deriving import cut, require_protected
from softee.pkcs11_ta.mechanisms.shapes.hash_functions import Hashing
from softee.pkcs11_ta.mechanisms.spec import AnyMechanism, MechanismSpec


def _spec(mechanism: CKM, hashing: Hashing) -> AnyMechanism:
    def derive(base: KeyView, _: None, _others: tuple[KeyView, ...], template: Attributes) -> Parts:
        require_protected(base, template)
        context = hashing.begin()
        context.update(base.secret())
        return cut(context.finalize(), template)

    return MechanismSpec(
        mechanism=mechanism,
        key_types=SECRET_KEY_TYPES,
        params=no_params,
        functions=(Deriving(derive=derive),),
    )


SPECS = tuple(
    _spec(mechanism, hashing)
    for mechanism, hashing in (
        (CKM.MD5_KEY_DERIVATION, h.MD5),
        (CKM.SHA1_KEY_DERIVATION, h.SHA1),
        (CKM.SHA224_KEY_DERIVATION, h.SHA224),
        (CKM.SHA256_KEY_DERIVATION, h.SHA256),
        (CKM.SHA384_KEY_DERIVATION, h.SHA384),
        (CKM.SHA512_KEY_DERIVATION, h.SHA512),
        (CKM.SHA512_224_KEY_DERIVATION, h.SHA512_224),
        (CKM.SHA512_256_KEY_DERIVATION, h.SHA512_256),
        (CKM.SHA3_224_KEY_DERIVE, h.SHA3_224),
        (CKM.SHA3_256_KEY_DERIVE, h.SHA3_256),
        (CKM.SHA3_384_KEY_DERIVE, h.SHA3_384),
        (CKM.SHA3_512_KEY_DERIVE, h.SHA3_512),
        (CKM.BLAKE2B_160_KEY_DERIVE, h.BLAKE2B_160),
        (CKM.BLAKE2B_256_KEY_DERIVE, h.BLAKE2B_256),
        (CKM.BLAKE2B_384_KEY_DERIVE, h.BLAKE2B_384),
        (CKM.BLAKE2B_512_KEY_DERIVE, h.BLAKE2B_512),
    )
)
