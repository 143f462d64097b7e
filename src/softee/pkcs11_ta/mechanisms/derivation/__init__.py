# SPDX-License-Identifier: Apache-2.0
"""The key derivation functions, in the order of C_GetMechanismList. A new module is listed here."""

from softee.pkcs11_ta.mechanisms.derivation import combining, hkdf, pbkdf2, public_key, sp800_108
from softee.pkcs11_ta.mechanisms.spec import AnyMechanism

SPECS: tuple[AnyMechanism, ...] = (
    *hkdf.SPECS,
    *sp800_108.SPECS,
    *pbkdf2.SPECS,
    *combining.SPECS,
    *public_key.SPECS,
)
