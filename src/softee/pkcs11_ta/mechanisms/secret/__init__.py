# SPDX-License-Identifier: Apache-2.0
"""The generic-secret mechanisms, in the order of C_GetMechanismList. A new module is listed here."""

from softee.pkcs11_ta.mechanisms.secret import keygen
from softee.pkcs11_ta.mechanisms.spec import AnyMechanism

SPECS: tuple[AnyMechanism, ...] = (*keygen.SPECS,)
