# SPDX-License-Identifier: Apache-2.0
"""SLH-DSA: keys of the parameter sets that sign quickly. One that signs slowly takes seconds."""

from functools import cache, partial

from softee.names import CKA, CKK, CKM, CKO, SlhDsaParameterSet
from softee.pkcs11_ta.keys.parts import octets
from softee.pkcs11_ta.keys.slh_dsa import generate
from softee.pkcs11_ta.keys.view import KeyView
from support import keys
from support.samples.lattice import sign_params
from support.samples.sample import MechanismSample, ObjectSample

PREHASHES = (
    *(CKM.HASH_SLH_DSA_SHA224, CKM.HASH_SLH_DSA_SHA256, CKM.HASH_SLH_DSA_SHA384, CKM.HASH_SLH_DSA_SHA512),
    *(CKM.HASH_SLH_DSA_SHA3_224, CKM.HASH_SLH_DSA_SHA3_256, CKM.HASH_SLH_DSA_SHA3_384, CKM.HASH_SLH_DSA_SHA3_512),
    *(CKM.HASH_SLH_DSA_SHAKE128, CKM.HASH_SLH_DSA_SHAKE256),
)


@cache
def pair(number: int) -> tuple[ObjectSample, ObjectSample]:
    """Return the templates of a public and of a private key, the same for the whole run."""
    shared = {int(CKA.KEY_TYPE): int(CKK.SLH_DSA), int(CKA.PARAMETER_SET): number}
    public, private = generate(shared)
    return (
        {CKA.CLASS: int(CKO.PUBLIC_KEY), **shared, **public},
        {CKA.CLASS: int(CKO.PRIVATE_KEY), **shared, CKA.VALUE: bytes(octets(private, CKA.VALUE))},
    )


def key(number: int, key_class: CKO = CKO.PRIVATE_KEY) -> KeyView:
    """Return a key."""
    public, private = pair(number)
    return keys.key_of(key_class, CKK.SLH_DSA, public if key_class is CKO.PUBLIC_KEY else private)


_quick = partial(key, int(SlhDsaParameterSet.SLH_DSA_SHA2_128F))

MECHANISMS = {
    CKM.SLH_DSA_KEY_PAIR_GEN: MechanismSample(),
    CKM.SLH_DSA: (
        MechanismSample(_quick, sign_params()),
        MechanismSample(partial(key, int(SlhDsaParameterSet.SLH_DSA_SHA2_192F)), sign_params(b"context")),
    ),
    **{mechanism: MechanismSample(_quick, sign_params(b"context")) for mechanism in PREHASHES},
}


def _objects(number: SlhDsaParameterSet, which: str = "") -> dict[str, ObjectSample]:
    public, private = pair(int(number))
    return {f"SLH-DSA public key{which}": public, f"SLH-DSA private key{which}": private}


OBJECTS: dict[str, ObjectSample] = {
    **_objects(SlhDsaParameterSet.SLH_DSA_SHA2_128F),
    **_objects(SlhDsaParameterSet.SLH_DSA_SHAKE_256F, " of SHAKE-256f"),
}
