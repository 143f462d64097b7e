# SPDX-License-Identifier: Apache-2.0
"""softee token: initialized, shown, its PINs changed, emptied; and what is said where there is none."""

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from interop.command_line import CommandLine, command_line
from interop.test_login_by_identity import ME, USER, name_the_user
from interop.tools import PIN, SO_PIN, Programs
from softee.cli.cryptoki import choice
from softee.cli.token import ours, shutting
from softee.cli.token_client import token_client
from softee.client import RefusedError, TeeSession
from softee.names import TeeResult
from softee.pkcs11_ta.abi.commands import slots
from support.secure_world import RunningDaemon, running_daemon

NEW_PIN = "another pin"
UNUSED_NUMBER = 0x10F0


@pytest.fixture
def daemon(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[RunningDaemon]:
    """A secure world with one slot, of the profile that a test names."""
    profile = getattr(request, "param", "portable")
    with running_daemon(tmp_path, settings=f'[pkcs11]\nslots = 1\nprofile = "{profile}"\n') as running:
        yield running


@pytest.fixture
def softee(programs: Programs, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    return command_line(programs, monkeypatch, capsys)


def test_a_token_is_initialized_shown_and_emptied(softee: CommandLine) -> None:
    (fresh,) = softee.json("token", "list")
    assert (fresh["slot"], fresh["label"], fresh["initialized"], fresh["uri"]) == (0, None, False, None)
    assert "uninitialized" in softee("token", "list")
    assert softee.fails("key", "list").startswith("There is no such token")
    made = softee.json("token", "init", "mine")
    assert (made["label"], made["initialized"], made["model"]) == ("mine", True, "OP-TEE TA")
    assert "user pin initialized" in made["flags"]
    assert "set" in softee("token", "list").splitlines()[1].split()
    shown = softee.json("token", "show")
    assert "CKM_ECDSA" in shown["mechanisms"]
    assert "CKM_ECDSA" in softee("token", "show", "--token", "mine")
    softee("key", "generate", "ed25519", "--label", "lost")
    assert softee("token", "wipe", "--yes").startswith('The token "mine" in slot 0 is empty')
    assert "none" in softee("token", "list").splitlines()[1].split()
    refused = softee.fails("key", "list")
    assert refused.startswith("The token's user has no PIN yet; `softee token set-pin --so` sets it")


@contextmanager
def busy_client(daemon: RunningDaemon) -> Iterator[Callable[[], None]]:
    """Have another client open two sessions; yield what opens one more."""
    with token_client(daemon.socket) as client:
        client.open_session(0)
        client.open_session(0, write=True)
        yield lambda: client.close_session(client.open_session(0))


def test_a_token_is_emptied_while_programs_have_sessions_with_it(softee: CommandLine, daemon: RunningDaemon) -> None:
    softee("token", "init", "mine")
    with busy_client(daemon) as open_one:
        assert softee("token", "wipe", "--yes").endswith("2 sessions that programs had with it were ended.\n")
        open_one()
    with busy_client(daemon) as open_one:
        assert softee.json("token", "wipe", "--yes") == {"slot": 0, "label": "mine", "sessions_ended": 2}
        open_one()
    with busy_client(daemon):
        assert softee("token", "init", "other", "--slot", "0", "--yes") == 'The token "other" in slot 0 is ready.\n'
    assert softee.json("token", "wipe", "--yes")["sessions_ended"] == 0


def test_sessions_end_only_where_the_so_and_the_operator_agree(
    softee: CommandLine, daemon: RunningDaemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    def deny(*_: object) -> TeeSession:
        raise RefusedError("the session", TeeResult.ACCESS_DENIED)

    softee("token", "init", "mine")
    with token_client(daemon.socket) as client:
        session = client.open_session(0)
        monkeypatch.setenv("SOFTEE_SO_PIN", f"{SO_PIN}0")
        assert softee.fails("token", "wipe", "--yes").startswith("The PIN is wrong (C_Login")
        monkeypatch.setenv("SOFTEE_SO_PIN", SO_PIN)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(shutting, "TeeClient", lambda _: nullcontext(SimpleNamespace(open_session=deny)))
            refused = softee.fails("token", "wipe", "--yes")
            assert refused.startswith("Programs have sessions with the token; root, or the secure world's own user")
            patch.setattr(ours, "answering_socket", lambda: None)
            assert softee.fails("token", "wipe", "--yes").startswith(
                "Programs have sessions with the token, which must"
            )
        client.close_session(session)


def test_a_token_is_renamed_and_keeps_all_that_is_on_it(
    softee: CommandLine, daemon: RunningDaemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    softee("token", "init", "mine")
    softee("key", "generate", "ed25519", "--label", "kept")
    with busy_client(daemon):
        assert softee("token", "rename", "yours") == 'The token "mine" is now called "yours".\n'
    assert softee.json("key", "list", "--token", "yours")[0]["label"] == "kept"
    assert softee.json("token", "rename", "hers", "--token", "yours") == {"slot": 0, "label": "hers", "before": "yours"}
    assert softee.fails("token", "rename", "x", "--token", "mine").startswith("There is no such token")
    assert softee.fails("token", "rename", "x" * 33, status=2).startswith("A token's label has at most 32 bytes")
    monkeypatch.setenv("SOFTEE_SO_PIN", f"{SO_PIN}0")
    assert softee.fails("token", "rename", "other").startswith("The PIN is wrong (C_Login was refused")
    monkeypatch.setattr(ours, "answering_socket", lambda: None)
    assert softee.fails("token", "rename", "x").startswith('The token "hers" is none of the secure world\'s')
    assert "the token in slot 0 was renamed" in daemon.log()


def test_an_older_secure_world_that_cannot_rename_says_so(softee: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    softee("token", "init", "mine")
    unknown = replace(slots.RENAME_TOKEN, number=UNUSED_NUMBER)
    monkeypatch.setattr(slots, "RENAME_TOKEN", unknown)
    assert softee.fails("token", "rename", "yours").startswith("The secure world that answers cannot rename tokens")
    assert softee.json("token", "list")[0]["label"] == "mine"


def test_a_token_is_emptied_only_where_it_is_named_and_its_so_agrees(
    softee: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    softee("token", "init", "mine")
    assert softee.fails("token", "init", "other", "--yes").startswith("Every token is initialized")
    monkeypatch.setenv("SOFTEE_SO_PIN", f"{SO_PIN}0")
    assert softee.fails("token", "init", "other", "--slot", "0", "--yes").startswith("The PIN is wrong (C_InitToken")
    monkeypatch.setenv("SOFTEE_SO_PIN", SO_PIN)
    assert softee.fails("token", "init", "x" * 33, "--slot", "0", "--yes", status=2).startswith("A token's label has")
    monkeypatch.setenv("SOFTEE_PIN", "x")
    refused = softee.fails("token", "init", "other", "--slot", "0", "--yes")
    assert refused == "The token takes PINs of 4 to 128 bytes."
    assert softee.json("token", "list")[0]["label"] == "mine"
    monkeypatch.setenv("SOFTEE_PIN", PIN)
    assert softee("token", "init", "other", "--slot", "0", "--yes") == 'The token "other" in slot 0 is ready.\n'


def test_pins_are_changed_by_who_may(softee: CommandLine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    softee("token", "init", "mine")
    monkeypatch.setenv("SOFTEE_NEW_PIN", NEW_PIN)
    assert softee("token", "set-pin") == 'The PIN of the user of token "mine" is changed.\n'
    assert softee.fails("key", "list").startswith("The PIN is wrong")
    (tmp_path / "pin").write_text(f"{NEW_PIN}\n")
    assert softee.json("key", "list", "--pin-file", str(tmp_path / "pin")) == []
    monkeypatch.setenv("SOFTEE_NEW_PIN", PIN)
    assert softee("token", "set-pin", "--so") == 'The PIN of the user of token "mine" is changed.\n'
    assert softee.json("key", "list") == []
    monkeypatch.setenv("SOFTEE_NEW_PIN", NEW_PIN)
    assert softee("token", "set-pin", "--of-so") == 'The PIN of the SO of token "mine" is changed.\n'
    assert softee.fails("token", "set-pin", "--so").startswith("The PIN is wrong")
    monkeypatch.setenv("SOFTEE_NEW_PIN", "x")
    assert softee.fails("token", "set-pin").startswith("The token takes no PIN of this length")


@pytest.mark.parametrize("daemon", ["optee"], indirect=True, ids=["where nobody waits"])
def test_a_locked_pin_is_said_to_be(softee: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    softee("token", "init", "mine")
    monkeypatch.setenv("SOFTEE_PIN", f"{PIN}0")
    states = []
    for _ in range(7):
        softee.fails("key", "list")
        states.append(re.split(r"  +", softee("token", "list").splitlines()[1])[4])
    assert states == ["was wrong"] * 5 + ["one try left", "locked"]
    assert softee.fails("key", "list").startswith("The PIN is locked, since it was wrong too often;")


def test_where_no_secure_world_answers_the_reason_is_told(
    softee: CommandLine, daemon: RunningDaemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    daemon.kill()
    assert not softee.fails("key", "list").startswith("No secure world answers")
    monkeypatch.setattr(choice, "installed_module", lambda: Path(os.environ["SOFTEE_MODULE"]))
    assert softee.fails("key", "list").startswith(f"No secure world answers on {daemon.socket}")


def test_a_token_that_knows_its_user_asks_for_no_pin(
    softee: CommandLine, programs: Programs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A token that was initialized without a PIN logs in by TEE identity."""
    monkeypatch.delenv("SOFTEE_PIN")
    for name, value in USER.items():
        monkeypatch.setenv(name, value)
    identity = replace(programs, variables=USER)
    identity.p11("--init-token", "--label", "mine", "--so-pin", "")
    name_the_user(identity, f"user:{ME}")
    assert softee.json("key", "generate", "ed25519")["kind"] == "ed25519"
