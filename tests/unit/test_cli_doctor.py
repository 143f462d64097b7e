# SPDX-License-Identifier: Apache-2.0
"""The doctor's look at the files that must be kept from others."""

import os
from collections.abc import Iterable
from pathlib import Path

import pytest

from softee.cli.doctor.files import check_root_key, check_state
from softee.cli.doctor.finding import Finding, Verdict
from softee.cli.doctor.profiles import MEANINGS, check_profiles
from softee.cli.doctor.restart import check_restart
from softee.daemon.settings import Settings, load_settings
from softee.pkcs11_ta.token.profiles import PROFILES


@pytest.fixture
def state(tmp_path: Path) -> Path:
    made = tmp_path / "state"
    made.mkdir(mode=0o700)
    (made / "softee.db").touch()
    return made


@pytest.fixture
def root_key(tmp_path: Path) -> Path:
    (tmp_path / "key").mkdir()
    key = tmp_path / "key" / "root.key"
    key.write_bytes(bytes(32))
    key.chmod(0o600)
    return key


def verdicts(findings: Iterable[Finding]) -> list[Verdict]:
    return [finding.verdict for finding in findings]


def test_a_right_root_key_and_state_are_good(root_key: Path, state: Path) -> None:
    assert verdicts([*check_root_key(root_key, state), *check_state(state)]) == [Verdict.GOOD, Verdict.GOOD]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_a_root_key_that_others_reach_is_wrong(root_key: Path, state: Path, mode: int) -> None:
    root_key.chmod(mode)
    (finding,) = check_root_key(root_key, state)
    assert finding.verdict == Verdict.WRONG
    assert finding.mend == f"chmod 600 {root_key}"


def test_a_root_key_of_another_size_is_wrong(root_key: Path, state: Path) -> None:
    root_key.write_bytes(bytes(31))
    assert Verdict.WRONG in verdicts(check_root_key(root_key, state))


def test_what_this_user_may_not_see_is_a_warning(root_key: Path, state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(_: Path) -> os.stat_result:
        raise PermissionError

    monkeypatch.setattr(Path, "stat", refused)
    for finding in (*check_root_key(root_key, state), *check_state(state)):
        assert finding.verdict == Verdict.WARNING
        assert "the daemon's user" in finding.mend


def test_a_missing_root_key_beside_a_database_is_wrong(tmp_path: Path, state: Path) -> None:
    (finding,) = check_root_key(tmp_path / "none.key", state)
    assert finding.verdict == Verdict.WRONG
    assert "nothing in" in finding.what


def test_a_first_start_is_good(tmp_path: Path) -> None:
    findings = [*check_root_key(tmp_path / "none.key", tmp_path / "none"), *check_state(tmp_path / "none")]
    assert set(verdicts(findings)) == {Verdict.GOOD}


def test_a_root_key_beside_its_database_is_a_warning(root_key: Path, state: Path) -> None:
    beside = state / "root.key"
    root_key.rename(beside)
    assert verdicts(check_root_key(beside, state)) == [Verdict.GOOD, Verdict.WARNING]


def test_a_state_that_others_can_enter_is_wrong(state: Path) -> None:
    state.chmod(0o755)
    (finding,) = check_state(state)
    assert finding.verdict == Verdict.WRONG
    assert finding.mend == f"chmod 700 {state}"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_root_key_of_another_user_is_wrong(root_key: Path, state: Path) -> None:
    os.chown(root_key, 12345, -1)
    (finding,) = check_root_key(root_key, state)
    assert "uid 12345" in finding.what


def slot_settings(tmp_path: Path, text: str, state: Path) -> Settings:
    file = tmp_path / "softee.toml"
    file.write_text(text)
    return load_settings(file, {"state": state})


def test_the_profiles_are_named_and_what_they_mean(tmp_path: Path) -> None:
    settings = slot_settings(tmp_path, '[pkcs11.slot.1]\nprofile = "optee"\n', tmp_path / "none")
    portable, optee = check_profiles(settings)
    assert (portable.verdict, optee.verdict) == (Verdict.GOOD, Verdict.GOOD)
    assert portable.what.startswith("portable (slot 0, 2): a key whose template is silent is private")
    assert optee.what.startswith("optee (slot 1): as on a board")
    assert set(MEANINGS) == set(PROFILES)


def test_a_state_is_told_what_stays_as_it_was(tmp_path: Path, state: Path) -> None:
    *_, last = check_profiles(slot_settings(tmp_path, "", state))
    assert "keep the attributes" in last.what
    assert "--profile optee" in last.what
    (only,) = check_profiles(slot_settings(tmp_path, '[pkcs11]\nprofile = "optee"\n', state))
    assert "--profile" not in only.what


def test_settings_that_name_what_there_is_not_are_wrong(tmp_path: Path, state: Path) -> None:
    (finding,) = check_profiles(slot_settings(tmp_path, '[pkcs11]\ncurves = ["P-1"]\n', state))
    assert (finding.check, finding.verdict) == ("settings", Verdict.WRONG)
    assert "curves: 'P-1' is none of" in finding.what


def test_a_state_that_cannot_be_seen_is_told_nothing(
    tmp_path: Path, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: Path) -> bool:
        raise PermissionError

    settings = slot_settings(tmp_path, "", state)
    monkeypatch.setattr(Path, "exists", refuse)
    assert len(list(check_profiles(settings))) == 1


def test_whether_logins_come_back_after_a_restart_is_told(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("softee.cli.doctor.restart.Entry", lambda _: None)
    assert verdicts(check_restart(state)) == [Verdict.GOOD]

    def none(_: bytes) -> None:
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr("softee.cli.doctor.restart.Entry", none)
    (finding,) = check_restart(state)
    assert finding.verdict == Verdict.WARNING
    assert "logins end with the daemon" in finding.what
    assert "FileDescriptorStoreMax" in finding.mend
