# SPDX-License-Identifier: Apache-2.0
"""The mechanisms of Triple DES, all of them off by default. A new module is listed here."""

from softee.pkcs11_ta.mechanisms.des3 import block, keygen, macs
from softee.pkcs11_ta.mechanisms.spec import AnyMechanism

SPECS: tuple[AnyMechanism, ...] = (*keygen.SPECS, *block.SPECS, *macs.SPECS)
