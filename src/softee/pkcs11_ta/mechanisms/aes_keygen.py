# SPDX-License-Identifier: Apache-2.0
"""Generation of secret keys: AES keys and generic secrets (PKCS#11 3.2, section 6, AES and Generic secret key).

CKA_VALUE_LEN says how many bytes. CKM_GENERIC_SECRET_KEY_GEN lists its sizes in bits, as OP-TEE does, and makes whole
bytes.
"""

import os
from collections.abc import Callable, Container

from softee.names import CKA, CKK, CKM, CKR
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.keys.view import SizeRange
from softee.pkcs11_ta.mechanisms.aes import KEY_SIZE, KEY_SIZES, KEY_TYPES
from softee.pkcs11_ta.mechanisms.spec import MechanismSpec, no_params
from softee.pkcs11_ta.objects.values import Attributes, AttributeValue

_GENERIC_BITS = SizeRange(1, 4096)
_GENERIC_SIZES = range(1, _GENERIC_BITS.high // 8 + 1)


def _generator(sizes: Container[int], described: str) -> Callable[[None, Attributes], dict[CKA, AttributeValue]]:
    """Return what makes a random key of CKA_VALUE_LEN bytes, which must be one of ``sizes``."""

    def generate(_: None, template: Attributes) -> dict[CKA, AttributeValue]:
        size = template.get(CKA.VALUE_LEN)
        if not isinstance(size, int):
            raise Pkcs11Error(CKR.TEMPLATE_INCOMPLETE, "CKA_VALUE_LEN, the key's size in bytes, is missing")
        if size not in sizes:
            raise Pkcs11Error(CKR.KEY_SIZE_RANGE, f"CKA_VALUE_LEN {size} is not {described} bytes")
        return {CKA.VALUE: bytearray(os.urandom(size))}

    return generate


SPECS = (
    MechanismSpec(
        type=CKM.GENERIC_SECRET_KEY_GEN,
        key_types=frozenset({CKK.GENERIC_SECRET}),
        key_size=_GENERIC_BITS,
        params=no_params,
        generate_key=_generator(_GENERIC_SIZES, f"1 to {_GENERIC_SIZES[-1]}"),
    ),
    MechanismSpec(
        type=CKM.AES_KEY_GEN,
        key_types=KEY_TYPES,
        key_size=KEY_SIZE,
        params=no_params,
        generate_key=_generator(KEY_SIZES, "16, 24 or 32"),
    ),
)
