# SPDX-License-Identifier: Apache-2.0
"""ML-KEM keys (PKCS#11 3.2, section 6.68; FIPS 203)."""

from typing import Final

from softee.names import CKA, CKK, MlKemParameterSet
from softee.pkcs11_ta.keys import lattice_library as library
from softee.pkcs11_ta.keys.lattice import Half, ParameterSets, lattice_key_type
from softee.pkcs11_ta.keys.lattice_library import MlKemPrivateKey, MlKemPublicKey
from softee.pkcs11_ta.keys.rows import DECAPSULATION, ENCAPSULATION
from softee.pkcs11_ta.keys.view import KeyView, unfit

KEY_TYPES: Final = frozenset({CKK.ML_KEM})

SETS: Final = ParameterSets(
    {
        MlKemParameterSet.ML_KEM_512: library.ML_KEM_512,
        MlKemParameterSet.ML_KEM_768: library.ML_KEM_768,
        MlKemParameterSet.ML_KEM_1024: library.ML_KEM_1024,
    }
)


def private_key(key: KeyView) -> MlKemPrivateKey:
    """Return the library's private key. Raises CKR_KEY_TYPE_INCONSISTENT."""
    native = key.native()
    if isinstance(native, MlKemPrivateKey):
        return native
    raise unfit("an ML-KEM private key")


def public_key(key: KeyView) -> MlKemPublicKey:
    """Return the library's public key, of a private key too. Raises CKR_KEY_TYPE_INCONSISTENT."""
    native = key.native()
    if isinstance(native, MlKemPublicKey):
        return native
    return private_key(key).public_key()


ML_KEM: Final = lattice_key_type(
    "ML-KEM",
    CKK.ML_KEM,
    SETS,
    library.read_ml_kem,
    public=Half(frozenset({CKA.ENCAPSULATE}), ENCAPSULATION),
    private=Half(frozenset({CKA.DECAPSULATE}), DECAPSULATION),
)
