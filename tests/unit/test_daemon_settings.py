# SPDX-License-Identifier: Apache-2.0
"""Settings: defaults by user, files, overrides, and refusals that name what is wrong."""

import os
import re
from pathlib import Path

import msgspec
import pytest

from softee.daemon.policies import slot_policies
from softee.daemon.settings import (
    AttestationSettings,
    AuditSettings,
    Limits,
    MetricsSettings,
    Pkcs11Settings,
    Settings,
    SettingsError,
    load_settings,
)
from softee.daemon.slot_settings import SlotSettings

EXAMPLE = Path(__file__).parents[2] / "docs" / "softee.toml.example"


@pytest.fixture
def user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A user who is not root, with a home directory and without XDG variables."""
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setenv("HOME", str(tmp_path))
    for variable in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR"):
        monkeypatch.delenv(variable, raising=False)
    return tmp_path


def write(directory: Path, text: str) -> Path:
    file = directory / "softee.toml"
    file.write_text(text)
    return file


def test_a_users_defaults(user: Path) -> None:
    settings = load_settings()
    assert settings.state == user / ".local/state/softee"
    assert str(settings.root_key) == str(user / ".config/softee/root.key")
    assert settings.socket.parts[-2:] == ("softee-1000", "tee.sock")
    assert settings.socket_mode == 0o600
    assert settings.pkcs11 == Pkcs11Settings(slots=3, sessions_per_client=4096, pin_computations=2)


def test_the_root_key_is_not_beside_the_database(user: Path) -> None:
    settings = load_settings()
    assert user in settings.state.parents
    assert settings.root_key.file is not None
    assert settings.root_key.file.parent != settings.state


@pytest.mark.usefixtures("user")
def test_xdg_variables_move_the_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/run/user/1000")
    monkeypatch.setenv("XDG_STATE_HOME", "/s")
    monkeypatch.setenv("XDG_CONFIG_HOME", "/c")
    settings = load_settings()
    assert settings.socket == Path("/run/user/1000/softee/tee.sock")
    assert settings.state == Path("/s/softee")
    assert settings.root_key.file == Path("/c/softee/root.key")


@pytest.mark.parametrize("home", ["/nonexistent", None])
def test_a_user_without_a_home_has_the_systems_defaults(
    user: Path, home: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A service's user, for whom HOME is not set and passwd has no entry, or names a directory that is not there."""

    def nobody_knows() -> Path:
        raise RuntimeError

    assert user.exists()
    monkeypatch.setattr(Path, "home", nobody_knows if home is None else lambda: Path(home))
    settings = load_settings()
    assert settings.state == Path("/var/lib/softee")
    assert settings.root_key.file == Path("/etc/softee/root.key")
    assert settings.socket == Path("/run/softee/tee.sock")
    assert settings.socket_mode == 0o600
    monkeypatch.setenv("XDG_STATE_HOME", "/s")
    assert load_settings().state == Path("/s/softee")


def test_a_home_that_nobody_knows_is_no_path(user: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody_knows(_: Path) -> Path:
        raise RuntimeError

    file = write(user, 'state = "~/state"\n')
    monkeypatch.setattr(Path, "expanduser", nobody_knows)
    with pytest.raises(SettingsError, match="there is no home directory that ~ could stand for"):
        load_settings(file)


@pytest.mark.usefixtures("user")
def test_a_wrong_option_blames_no_file_that_says_nothing() -> None:
    with pytest.raises(SettingsError, match=r"^A setting on the command line is wrong: "):
        load_settings(overrides={"pkcs11": {"slots": 0}})


def test_roots_defaults_are_the_systems(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    settings = load_settings(write(tmp_path, ""))
    assert (settings.state, settings.root_key.file) == (Path("/var/lib/softee"), Path("/etc/softee/root.key"))
    assert settings.socket == Path("/run/softee/tee.sock")


def test_the_users_file_is_read_and_the_command_line_goes_before_it(user: Path) -> None:
    directory = user / ".config/softee"
    directory.mkdir(parents=True)
    write(directory, 'state = "~/elsewhere"\nlog_level = "debug"\n[limits]\nclients = 7\n')
    settings = load_settings(overrides={"log_level": "error", "socket": None, "root_key": Path("/k")})
    assert (settings.log_level, settings.root_key.file, settings.limits.clients) == ("error", Path("/k"), 7)
    assert settings.state == user / "elsewhere"
    assert settings.limits.channels == Limits().channels


def test_the_command_line_replaces_a_setting_of_a_table_and_leaves_the_others(tmp_path: Path) -> None:
    file = write(tmp_path, "[pkcs11]\nslots = 5\npin_computations = 7\n")
    assert load_settings(file, {"pkcs11": {"slots": 6}}).pkcs11 == Pkcs11Settings(slots=6, pin_computations=7)
    assert load_settings(file, {"pkcs11": {"slots": None}}).pkcs11 == Pkcs11Settings(slots=5, pin_computations=7)
    assert load_settings(write(tmp_path, ""), {"pkcs11": {"slots": 6}}).pkcs11 == Pkcs11Settings(slots=6)


def test_a_setting_that_has_moved_is_refused_and_one_is_told_where_it_is(tmp_path: Path) -> None:
    file = write(tmp_path, "slots = 5\n")
    with pytest.raises(SettingsError, match=r"softee\.toml is wrong: slots has moved into the table \[pkcs11\]"):
        load_settings(file)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[attestation]\nchains = 3", "chains"),
        ('[attestation]\nchain = "here.pem"', "chain"),
        ("slotz = 3", "slotz"),
        ("[limits]\nclientz = 3", "clientz"),
        ('[pkcs11]\nslots = "3"', "slots"),
        ("[pkcs11]\nslots = 0", "slots"),
        ("[pkcs11]\nslots = 1000", "slots"),
        ("[pkcs11]\npin_computations = 0", "pin_computations"),
        ("[pkcs11]\nsessions_per_client = 0", "sessions_per_client"),
        ("pkcs11 = 3", "pkcs11"),
        ('[pkcs11]\nprofile = "loose"', "profile"),
        ("[pkcs11]\nallowed_mechanisms = true", "allowed_mechanisms"),
        ("[pkcs11]\nrefused_mechanisms = [true]", "refused_mechanisms"),
        ('[pkcs11]\ncurves = "P-256"', "curves"),
        ("[pkcs11.key_sizes]\nRSA = [2048]", "key_sizes"),
        ("[pkcs11]\ncheck_values = 1", "check_values"),
        ('[pkcs11.slot.3]\nprofile = "optee"', "there is no slot 3, only 0 to 2"),
        ("[pkcs11.slot.one]", "slot"),
        ("[pkcs11.slot.-1]", "slot"),
        ("[pkcs11.slot.0]\nslots = 3", "slots"),
        ('log_level = "loud"', "log_level"),
        ("state = 3", "state"),
        ('state = "here"', "state"),
        ("socket_mode = 0o1777", "socket_mode"),
        ("[limits]\nframe_timeout = 0", "frame_timeout"),
        ("[limits]\nmax_frame = 9999999", "max_frame"),
        ("slots = ", "Invalid value"),
    ],
)
def test_a_wrong_setting_is_refused_by_its_name(tmp_path: Path, text: str, named: str) -> None:
    file = write(tmp_path, text)
    with pytest.raises(SettingsError) as caught:
        load_settings(file)
    assert named in str(caught.value)
    assert str(file) in str(caught.value)


def test_a_settings_file_that_was_asked_for_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="There is no settings file"):
        load_settings(tmp_path / "none.toml")


def test_the_example_shows_every_setting_with_its_default_and_can_be_used(tmp_path: Path) -> None:
    text = EXAMPLE.read_text()
    uncommented = "\n".join(line.removeprefix("#") for line in text.splitlines() if not line.startswith("# "))
    settings = load_settings(write(tmp_path, uncommented))
    for struct in (Settings, Limits, Pkcs11Settings, SlotSettings, AttestationSettings, AuditSettings, MetricsSettings):
        for field in msgspec.structs.fields(struct):
            assert re.search(rf"\b{field.name}\b", uncommented), field.name
    assert settings.limits == Limits()
    assert settings.audit == AuditSettings(folder=Path("/var/log/softee"))
    assert settings.attestation == AttestationSettings(Path("/etc/softee/attestation.pem"))
    without_default = {field: None for field in SlotSettings.__struct_fields__ if field != "profile"}
    shown = msgspec.structs.replace(settings.pkcs11, **without_default | {"key_sizes": {}, "slot": {}})
    assert shown == Pkcs11Settings()
    assert [policy.name for policy in slot_policies(settings.pkcs11)] == ["portable", "optee", "strict"]
