# SPDX-License-Identifier: Apache-2.0
"""ML-DSA and ML-KEM, in the order of C_GetMechanismList. A new module is listed here."""

from softee.pkcs11_ta.mechanisms.lattice import hash_ml_dsa, keygen, ml_dsa, ml_kem
from softee.pkcs11_ta.mechanisms.spec import AnyMechanism

SPECS: tuple[AnyMechanism, ...] = (*keygen.SPECS, *ml_dsa.SPECS, *hash_ml_dsa.SPECS, *ml_kem.SPECS)
