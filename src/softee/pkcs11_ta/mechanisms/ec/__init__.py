# SPDX-License-Identifier: Apache-2.0
"""The elliptic-curve mechanisms, in the order of C_GetMechanismList. A new module is listed here."""

from softee.pkcs11_ta.mechanisms.ec import ecdsa, keygen
from softee.pkcs11_ta.mechanisms.spec import AnyMechanism

SPECS: tuple[AnyMechanism, ...] = (*ecdsa.SPECS, *keygen.SPECS)
