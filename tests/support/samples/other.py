# SPDX-License-Identifier: Apache-2.0
"""Objects that are no keys."""

from softee.names import CKA, CKC, CKM, CKO, CKT
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
    "trust": {
        CKA.CLASS: int(CKO.TRUST),
        CKA.ISSUER: b"\x30\x00",
        CKA.SERIAL_NUMBER: b"\x02\x01\x01",
        CKA.HASH_OF_CERTIFICATE: bytes(32),
        CKA.NAME_HASH_ALGORITHM: int(CKM.SHA256),
        CKA.TRUST_SERVER_AUTH: int(CKT.TRUST_ANCHOR),
    },
}
