# SPDX-License-Identifier: Apache-2.0
"""Diffie-Hellman over finite fields: its key pairs, and the secret that two of them share (PKCS#11 3.2, section 6, DH).

The secret is as wide as the prime. A shorter key is its end: the standard takes bytes away from the beginning.
"""

from softee.names import CKM, CKR
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.attributes.secret_bytes import SecretBytes
from softee.pkcs11_ta.attributes.values import Attributes, Parts
from softee.pkcs11_ta.keys.dh import KEY_SIZE, KEY_TYPES, generated_parts, group, member, private_key, public_key
from softee.pkcs11_ta.keys.view import KeyView
from softee.pkcs11_ta.mechanisms.functions import Deriving, PairGenerating
from softee.pkcs11_ta.mechanisms.params import invalid, no_params
from softee.pkcs11_ta.mechanisms.shapes.deriving import end_of_secret
from softee.pkcs11_ta.mechanisms.spec import AnyMechanism, MechanismSpec

_LONGEST_VALUE = KEY_SIZE.high // 8 + 1
"""In bytes: as wide as the largest prime, and a zero before it."""


def public_value(value: bytes) -> bytes:
    """Take the other side's public value, big-endian."""
    if not 0 < len(value) <= _LONGEST_VALUE:
        raise invalid(f"a public value of {len(value)} bytes is not 1 to {_LONGEST_VALUE}")
    return value


def _generate(_: None, template: Attributes) -> tuple[Parts, Parts]:
    """Return CKA_VALUE for the public key, and the group and CKA_VALUE for the private one."""
    return generated_parts(group(template).parameters().generate_private_key(), template)


def _derive(base: KeyView, other: bytes, _: tuple[KeyView, ...], template: Attributes) -> Parts:
    of = public_key(base).parameters().parameter_numbers()
    try:
        secret = SecretBytes(private_key(base).exchange(member(other, of)))
    except ValueError:
        detail = f"the parameter ({len(other)} bytes) is no public value of the base key's group"
        raise Pkcs11Error(CKR.PUBLIC_KEY_INVALID, detail) from None
    return end_of_secret(secret, base, template)


SPECS: tuple[AnyMechanism, ...] = (
    MechanismSpec(
        mechanism=CKM.DH_PKCS_KEY_PAIR_GEN,
        key_types=KEY_TYPES,
        key_size=KEY_SIZE,
        params=no_params,
        functions=(PairGenerating(generate=_generate),),
    ),
    MechanismSpec(
        mechanism=CKM.DH_PKCS_DERIVE,
        key_types=KEY_TYPES,
        key_size=KEY_SIZE,
        params=public_value,
        functions=(Deriving(derive=_derive),),
    ),
)
