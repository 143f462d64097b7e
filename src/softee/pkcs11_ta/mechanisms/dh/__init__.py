# SPDX-License-Identifier: Apache-2.0
"""Diffie-Hellman over finite fields, in the order of C_GetMechanismList. A new module is listed here."""

from softee.pkcs11_ta.mechanisms.dh import agreement
from softee.pkcs11_ta.mechanisms.spec import AnyMechanism

SPECS: tuple[AnyMechanism, ...] = agreement.SPECS
