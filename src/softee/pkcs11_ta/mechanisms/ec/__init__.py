# SPDX-License-Identifier: Apache-2.0
"""The elliptic-curve mechanisms, in the order of C_GetMechanismList. A new module is listed here."""

from softee.pkcs11_ta.mechanisms.ec import ecdh, ecdsa, eddsa, keygen
from softee.pkcs11_ta.mechanisms.spec import AnyMechanism

SPECS: tuple[AnyMechanism, ...] = (*eddsa.SPECS, *ecdsa.SPECS, *keygen.SPECS, *ecdh.SPECS)
