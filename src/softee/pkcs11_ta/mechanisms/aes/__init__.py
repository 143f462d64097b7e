# SPDX-License-Identifier: Apache-2.0
"""The AES mechanisms, in the order of C_GetMechanismList. A new module is listed here."""

from softee.pkcs11_ta.mechanisms.aes import (
    block,
    cbc_mac,
    ccm,
    cmac,
    ctr,
    cts,
    encrypt_data,
    feedback,
    gcm,
    gmac,
    key_wrap,
    keygen,
    xts,
)
from softee.pkcs11_ta.mechanisms.spec import AnyMechanism

SPECS: tuple[AnyMechanism, ...] = (
    *keygen.SPECS,
    *encrypt_data.SPECS,
    *cmac.SPECS,
    *cts.SPECS,
    *gcm.SPECS,
    *ctr.SPECS,
    *block.SPECS,
    *key_wrap.SPECS,
    *ccm.SPECS,
    *gmac.SPECS,
    *xts.SPECS,
    *feedback.SPECS,
    *cbc_mac.SPECS,
)
