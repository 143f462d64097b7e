# SPDX-License-Identifier: Apache-2.0
"""ML-DSA and ML-KEM: keys of each parameter set, with a seed, and with none."""

from functools import cache, partial

from softee.names import CKA, CKK, CKM, CKO, HedgeType
from softee.pkcs11_ta.keys import ml_dsa, ml_kem
from softee.pkcs11_ta.keys.parts import octets
from softee.pkcs11_ta.keys.view import KeyView
from support import keys
from support.mechanism_runs import counted, u32
from support.samples.sample import MechanismSample, ObjectSample

_SETS = {CKK.ML_DSA: ml_dsa.SETS, CKK.ML_KEM: ml_kem.SETS}


@cache
def pair(key_type: CKK, number: int) -> tuple[ObjectSample, ObjectSample]:
    """Return the templates of a public and of a private key, the same for the whole run."""
    shared = {int(CKA.KEY_TYPE): int(key_type), int(CKA.PARAMETER_SET): number}
    public, private = _SETS[key_type].generate(shared)
    secrets: ObjectSample = {part: bytes(octets(private, part)) for part in (CKA.SEED, CKA.VALUE)}
    return (
        {CKA.CLASS: int(CKO.PUBLIC_KEY), **shared, **public},
        {CKA.CLASS: int(CKO.PRIVATE_KEY), **shared, **secrets},
    )


def without_seed(private: ObjectSample) -> ObjectSample:
    """Return the template of a private key of which only the expanded form is known."""
    return {part: value for part, value in private.items() if part != CKA.SEED}


def _key(key_type: CKK, number: int, *, seeded: bool = True) -> KeyView:
    private = pair(key_type, number)[1]
    return keys.key_of(CKO.PRIVATE_KEY, key_type, private if seeded else without_seed(private))


def sign_params(context: bytes = b"", hedge: int = HedgeType.HEDGE_PREFERRED) -> bytes:
    """Return CK_SIGN_ADDITIONAL_CONTEXT as it travels."""
    return u32(hedge) + counted(context)


def hash_sign_params(hash_mechanism: int, context: bytes = b"", hedge: int = HedgeType.HEDGE_PREFERRED) -> bytes:
    """Return CK_HASH_SIGN_ADDITIONAL_CONTEXT as it travels."""
    return sign_params(context, hedge) + u32(hash_mechanism)


_PREHASHES = (
    *(CKM.HASH_ML_DSA_SHA224, CKM.HASH_ML_DSA_SHA256, CKM.HASH_ML_DSA_SHA384, CKM.HASH_ML_DSA_SHA512),
    *(CKM.HASH_ML_DSA_SHA3_224, CKM.HASH_ML_DSA_SHA3_256, CKM.HASH_ML_DSA_SHA3_384, CKM.HASH_ML_DSA_SHA3_512),
    *(CKM.HASH_ML_DSA_SHAKE128, CKM.HASH_ML_DSA_SHAKE256),
)
_KEM_KEYS = (*(partial(_key, CKK.ML_KEM, number) for number in (1, 2, 3)), partial(_key, CKK.ML_KEM, 2, seeded=False))
_dsa_44 = partial(_key, CKK.ML_DSA, 1)

MECHANISMS = {
    CKM.ML_DSA_KEY_PAIR_GEN: MechanismSample(),
    CKM.ML_DSA: (
        MechanismSample(_dsa_44, sign_params()),
        MechanismSample(partial(_key, CKK.ML_DSA, 2), sign_params(b"context")),
        MechanismSample(partial(_key, CKK.ML_DSA, 3), sign_params(b"", HedgeType.DETERMINISTIC_REQUIRED)),
        MechanismSample(partial(_key, CKK.ML_DSA, 1, seeded=False), sign_params(b"c", HedgeType.HEDGE_REQUIRED)),
    ),
    CKM.HASH_ML_DSA: MechanismSample(_dsa_44, hash_sign_params(CKM.SHA256), shortest=32, longest=32),
    **{mechanism: MechanismSample(_dsa_44, sign_params(b"context")) for mechanism in _PREHASHES},
    CKM.ML_KEM_KEY_PAIR_GEN: MechanismSample(),
    CKM.ML_KEM: tuple(MechanismSample(key) for key in _KEM_KEYS),
}


def _objects(key_type: CKK, number: int, which: str = "", *, seeded: bool = True) -> dict[str, ObjectSample]:
    public, private = pair(key_type, number)
    name = key_type.name.replace("_", "-")
    return {
        f"{name} public key{which}": public,
        f"{name} private key{which}": private if seeded else without_seed(private),
    }


OBJECTS: dict[str, ObjectSample] = {
    **_objects(CKK.ML_DSA, 1),
    **_objects(CKK.ML_DSA, 2, " of ML-DSA-65, expanded", seeded=False),
    **_objects(CKK.ML_DSA, 3, " of ML-DSA-87"),
    **_objects(CKK.ML_KEM, 2),
    **_objects(CKK.ML_KEM, 1, " of ML-KEM-512"),
    **_objects(CKK.ML_KEM, 3, " of ML-KEM-1024, expanded", seeded=False),
}
