# SPDX-License-Identifier: Apache-2.0
"""Write docs/generated/profiles, a page for each profile: a change of policy is a diff. --check says what is stale."""

import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from functools import partial

from generation import main
from softee.names import CKA, CKR, MechanismFlag
from softee.pkcs11_ta.attributes.uses import Unset
from softee.pkcs11_ta.keys.key_type import KeyType
from softee.pkcs11_ta.keys.table import KEY_TYPES
from softee.pkcs11_ta.mechanisms.spec import AnyMechanism
from softee.pkcs11_ta.objects.kinds import KINDS, ObjectKind
from softee.pkcs11_ta.objects.policy import USAGES, ObjectPolicy
from softee.pkcs11_ta.token.policy import Policy
from softee.pkcs11_ta.token.presented import profiles_of
from softee.pkcs11_ta.token.profiles import PROFILES
from softee.pkcs11_ta.token.room import Room

NOTE = "<!-- Made by tools/gen_docs_profiles.py from src/softee/pkcs11_ta/token/profiles.py. Do not edit. -->"

Lines = Iterable[str]


def page(policy: Policy) -> str:
    """Return a profile's page."""
    lines = [f"# The profile {policy.name}", NOTE]
    for title, section in SECTIONS.items():
        lines += ["", f"## {title}", "", *section(policy)]
    return "\n".join(lines) + "\n"


def mechanisms(policy: Policy) -> Lines:
    """Return what C_GetMechanismList and C_GetMechanismInfo say."""
    yield "In the order of C_GetMechanismList. Key sizes are bits of RSA and EC, bytes of secret keys."
    yield ""
    yield "| mechanism | number | key size | functions |"
    yield "|---|---|---|---|"
    for number, spec in policy.mechanisms.items():
        yield f"| CKM_{number.name} | 0x{number:04x} | {_size(spec)} | {_functions(spec)} |"


def _size(spec: AnyMechanism) -> str:
    return f"{spec.key_size.low} to {spec.key_size.high}" if spec.key_size else ""


def _functions(spec: AnyMechanism) -> str:
    return ", ".join(str(flag.name).lower().replace("_", " ") for flag in MechanismFlag if flag in spec.flags)


def keys(policy: Policy) -> Lines:
    """Return which sizes and curves keys may have."""
    yield "| type | sizes | curves |"
    yield "|---|---|---|"
    for key_type in KEY_TYPES:
        ranges = {policy.key_sizes.get(number) for number in key_type.numbers}
        sizes = ", ".join(f"{sizes.low} to {sizes.high}" if sizes else "all" for sizes in ranges)
        yield f"| {key_type.name} | {sizes} | {_curves(policy, key_type)} |"


def _curves(policy: Policy, key_type: KeyType) -> str:
    """Return the names of the curves whose keys the policy lets pass."""

    def passes(params: frozenset[bytes]) -> bool:
        sizes = [policy.key_sizes[number] for number in key_type.numbers if number in policy.key_sizes]
        size = key_type.measure({CKA.EC_PARAMS: min(params)})
        return (policy.curves is None or params <= policy.curves) and all(size in allowed for allowed in sizes)

    return ", ".join(name for name, params in key_type.curves.items() if passes(params))


def defaults(policy: Policy) -> Lines:
    """Return what an object has where its template says nothing."""
    yield "What can be true or false; the other defaults are in [attributes.md](../attributes.md)."
    yield ""
    yield "| object | true | false |"
    yield "|---|---|---|"
    for kind in KINDS:
        values = _defaults(policy.objects, kind)
        true, false = (_names(values, wanted=wanted) for wanted in (True, False))
        yield f"| {kind.name} | {true} | {false} |"


def _defaults(policy: ObjectPolicy, kind: ObjectKind, *named: CKA) -> Mapping[CKA, object]:
    """Return the defaults where a template makes the ``named`` attributes true, and says nothing else."""
    own = policy.defaults_of(kind, dict.fromkeys(named, True))
    defaults = {use.type: own.get(use.type, use.default) for use in kind.rows}
    return {attribute: value for attribute, value in defaults.items() if not isinstance(value, Unset)}


def _names(values: Mapping[CKA, object], *, wanted: bool) -> str:
    return ", ".join(f"CKA_{attribute.name}" for attribute, value in values.items() if value is wanted)


def presented(policy: Policy) -> Lines:
    """Return which profiles of the standard the token says that it has."""
    named = ", ".join(f"CKP_{profile.name}" for profile in profiles_of(policy)) or "none"
    yield f"CKO_PROFILE objects, by CKA_PROFILE_ID: {named}."


def usages(policy: Policy) -> Lines:
    """Return what a key is for where its template names one use of it."""
    added = {
        attribute
        for kind in KINDS
        for usage in USAGES & kind.uses.keys()
        for attribute, value in _defaults(policy.objects, kind, usage).items()
        if attribute in USAGES and value is True
    }
    named = ", ".join(f"CKA_{attribute.name}" for attribute in sorted(added)) or "none"
    yield f"What a key can do besides, where its template makes one use true: {named}."


def answers(policy: Policy) -> Lines:
    """Return which answers are not the standard's."""
    way = "OP-TEE's counts" if policy.as_optee else "the standard's counts"
    yield f"Where the standard and OP-TEE differ, {way}."
    for rv in CKR:
        if policy.answer(rv) != rv:
            yield f"CKR_{rv.name} is answered as CKR_{policy.answer(rv).name}."


def switches(policy: Policy) -> Lines:
    """Return what can be switched."""
    apart = "; ".join(f"CKA_{one.name} and CKA_{other.name}" for one, other in policy.objects.apart) or "none"
    point = "bare" if policy.objects.bare_points else "a DER OCTET STRING"
    hashes = ", ".join(f"CKM_{one.name}" for one in sorted(policy.refused_hashes)) or "none"
    yield "| what | |"
    yield "|---|---|"
    yield f"| uses that no key has both of | {apart} |"
    yield f"| CKA_EC_POINT of Edwards and Montgomery keys | {point} |"
    yield f"| keys have a CKA_CHECK_VALUE | {_yes(yes=policy.objects.check_values)} |"
    yield f"| C_DigestKey | {_yes(yes=policy.digests_keys)} |"
    yield f"| hash functions that no parameter may choose | {hashes} |"
    yield f"| users | {_who(policy.users)} |"
    yield f"| groups | {_who(policy.groups)} |"
    yield f"| room for | {_room(policy.room)} |"
    yield f"| room for, without a login | {_room(policy.room_without_login)} |"


def _yes(*, yes: bool) -> str:
    return "yes" if yes else "no"


def _room(room: Room) -> str:
    return f"{room.objects:,} objects, {room.bytes >> 20:,} MiB"


def _who(numbers: frozenset[int] | None) -> str:
    return "all" if numbers is None else ", ".join(map(str, sorted(numbers)))


SECTIONS: Mapping[str, Callable[[Policy], Lines]] = {
    "Mechanisms": mechanisms,
    "Keys": keys,
    "Objects whose template is silent": defaults,
    "Profiles of the standard": presented,
    "Uses": usages,
    "Answers": answers,
    "Switches": switches,
}

SHOWN = {
    Policy: {
        "name",
        "mechanisms",
        "objects",
        "key_sizes",
        "curves",
        "users",
        "groups",
        "digests_keys",
        "refused_hashes",
        "room",
        "room_without_login",
    },
    ObjectPolicy: {"defaults", "usable", "as_optee", "apart", "check_values", "bare_points"},
}
"""What the sections show. What a policy has besides must be shown, too, before there is a page of it."""


def check_that_all_is_shown() -> None:
    """Raise RuntimeError where a policy says something that no section shows."""
    for kind, shown in SHOWN.items():
        missing = {field.name for field in fields(kind) if field.init} - shown
        if missing:
            raise RuntimeError(f"no section shows {sorted(missing)} of {kind.__name__}")


if __name__ == "__main__":
    check_that_all_is_shown()
    pages = {f"docs/generated/profiles/{name}.md": partial(page, policy) for name, policy in PROFILES.items()}
    sys.exit(main(__doc__, pages))
