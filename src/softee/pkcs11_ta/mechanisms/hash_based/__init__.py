# SPDX-License-Identifier: Apache-2.0
"""SLH-DSA, in the order of C_GetMechanismList. A new module is listed here."""

from softee.pkcs11_ta.mechanisms.hash_based import keygen, slh_dsa
from softee.pkcs11_ta.mechanisms.spec import AnyMechanism

SPECS: tuple[AnyMechanism, ...] = (*keygen.SPECS, *slh_dsa.SPECS)
