# SPDX-License-Identifier: Apache-2.0
"""``softee token unlock``: who has the root key and the right PIN gets back in; nobody else does by it."""

from pathlib import Path

import pytest

from softee.cli.main import main
from softee.daemon.settings import Settings, load_settings
from softee.names import CKR, CKU
from support.anchors import FakeCounter
from support.states import opened, settings_in
from support.token_world import SO_PIN, USER_PIN, Caller


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    settings = settings_in(tmp_path)
    with opened(settings) as caller:
        caller.set_up()
        other = Caller(caller.application)
        session = other.open()
        for user in (CKU.USER, CKU.SO):
            answers = [other.login(session, user, b"guess") for _ in range(7)]
            assert answers[-1] is CKR.PIN_LOCKED
    return settings


def run(settings: Settings, pin: bytes, *options: str, label: str = "test") -> int:
    """Run the command, and return its exit status."""
    file = settings.state.parent / "pin"
    file.write_bytes(pin + b"\n")
    config = settings.state.parent / "softee.toml"
    with pytest.raises(SystemExit) as ended:
        main(["token", "unlock", label, f"--pin-file={file}", f"--config={config}", *options])
    return int(ended.value.code or 0)


@pytest.mark.parametrize(("options", "user", "pin"), [((), CKU.USER, USER_PIN), (("--so",), CKU.SO, SO_PIN)])
def test_the_right_pin_unlocks(
    settings: Settings, capsys: pytest.CaptureFixture[str], options: tuple[str, ...], user: CKU, pin: bytes
) -> None:
    assert run(settings, pin, *options) == 0
    assert "is unlocked" in capsys.readouterr().out
    with opened(settings) as caller:
        session = caller.open()
        assert caller.login(session, user, pin) is CKR.OK
        caller.logout(session)
        other, its_pin = (CKU.SO, SO_PIN) if user is CKU.USER else (CKU.USER, USER_PIN)
        assert caller.login(session, other, its_pin) is CKR.PIN_LOCKED, "the other one was not asked for"


def test_a_wrong_pin_unlocks_nothing_and_makes_nothing_worse(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(settings, b"wrong") == 1
    assert "This is not the PIN; nothing was changed." in capsys.readouterr().err
    with opened(settings) as caller:
        assert caller.login(caller.open()) is CKR.PIN_LOCKED
    assert run(settings, USER_PIN) == 0


def test_what_is_not_there_is_said(settings: Settings, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert run(settings, USER_PIN, label="another") == 1
    assert 'There is no token called "another"' in capsys.readouterr().err
    assert run(settings, USER_PIN, f"--state={tmp_path}/none") == 1
    assert "There is no state in" in capsys.readouterr().err
    with opened(settings) as caller:
        assert caller.init_token(1) is CKR.OK
    assert run(settings, USER_PIN) == 1
    assert 'There are several tokens called "test"' in capsys.readouterr().err


def test_a_token_without_that_pin_has_nothing_to_unlock(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    with opened(settings) as caller:
        assert caller.init_token(1, label=b"new") is CKR.OK
    assert run(settings, USER_PIN, label="new") == 1
    assert "The token has no such PIN." in capsys.readouterr().err


def test_a_state_that_is_in_use_is_left_alone(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    with opened(settings):
        assert run(settings, USER_PIN) == 1
    assert "Another secure world uses the state" in capsys.readouterr().err


def test_an_anchored_state_opens_after_it_was_unlocked(
    settings: Settings, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    counter = FakeCounter()
    monkeypatch.setattr("softee.daemon.anchoring.TpmCounter", lambda _: counter)
    config = settings.state.parent / "softee.toml"
    config.write_text(config.read_text() + 'anchor = "tpm:0x01800057"\n')
    anchored = load_settings(config)
    with opened(anchored) as caller:
        assert caller.login(caller.open()) is CKR.PIN_LOCKED
    assert run(anchored, USER_PIN) == 0
    with opened(anchored) as caller:
        assert caller.login(caller.open()) is CKR.OK
    counter.fails_before = True
    assert run(anchored, USER_PIN) == 1
    assert "cannot be used: the counter does not answer" in capsys.readouterr().err
