# SPDX-License-Identifier: Apache-2.0
"""The keys of a TLS 1.2 connection, in the order of C_GetMechanismList. A new module is listed here."""

from softee.pkcs11_ta.mechanisms.spec import AnyMechanism
from softee.pkcs11_ta.mechanisms.tls import exporter, finished, key_block, secrets

SPECS: tuple[AnyMechanism, ...] = (*secrets.SPECS, *key_block.SPECS, *exporter.SPECS, *finished.SPECS)
