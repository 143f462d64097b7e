# SPDX-License-Identifier: Apache-2.0
"""Settings of slots become policies: profiles, names that become numbers, and refusals that name the setting."""

import grp
import os
import pwd
from pathlib import Path
from typing import get_args

import pytest

from softee.daemon.policies import slot_policies
from softee.daemon.settings import Pkcs11Settings, SettingsError, load_settings
from softee.daemon.slot_settings import ProfileName
from softee.names import CKK, CKM, MechanismFlag
from softee.pkcs11_ta.keys.ec import EC
from softee.pkcs11_ta.keys.view import SizeRange
from softee.pkcs11_ta.token.policy import Policy
from softee.pkcs11_ta.token.profiles import OPTEE, PORTABLE, PROFILES, STRICT


def policies(tmp_path: Path, text: str) -> list[Policy]:
    (tmp_path / "softee.toml").write_text(text)
    return slot_policies(load_settings(tmp_path / "softee.toml").pkcs11)


def first(tmp_path: Path, text: str) -> Policy:
    return policies(tmp_path, f"[pkcs11]\n{text}")[0]


def test_the_settings_know_the_profiles_that_there_are() -> None:
    assert set(get_args(ProfileName)) == set(PROFILES)


def test_without_settings_every_slot_is_portable() -> None:
    assert slot_policies(Pkcs11Settings()) == [PORTABLE] * 3


def test_each_slot_has_its_own_profile_or_the_default_one(tmp_path: Path) -> None:
    text = '[pkcs11]\nprofile = "strict"\n[pkcs11.slot.0]\nprofile = "portable"\n[pkcs11.slot.2]\nprofile = "optee"\n'
    assert policies(tmp_path, text) == [PORTABLE, STRICT, OPTEE]


def test_a_profile_on_the_command_line_is_of_slots_that_name_none(tmp_path: Path) -> None:
    file = tmp_path / "softee.toml"
    file.write_text('[pkcs11.slot.1]\nprofile = "strict"\n')
    settings = load_settings(file, {"pkcs11": {"profile": "optee", "slots": None}})
    assert slot_policies(settings.pkcs11) == [OPTEE, STRICT, OPTEE]


def test_what_a_slot_does_not_say_is_as_the_default_has_it(tmp_path: Path) -> None:
    text = """
[pkcs11]
refused_mechanisms = ["CKM_MD5"]
check_values = false
[pkcs11.key_sizes]
RSA = [2048, 4096]
AES = [32, 32]
[pkcs11.slot.1]
refused_mechanisms = ["CKM_SHA_1"]
check_values = true
[pkcs11.slot.1.key_sizes]
RSA = [4096, 4096]
"""
    default, own, other = policies(tmp_path, text)
    assert default == other
    assert CKM.MD5 not in default.mechanisms
    assert CKM.MD5 in own.mechanisms
    assert CKM.SHA_1 not in own.mechanisms
    assert (default.objects.check_values, own.objects.check_values) == (False, True)
    assert own.key_sizes == {CKK.RSA: SizeRange(4096, 4096), CKK.AES: default.key_sizes[CKK.AES]}


@pytest.mark.parametrize("written", ['"CKM_EC_KEY_PAIR_GEN"', '"CKM_ECDSA_KEY_PAIR_GEN"', "0x1040"])
def test_a_mechanism_is_named_as_in_the_standard_or_by_its_number(tmp_path: Path, written: str) -> None:
    assert list(first(tmp_path, f"allowed_mechanisms = [{written}]").mechanisms) == [CKM.EC_KEY_PAIR_GEN]
    assert CKM.EC_KEY_PAIR_GEN not in first(tmp_path, f"refused_mechanisms = [{written}]").mechanisms


def test_curves_and_key_sizes_are_named_as_people_know_them(tmp_path: Path) -> None:
    policy = first(tmp_path, 'curves = ["P-256"]\n[pkcs11.key_sizes]\n"generic secret" = [16, 64]')
    assert policy.curves == EC.curves["P-256"]
    assert {CKK.GENERIC_SECRET, CKK.SHA256_HMAC} <= policy.key_sizes.keys()
    assert set(policy.key_sizes.values()) == {SizeRange(16, 64)}


def test_users_and_groups_are_named_or_numbered(tmp_path: Path) -> None:
    user, group = pwd.getpwuid(os.geteuid()), grp.getgrgid(os.getegid())
    policy = first(tmp_path, f'users = ["{user.pw_name}", 4242]\ngroups = ["{group.gr_name}", 4243]')
    assert (policy.users, policy.groups) == (frozenset({user.pw_uid, 4242}), frozenset({group.gr_gid, 4243}))
    nobody = first(tmp_path, "users = []")
    assert (nobody.users, nobody.groups) == (frozenset(), None)


@pytest.mark.parametrize(("written", "bare"), [("raw", True), ("der", False)])
def test_points_are_shown_as_the_settings_say(tmp_path: Path, written: str, bare: bool) -> None:  # noqa: FBT001 - a case
    for profile in ("portable", "optee"):
        assert first(tmp_path, f'profile = "{profile}"\nec_point = "{written}"').objects.bare_points is bare


@pytest.mark.parametrize("wanted", [True, False])
def test_switches_are_said_and_silence_is_the_profiles(tmp_path: Path, wanted: bool) -> None:  # noqa: FBT001 - a case
    names = ("wrap_and_decrypt_apart", "check_values", "digest_keys", "wrap_with_ecb_and_cbc")
    policy = first(tmp_path, "\n".join(f"{name} = {str(wanted).lower()}" for name in names))
    assert bool(policy.objects.apart) is wanted
    assert (policy.objects.check_values, policy.digests_keys) == (wanted, wanted)
    assert bool(policy.mechanism(CKM.AES_CBC).flags & MechanismFlag.WRAP) is wanted
    assert first(tmp_path, 'profile = "strict"') == STRICT


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('allowed_mechanisms = ["CKM_AES"]', "allowed_mechanisms: softee has no mechanism 'CKM_AES'"),
        ('allowed_mechanisms = ["SHA256"]', "allowed_mechanisms: softee has no mechanism 'SHA256'"),
        ("refused_mechanisms = [0x8000]", "refused_mechanisms: softee has no mechanism 0x8000"),
        ('refused_mechanisms = ["CKM_CAST_CBC"]', "refused_mechanisms: softee has no mechanism 'CKM_CAST_CBC'"),
        ('curves = ["P-255"]', "curves: 'P-255' is none of the curves P-192, "),
        ("[pkcs11.key_sizes]\nDSA = [1, 2]", "key_sizes: 'DSA' is none of the types RSA, "),
        ("[pkcs11.key_sizes]\nRSA = [4096, 2048]", "key_sizes: RSA has the smallest size and the largest"),
        ("[pkcs11.key_sizes]\nRSA = [0, 2048]", "key_sizes: RSA has the smallest size and the largest"),
        ('users = ["softee-none"]', "users: there is no user 'softee-none'"),
        ("users = [-1]", "users: there is no user -1"),
        ("users = [4294967295]", "users: there is no user 4294967295"),
        ("users = [65534]", "users: user 65534 .* stands for every user that this system does not know"),
        ('groups = ["softee-none"]', "groups: there is no group 'softee-none'"),
        ("groups = [65534]", "groups: group 65534 .* stands for every group"),
    ],
)
def test_what_there_is_not_is_refused_by_the_settings_name(tmp_path: Path, text: str, said: str) -> None:
    for table in ("pkcs11", "pkcs11.slot.1"):
        (tmp_path / "softee.toml").write_text(f"[{table}]\n{text.replace('pkcs11', table)}\n")
        settings = load_settings(tmp_path / "softee.toml").pkcs11
        with pytest.raises(SettingsError, match=rf"^A setting in \[{table}\] is wrong: {said}"):
            slot_policies(settings)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("allowed_mechanisms = []", "no mechanism is left"),
        ("curves = []", "no curve is left"),
        ("[pkcs11.key_sizes]\nRSA = [1024, 1024]", "no size is left"),
    ],
)
def test_settings_that_leave_nothing_are_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(SettingsError, match=f"^The settings of slot 0 take too much from the profile strict: {said}"):
        policies(tmp_path, f'[pkcs11]\nprofile = "strict"\n{text}\n')
