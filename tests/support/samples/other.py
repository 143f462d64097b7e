# SPDX-License-Identifier: Apache-2.0
"""Objects that are no keys."""

from softee.names import CKA, CKC, CKM, CKO
from support.samples.sample import MechanismSample, ObjectSample

MECHANISMS: dict[CKM, MechanismSample] = {}

OBJECTS: dict[str, ObjectSample] = {
    "data": {CKA.CLASS: int(CKO.DATA), CKA.VALUE: b"some data"},
    "X.509 certificate": {
        CKA.CLASS: int(CKO.CERTIFICATE),
        CKA.CERTIFICATE_TYPE: int(CKC.X_509),
        CKA.SUBJECT: b"\x30\x00",
        CKA.VALUE: b"a certificate",
    },
}
