# SPDX-License-Identifier: Apache-2.0
"""Generation of secret keys: random bytes, as many as CKA_VALUE_LEN says, or as the type has."""

import os
from collections.abc import Callable, Container

from softee.names import CKA, CKK, CKM, CKR
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.attributes.secret_bytes import SecretBytes
from softee.pkcs11_ta.attributes.values import Attributes, Parts
from softee.pkcs11_ta.keys.view import SizeRange
from softee.pkcs11_ta.mechanisms.functions import KeyGenerating
from softee.pkcs11_ta.mechanisms.params import no_params
from softee.pkcs11_ta.mechanisms.spec import AnyMechanism, MechanismSpec

_SECRET_SIZES = SizeRange(1, 512)
"""Bytes of a generated secret, as CKM_GENERIC_SECRET_KEY_GEN has them."""


def random_secret(
    sizes: Container[int], described: str, usual: int | None = None
) -> Callable[[None, Attributes], Parts]:
    """Return what makes a random key of CKA_VALUE_LEN bytes.

    Args:
        sizes: those that are taken, in bytes.
        described: the same, for the error's text.
        usual: the size of a key whose template says none; None: there is none.

    """

    def generate(_: None, template: Attributes) -> Parts:
        size = template.get(CKA.VALUE_LEN, usual)
        if not isinstance(size, int):
            raise Pkcs11Error(CKR.TEMPLATE_INCOMPLETE, "CKA_VALUE_LEN, the key's size in bytes, is missing")
        if size not in sizes:
            raise Pkcs11Error(CKR.KEY_SIZE_RANGE, f"CKA_VALUE_LEN {size} is not {described} bytes")
        return {CKA.VALUE: SecretBytes(os.urandom(size))}

    return generate


def secret_of_any_size(mechanism: CKM, key_type: CKK) -> AnyMechanism:
    """Describe a mechanism that generates keys of a type of any length."""
    sizes = _SECRET_SIZES
    return MechanismSpec(
        mechanism=mechanism,
        key_types=frozenset({key_type}),
        key_size=sizes,
        params=no_params,
        functions=(KeyGenerating(generate=random_secret(sizes, f"{sizes.low} to {sizes.high}")),),
    )


def secret_of_one_size(mechanism: CKM, key_type: CKK, size: int) -> AnyMechanism:
    """Describe a mechanism that generates keys of a type whose keys all have ``size`` bytes."""
    return MechanismSpec(
        mechanism=mechanism,
        key_types=frozenset({key_type}),
        key_size=SizeRange(size, size),
        params=no_params,
        functions=(KeyGenerating(generate=random_secret((size,), str(size), size)),),
    )
