# SPDX-License-Identifier: Apache-2.0
"""Samples for the contract tests, by family: one good use of every mechanism, one good object of every kind.

A family's module has MECHANISMS and OBJECTS, and is listed here.
"""

from collections.abc import Mapping

from softee.names import CKA, CKM
from softee.pkcs11_ta.abi.template import Template
from softee.pkcs11_ta.attributes.codecs import encode_value
from softee.pkcs11_ta.attributes.values import AttributeValue
from softee.pkcs11_ta.objects.kinds import ObjectKind
from support.samples import aes, ec, hashes, other, rsa, secret
from support.samples.sample import MechanismSample, ObjectSample

_FAMILIES = (other, rsa, ec, hashes, secret, aes)

MECHANISM_SAMPLES: Mapping[CKM, MechanismSample] = {
    mechanism: sample for family in _FAMILIES for mechanism, sample in family.MECHANISMS.items()
}

OBJECT_SAMPLES: Mapping[str, ObjectSample] = {
    kind: sample for family in _FAMILIES for kind, sample in family.OBJECTS.items()
}
"""Decoded templates by the kind's name."""


def as_template(attributes: Mapping[int, AttributeValue]) -> Template:
    """Return attributes as they travel."""
    return tuple((int(attribute), bytes(encode_value(attribute, value))) for attribute, value in attributes.items())


def sample(kind: ObjectKind | str, **changes: AttributeValue) -> ObjectSample:
    """Return a kind's template with changes by attribute name (LABEL=b"…")."""
    name = kind if isinstance(kind, str) else kind.name
    return {**OBJECT_SAMPLES[name], **{CKA[attribute]: value for attribute, value in changes.items()}}
