# SPDX-License-Identifier: Apache-2.0
"""Checks of the slots' settings, and what their profiles mean for what the state holds already."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from softee.cli.doctor.finding import Finding, good, wrong
from softee.daemon.policies import slot_policies
from softee.daemon.settings import Settings, SettingsError
from softee.daemon.store import DATABASE

MEANINGS: Mapping[str, str] = {
    "portable": (
        "a key whose template is silent is private, sensitive, not extractable and usable for what its type does; "
        "only who is logged in writes to the token; searches answer the oldest object first"
    ),
    "optee": (
        "as on a board: a key whose template is silent is usable for nothing and not private; everybody who connects "
        "writes public objects"
    ),
    "strict": "as portable, without weak mechanisms, small keys, check values and C_DigestKey",
}
"""What each profile means to who uses the token."""

_BEFORE = (
    "objects keep the attributes that they were made with: keys from before portable was the default may be public "
    "and lack uses, and stay so; programs that count on the old way need --profile optee"
)


def check_profiles(settings: Settings) -> Iterator[Finding]:
    """Look at the slots' settings, and name their profiles."""
    try:
        names = [policy.name for policy in slot_policies(settings.pkcs11)]
    except SettingsError as error:
        yield wrong(
            "settings", str(error).removesuffix("."), "mend the settings; docs/softee.toml.example has them all"
        )
        return
    for name, meaning in MEANINGS.items():
        slots = ", ".join(str(slot) for slot, own in enumerate(names) if own == name)
        if slots:
            yield good("profile", f"{name} (slot {slots}): {meaning}")
    if "portable" in names and _holds_something(settings.state):
        yield good("profile", _BEFORE)


def _holds_something(state: Path) -> bool:
    try:
        return (state / DATABASE).exists()
    except PermissionError:
        return False
