# SPDX-License-Identifier: Apache-2.0
"""ML-KEM (PKCS#11 3.2, section 6.68; FIPS 203): a secret of 32 bytes, of which a key takes as many as it has.

A ciphertext of the right size that is not right gives a secret, which nobody else has (*implicit rejection*): so there
is nothing to be told by an error.
"""

from softee.names import CKM, CKR
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.attributes.secret_bytes import SecretBytes
from softee.pkcs11_ta.attributes.values import Attributes, Parts
from softee.pkcs11_ta.keys.ml_kem import KEY_TYPES, SETS, private_key, public_key
from softee.pkcs11_ta.keys.view import KeyView
from softee.pkcs11_ta.mechanisms.functions import Encapsulating
from softee.pkcs11_ta.mechanisms.params import no_params
from softee.pkcs11_ta.mechanisms.shapes.deriving import cut
from softee.pkcs11_ta.mechanisms.spec import AnyMechanism, MechanismSpec


def _encapsulate(key: KeyView, _: None, template: Attributes) -> tuple[bytes, Parts]:
    secret, ciphertext = public_key(key).encapsulate()
    return ciphertext, cut(SecretBytes(secret), template)


def _decapsulate(key: KeyView, _: None, ciphertext: bytes, template: Attributes) -> Parts:
    private = private_key(key)
    size = private.algorithm.ciphertext_size
    if len(ciphertext) != size:
        detail = f"a ciphertext of {len(ciphertext)} bytes where the key takes {size}"
        raise Pkcs11Error(CKR.WRAPPED_KEY_LEN_RANGE, detail)
    return cut(SecretBytes(private.decapsulate(ciphertext)), template)


def _size(key: KeyView, _: None) -> int:
    return public_key(key).algorithm.ciphertext_size


SPECS: tuple[AnyMechanism, ...] = (
    MechanismSpec(
        mechanism=CKM.ML_KEM,
        key_types=KEY_TYPES,
        key_size=SETS.sizes,
        params=no_params,
        functions=(Encapsulating(encapsulate=_encapsulate, decapsulate=_decapsulate, size=_size),),
    ),
)
