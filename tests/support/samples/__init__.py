# SPDX-License-Identifier: Apache-2.0
"""Samples for the contract tests, by family: good uses of every mechanism, good objects of every kind.

A family's module has MECHANISMS and OBJECTS, and is listed here. A mechanism that takes keys or parameters of different
sorts has a tuple of samples; a kind whose objects are of different sorts has more than one, whose names begin with the
kind's: "EC private key", "EC private key on P-521".
"""

from collections.abc import Mapping

from softee.names import CKA, CKM, CKO
from softee.pkcs11_ta.abi.template import Template
from softee.pkcs11_ta.attributes.codecs import encode_value
from softee.pkcs11_ta.attributes.values import AttributeValue
from softee.pkcs11_ta.keys.table import KEY_TYPES, find_key_type
from softee.pkcs11_ta.objects.kinds import PROTECTED_CLASSES, ObjectKind
from support.samples import (
    aes,
    chacha20,
    derivation,
    des3,
    dh,
    ec,
    hash_based,
    hashes,
    lattice,
    other,
    rsa,
    secret,
    tls,
)
from support.samples.sample import MechanismSample, ObjectSample

_FAMILIES = (other, rsa, ec, dh, lattice, hash_based, hashes, secret, aes, chacha20, des3, derivation, tls)

MECHANISM_SAMPLES: Mapping[CKM, tuple[MechanismSample, ...]] = {
    mechanism: samples if isinstance(samples, tuple) else (samples,)
    for family in _FAMILIES
    for mechanism, samples in family.MECHANISMS.items()
}

OBJECT_SAMPLES: Mapping[str, ObjectSample] = {
    name: sample for family in _FAMILIES for name, sample in family.OBJECTS.items()
}
"""Decoded templates by name."""


def _of(*classes: CKO) -> tuple[str, ...]:
    return tuple(name for name, sample in OBJECT_SAMPLES.items() if sample[CKA.CLASS] in classes)


def _in_pkcs8(sample: ObjectSample) -> bool:
    key_type = find_key_type(sample[CKA.KEY_TYPE])
    return key_type is not None and key_type.from_native is not None


PROTECTED = _of(*PROTECTED_CLASSES)
"""The samples of objects that have something to hide."""
KEYS = _of(CKO.PUBLIC_KEY, CKO.PRIVATE_KEY, CKO.SECRET_KEY)
"""The samples of keys."""
KEY_PAIRS = _of(CKO.PUBLIC_KEY, CKO.PRIVATE_KEY)
"""The samples of public and of private keys."""
IN_PKCS8 = tuple(name for name in _of(CKO.PRIVATE_KEY) if _in_pkcs8(OBJECT_SAMPLES[name]))
"""The samples of private keys that are wrapped as PKCS#8."""

UNWRAPPED = tuple(
    (form.object_class, number)
    for key_type in KEY_TYPES
    for form in key_type.forms
    for number in sorted(key_type.numbers)
    if form.object_class is CKO.SECRET_KEY or (form.object_class is CKO.PRIVATE_KEY and key_type.from_native)
)
"""The classes and types of keys that C_UnwrapKey makes."""


def as_template(attributes: Mapping[int, AttributeValue]) -> Template:
    """Return attributes as they travel."""
    return tuple((int(attribute), bytes(encode_value(attribute, value))) for attribute, value in attributes.items())


def sample(kind: ObjectKind | str, **changes: AttributeValue) -> ObjectSample:
    """Return a kind's template with changes by attribute name (LABEL=b"…")."""
    name = kind if isinstance(kind, str) else kind.name
    return {**OBJECT_SAMPLES[name], **{CKA[attribute]: value for attribute, value in changes.items()}}
