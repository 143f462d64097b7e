# SPDX-License-Identifier: Apache-2.0
"""Diffie-Hellman over finite fields, in the smallest group."""

from softee.names import CKA, CKK, CKM, CKO
from softee.pkcs11_ta.keys.dh_groups import BASE, PRIMES
from softee.pkcs11_ta.keys.view import KeyView
from support import keys
from support.samples.sample import MechanismSample, ObjectSample

PRIME = PRIMES[0]
_PRIVATE_VALUE = bytes(range(1, 30))
PUBLIC_VALUE = bytes(range(1, 256))
"""Somebody else's."""

_OWN_PUBLIC_VALUE = pow(
    int.from_bytes(BASE, "big"), int.from_bytes(_PRIVATE_VALUE, "big"), int.from_bytes(PRIME, "big")
).to_bytes(len(PRIME), "big")


def private_key() -> KeyView:
    return keys.key_of(CKO.PRIVATE_KEY, CKK.DH, {CKA.PRIME: PRIME, CKA.BASE: BASE, CKA.VALUE: _PRIVATE_VALUE})


MECHANISMS = {
    CKM.DH_PKCS_KEY_PAIR_GEN: MechanismSample(),
    CKM.DH_PKCS_DERIVE: MechanismSample(private_key, PUBLIC_VALUE, parameter_ends=False),
}

_GROUP: ObjectSample = {CKA.KEY_TYPE: int(CKK.DH), CKA.PRIME: PRIME, CKA.BASE: BASE}

OBJECTS: dict[str, ObjectSample] = {
    "DH public key": {CKA.CLASS: int(CKO.PUBLIC_KEY), **_GROUP, CKA.VALUE: _OWN_PUBLIC_VALUE},
    "DH private key": {CKA.CLASS: int(CKO.PRIVATE_KEY), **_GROUP, CKA.VALUE: _PRIVATE_VALUE},
}
