# SPDX-License-Identifier: Apache-2.0
"""Generic secrets."""

from softee.names import CKA, CKK, CKM, CKO
from support.samples.sample import MechanismSample, ObjectSample

MECHANISMS = {CKM.GENERIC_SECRET_KEY_GEN: MechanismSample()}

OBJECTS: dict[str, ObjectSample] = {
    "generic secret key": {
        CKA.CLASS: int(CKO.SECRET_KEY),
        CKA.KEY_TYPE: int(CKK.GENERIC_SECRET),
        CKA.VALUE: b"a secret of some length",
    },
}
