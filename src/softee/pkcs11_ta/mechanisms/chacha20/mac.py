# SPDX-License-Identifier: Apache-2.0
"""Poly1305 (PKCS#11 3.2, section 6, Poly1305; RFC 8439, 2.5).

A key is for one message: the MACs of two tell its value. Whoever may use one that he should not know, or may unwrap
another secret as one, so finds it out; the mechanism is off by default.
"""

from cryptography.hazmat.primitives.poly1305 import Poly1305

from softee.names import CKK, CKM
from softee.pkcs11_ta.keys.view import SizeRange
from softee.pkcs11_ta.mechanisms.shapes.mac import Mac, whole

_MAC_SIZE = 16

SPECS = (whole(CKM.POLY1305, Mac(Poly1305, _MAC_SIZE, frozenset({CKK.POLY1305}), SizeRange(32, 32))),)
