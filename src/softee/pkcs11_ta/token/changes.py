# SPDX-License-Identifier: Apache-2.0
"""What one token's policy has otherwise than its profile, as data, and the policy that comes of it.

Key sizes and curves only become fewer, mechanisms more only by name; a switch goes either way. What a mechanism then
says of itself (C_GetMechanismInfo) is what is left of it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TypeVar

from softee.names import CKM
from softee.pkcs11_ta.keys.view import SizeRange
from softee.pkcs11_ta.mechanisms.functions import Wrapping
from softee.pkcs11_ta.mechanisms.shapes.hash_functions import HASHINGS
from softee.pkcs11_ta.mechanisms.spec import AnyMechanism
from softee.pkcs11_ta.mechanisms.table import MECHANISMS
from softee.pkcs11_ta.objects.policy import APART
from softee.pkcs11_ta.token.policy import Policy
from softee.pkcs11_ta.token.room import Room

T = TypeVar("T")

_HASHES = frozenset(hashing.mechanism for hashing in HASHINGS)


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyChanges:
    """What is to be otherwise; None: as the profile has it.

    ``added`` are mechanisms besides the profile's, ``allowed`` the only ones, ``refused`` those that there are not,
    added or not. ``key_sizes`` are by CKK, ``curves``
    values of CKA_EC_PARAMS, ``users`` and ``groups`` the uids and gids that see the slot. ``apart`` keeps a key from
    wrapping and decrypting both. ``bare_points``: Edwards and Montgomery keys show their points without an OCTET
    STRING around them. ``malleable_wrapping``: keys may be wrapped with what does not vouch for them. ``objects`` and
    ``bytes`` are the token's room, and ``without_login`` is how much of it others than users may fill.
    """

    added: frozenset[CKM] | None = None
    allowed: frozenset[CKM] | None = None
    refused: frozenset[CKM] | None = None
    key_sizes: Mapping[int, SizeRange] = field(default_factory=lambda: MappingProxyType({}))
    curves: frozenset[bytes] | None = None
    users: frozenset[int] | None = None
    groups: frozenset[int] | None = None
    apart: bool | None = None
    check_values: bool | None = None
    bare_points: bool | None = None
    digests_keys: bool | None = None
    malleable_wrapping: bool | None = None
    objects: int | None = None
    bytes: int | None = None
    objects_without_login: int | None = None
    bytes_without_login: int | None = None


def changed(policy: Policy, changes: PolicyChanges) -> Policy:
    """Return ``policy`` with ``changes``. Raises ValueError where they leave no mechanism, no curve, or no size."""
    key_sizes = _fewer_sizes(policy.key_sizes, changes.key_sizes)
    mechanisms = dict(_fewer_mechanisms(policy.mechanisms, changes, key_sizes))
    curves = _both(policy.curves, changes.curves)
    if not mechanisms:
        raise ValueError("no mechanism is left")
    if curves is not None and not curves:
        raise ValueError("no curve is left")
    objects = replace(
        policy.objects,
        apart={None: policy.objects.apart, True: APART, False: ()}[changes.apart],
        check_values=_either(changes.check_values, policy.objects.check_values),
        bare_points=_either(changes.bare_points, policy.objects.bare_points),
    )
    return replace(
        policy,
        mechanisms=MappingProxyType(mechanisms),
        objects=objects,
        key_sizes=key_sizes,
        curves=curves,
        users=_either(changes.users, policy.users),
        groups=_either(changes.groups, policy.groups),
        digests_keys=_either(changes.digests_keys, policy.digests_keys),
        room=_room(policy.room, changes.objects, changes.bytes),
        room_without_login=_room(policy.room_without_login, changes.objects_without_login, changes.bytes_without_login),
        refused_hashes=policy.refused_hashes - (changes.added or frozenset())
        | (_HASHES & (changes.refused or frozenset())),
    )


def _room(before: Room, objects: int | None, size: int | None) -> Room:
    return replace(before, objects=_either(objects, before.objects), bytes=_either(size, before.bytes))


def _either(change: T | None, before: T) -> T:
    return before if change is None else change


def _both(one: frozenset[bytes] | None, other: frozenset[bytes] | None) -> frozenset[bytes] | None:
    """Return what is in both sets; None is the set of all."""
    if one is None or other is None:
        return other if one is None else one
    return one & other


def _fewer_sizes(before: Mapping[int, SizeRange], change: Mapping[int, SizeRange]) -> Mapping[int, SizeRange]:
    """Return the sizes that both allow, by CKK. Raises ValueError where that is none."""
    sizes = dict(before)
    for key_type, wanted in change.items():
        both = wanted.within(before.get(key_type, wanted))
        if both is None:
            least, most = before[key_type].low, before[key_type].high
            raise ValueError(f"no size is left: the profile has keys of {least} to {most}")
        sizes[key_type] = both
    return MappingProxyType(sizes)


def _fewer_mechanisms(
    before: Mapping[CKM, AnyMechanism], changes: PolicyChanges, key_sizes: Mapping[int, SizeRange]
) -> Iterator[tuple[CKM, AnyMechanism]]:
    """Yield the mechanisms that are left, each with the sizes and functions that are left of it, in their order."""
    for number, spec in {**before, **_added(before, changes)}.items():
        if changes.allowed is not None and number not in changes.allowed:
            continue
        if changes.refused is not None and number in changes.refused:
            continue
        fitting = _with_sizes(_with_wrapping(spec, wanted=changes.malleable_wrapping), key_sizes)
        if fitting is not None and fitting.functions:
            yield number, fitting


def _added(before: Mapping[CKM, AnyMechanism], changes: PolicyChanges) -> Mapping[CKM, AnyMechanism]:
    """Return the mechanisms that come to a profile's. They wrap nothing without noticing, unless that is wanted too."""
    wanted = changes.malleable_wrapping is True
    return {
        number: _with_wrapping(spec, wanted=wanted)
        for number, spec in MECHANISMS.items()
        if number in (changes.added or ()) and number not in before
    }


def _with_wrapping(spec: AnyMechanism, *, wanted: bool | None) -> AnyMechanism:
    """Return a mechanism with its malleable wrapping or without it; None leaves it as it is."""
    malleable = [
        functions
        for functions in MECHANISMS[spec.mechanism].functions
        if isinstance(functions, Wrapping) and functions.malleable
    ]
    if wanted is None or not malleable:
        return spec
    others = [functions for functions in spec.functions if functions not in malleable]
    return replace(spec, functions=(*others, *(malleable if wanted else ())))


def _with_sizes(spec: AnyMechanism, key_sizes: Mapping[int, SizeRange]) -> AnyMechanism | None:
    """Return a mechanism for the keys that are allowed, None where it has none."""
    allowed = [key_sizes[key_type] for key_type in spec.key_types if key_type in key_sizes]
    if spec.key_size is None or not allowed or len(allowed) < len(spec.key_types):
        return spec
    widest = SizeRange(min(sizes.low for sizes in allowed), max(sizes.high for sizes in allowed))
    key_size = spec.key_size.within(widest)
    return replace(spec, key_size=key_size) if key_size else None
