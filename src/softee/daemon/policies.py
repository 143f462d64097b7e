# SPDX-License-Identifier: Apache-2.0
"""From the settings of slots to the policies of their tokens: names become numbers, and an unknown one is refused."""

import grp
import pwd
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, replace
from itertools import chain
from typing import TypeVar

from softee.daemon.settings import Pkcs11Settings, SettingsError
from softee.daemon.slot_settings import SlotSettings
from softee.names import CKM
from softee.pkcs11_ta.keys.table import KEY_TYPES
from softee.pkcs11_ta.keys.view import SizeRange
from softee.pkcs11_ta.mechanisms.table import MECHANISMS, MISSING
from softee.pkcs11_ta.token.changes import PolicyChanges, changed
from softee.pkcs11_ta.token.policy import Policy
from softee.pkcs11_ta.token.profiles import PROFILES
from softee.tee.identity import OVERFLOW_ID

Written = TypeVar("Written")
Meant = TypeVar("Meant")

_MECHANISMS: Mapping[str | int, CKM] = {
    key: mechanism
    for name, mechanism in CKM.__members__.items()
    if mechanism in MECHANISMS
    for key in (int(mechanism), f"CKM_{name}")
}
_CURVES = {name: params for key_type in KEY_TYPES for name, params in key_type.curves.items()}
_TYPES = {key_type.name: key_type.numbers for key_type in KEY_TYPES}
_LARGEST_ID = 2**32 - 2
"""The kernel's next number stands for none."""


def slot_policies(settings: Pkcs11Settings) -> list[Policy]:
    """Return each slot's policy. Raises SettingsError, with a sentence that names the table and the setting."""
    default = _changes(settings, "[pkcs11]")
    return [_policy(settings, default, slot) for slot in range(settings.slots)]


def _policy(settings: Pkcs11Settings, default: PolicyChanges, slot: int) -> Policy:
    own = settings.slot.get(slot, SlotSettings())
    profile = PROFILES[own.profile or settings.profile]
    changes = _merged(default, _changes(own, f"[pkcs11.slot.{slot}]"))
    try:
        return changed(profile, changes)
    except ValueError as error:
        sentence = f"The settings of slot {slot} take too much from the profile {profile.name}: {error}."
        raise SettingsError(sentence) from None


def _merged(default: PolicyChanges, own: PolicyChanges) -> PolicyChanges:
    """Return a slot's own changes, and the default ones where it has none."""
    wanted = {field.name: value for field in fields(own) if (value := getattr(own, field.name)) is not None}
    return replace(default, **{**wanted, "key_sizes": {**default.key_sizes, **own.key_sizes}})


def _changes(settings: SlotSettings, table: str) -> PolicyChanges:
    """Return what one table of the settings changes."""
    try:
        return PolicyChanges(
            added=_all("added_mechanisms", settings.added_mechanisms, _added_mechanism),
            allowed=_all("allowed_mechanisms", settings.allowed_mechanisms, _mechanism),
            refused=_all("refused_mechanisms", settings.refused_mechanisms, _mechanism),
            key_sizes=_key_sizes(settings.key_sizes),
            curves=_curves(settings.curves),
            users=_all("users", settings.users, _user),
            groups=_all("groups", settings.groups, _group),
            apart=settings.wrap_and_decrypt_apart,
            check_values=settings.check_values,
            bare_points=None if settings.ec_point is None else settings.ec_point == "raw",
            digests_keys=settings.digest_keys,
            malleable_wrapping=settings.wrap_with_ecb_and_cbc,
            objects=settings.objects_per_token,
            bytes=settings.bytes_per_token,
            objects_without_login=settings.objects_without_login,
            bytes_without_login=settings.bytes_without_login,
        )
    except ValueError as error:
        raise SettingsError(f"A setting in {table} is wrong: {error}.") from None


def _all(
    setting: str, written: Iterable[Written] | None, meaning: Callable[[Written], Meant]
) -> frozenset[Meant] | None:
    """Return what the elements of a setting mean, None where it is not there. Raises ValueError, which names it."""
    try:
        return None if written is None else frozenset(map(meaning, written))
    except ValueError as error:
        raise ValueError(f"{setting}: {error}") from None


def _mechanism(written: str | int) -> CKM:
    if written not in _MECHANISMS:
        shown = f"{written:#x}" if isinstance(written, int) else repr(written)
        raise ValueError(f"softee has no mechanism {shown}; they have PKCS#11's names, as CKM_ECDSA, or numbers")
    return _MECHANISMS[written]


def _added_mechanism(written: str | int) -> CKM:
    mechanism = _mechanism(written)
    if mechanism in MISSING:
        extra = MISSING[mechanism]
        raise ValueError(f"CKM_{mechanism.name} needs a library that is not installed: pip install 'softee[{extra}]'")
    return mechanism


def _curves(names: Iterable[str] | None) -> frozenset[bytes] | None:
    """Return every value of CKA_EC_PARAMS that means one of the curves."""
    named = _all("curves", names, _curve)
    return None if named is None else frozenset(chain.from_iterable(named))


def _curve(name: str) -> frozenset[bytes]:
    if name not in _CURVES:
        raise ValueError(f"{name!r} is none of the curves {', '.join(_CURVES)}")
    return _CURVES[name]


def _key_sizes(written: Mapping[str, tuple[int, int]]) -> Mapping[int, SizeRange]:
    """Return the sizes of keys by CKK. Raises ValueError."""
    sizes: dict[int, SizeRange] = {}
    for name, (low, high) in written.items():
        if name not in _TYPES:
            raise ValueError(f"key_sizes: {name!r} is none of the types {', '.join(_TYPES)}")
        if not 0 < low <= high:
            raise ValueError(f"key_sizes: {name} has the smallest size and the largest, not {low} and {high}")
        sizes.update(dict.fromkeys(_TYPES[name], SizeRange(low, high)))
    return sizes


def _user(written: str | int) -> int:
    return _id(written, "user", lambda name: pwd.getpwnam(name).pw_uid)


def _group(written: str | int) -> int:
    return _id(written, "group", lambda name: grp.getgrnam(name).gr_gid)


def _id(written: str | int, what: str, find: Callable[[str], int]) -> int:
    """Return the number of a user or group. A number need not have a name."""
    try:
        number = find(written) if isinstance(written, str) else written
    except (KeyError, ValueError):
        raise ValueError(f"there is no {what} {written!r}") from None
    if not 0 <= number <= _LARGEST_ID:
        raise ValueError(f"there is no {what} {number}")
    if number == OVERFLOW_ID:
        raise ValueError(f"{what} {written!r} ({number}) stands for every {what} that this system does not know")
    return number
