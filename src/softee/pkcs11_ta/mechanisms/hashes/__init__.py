# SPDX-License-Identifier: Apache-2.0
"""The hash and HMAC mechanisms, in the order of C_GetMechanismList. A new module is listed here."""

from softee.pkcs11_ta.mechanisms.hashes import derivation, digest, hmac, keygen
from softee.pkcs11_ta.mechanisms.spec import AnyMechanism

SPECS: tuple[AnyMechanism, ...] = (*hmac.SPECS, *digest.SPECS, *keygen.SPECS, *derivation.SPECS)
