# SPDX-License-Identifier: Apache-2.0
"""The doctor's look at the files that must be kept from others."""

import os
from collections.abc import Iterable
from pathlib import Path

import pytest

from softee.cli.doctor.files import check_root_key, check_state
from softee.cli.doctor.finding import Finding, Verdict


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
