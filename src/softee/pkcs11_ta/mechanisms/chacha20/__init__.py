# SPDX-License-Identifier: Apache-2.0
"""The mechanisms of ChaCha20 and Poly1305, in the order of C_GetMechanismList. A new module is listed here."""

from softee.pkcs11_ta.mechanisms.chacha20 import authenticated, keygen, mac, stream
from softee.pkcs11_ta.mechanisms.spec import AnyMechanism

SPECS: tuple[AnyMechanism, ...] = (*keygen.SPECS, *stream.SPECS, *authenticated.SPECS, *mac.SPECS)
