# SPDX-License-Identifier: Apache-2.0
"""The RSA mechanisms, in the order of C_GetMechanismList. A new module is listed here."""

from softee.pkcs11_ta.mechanisms.rsa import aes_key_wrap, keygen, oaep, pkcs1, pss, raw
from softee.pkcs11_ta.mechanisms.spec import AnyMechanism

SPECS: tuple[AnyMechanism, ...] = (
    *pss.SPECS,
    *oaep.SPECS,
    *raw.SPECS,
    *pkcs1.SPECS,
    *keygen.SPECS,
    *aes_key_wrap.SPECS,
)
