# SPDX-License-Identifier: Apache-2.0
"""ML-DSA keys (PKCS#11 3.2, section 6.67; FIPS 204)."""

from typing import Final

from softee.names import CKA, CKK, MlDsaParameterSet
from softee.pkcs11_ta.keys import lattice_library as library
from softee.pkcs11_ta.keys.lattice import Half, ParameterSets, lattice_key_type
from softee.pkcs11_ta.keys.lattice_library import MlDsaPrivateKey, MlDsaPublicKey
from softee.pkcs11_ta.keys.view import KeyView, unfit

KEY_TYPES: Final = frozenset({CKK.ML_DSA})

SETS: Final = ParameterSets(
    {
        MlDsaParameterSet.ML_DSA_44: library.ML_DSA_44,
        MlDsaParameterSet.ML_DSA_65: library.ML_DSA_65,
        MlDsaParameterSet.ML_DSA_87: library.ML_DSA_87,
    }
)


def private_key(key: KeyView) -> MlDsaPrivateKey:
    """Return the library's private key. Raises CKR_KEY_TYPE_INCONSISTENT."""
    native = key.native()
    if isinstance(native, MlDsaPrivateKey):
        return native
    raise unfit("an ML-DSA private key")


def public_key(key: KeyView) -> MlDsaPublicKey:
    """Return the library's public key, of a private key too. Raises CKR_KEY_TYPE_INCONSISTENT."""
    native = key.native()
    if isinstance(native, MlDsaPublicKey):
        return native
    return private_key(key).public_key()


ML_DSA: Final = lattice_key_type(
    "ML-DSA",
    CKK.ML_DSA,
    SETS,
    library.read_ml_dsa,
    public=Half(frozenset({CKA.VERIFY})),
    private=Half(frozenset({CKA.SIGN})),
)
