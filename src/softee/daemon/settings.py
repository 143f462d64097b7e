# SPDX-License-Identifier: Apache-2.0
"""Every setting of the secure world, typed, with its default (docs/softee.toml.example shows them all).

They come from a TOML file: ``/etc/softee/softee.toml`` where root runs the secure world, or a user without a home
directory, as services' users are; otherwise ``$XDG_CONFIG_HOME/softee/softee.toml`` (by default in ``~/.config``). A
setting that does not exist, or has a wrong type, is refused by its name.
"""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec

from softee.daemon.anchor_place import AnchorPlace
from softee.daemon.metrics.http_place import HttpPlace
from softee.daemon.root_key.source import RootKeySource
from softee.daemon.slot_settings import Count, ProfileName, SlotSettings
from softee.wire.frames import LEAST_MAX_LENGTH, MAX_LENGTH
from softee.wire.places import SYSTEM_SOCKET, USER_SOCKET

Seconds = Annotated[float, msgspec.Meta(gt=0)]
FrameLength = Annotated[int, msgspec.Meta(ge=LEAST_MAX_LENGTH, le=MAX_LENGTH)]
Mode = Annotated[int, msgspec.Meta(ge=0, le=0o777)]


LEAST_FILE_SIZE: Final = 64 << 10
"""Bytes of a file of the audit log."""


class SettingsError(Exception):
    """The settings cannot be used; the text is a sentence that names the file and the setting."""


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How much clients may take. What is above a limit is refused; the clients within it go on."""

    clients: Count = 2048
    """Client contexts (processes) at a time."""
    channels: Count = 4096
    """Channels (connections, each with a thread) at a time, of all clients together."""
    clients_per_uid: Count = 1536
    """Client contexts at a time of one uid: it leaves room for others."""
    channels_per_uid: Count = 3072
    """Channels at a time of one uid."""
    channels_per_client: Count = 64
    """Channels at a time of one client context."""
    sessions_per_client: Count = 1024
    """TEE sessions at a time of one client context."""
    slow_requests: Annotated[int, msgspec.Meta(ge=0)] = 0
    """Slow requests that a worker does at a time; 0: one more than there are CPUs. A uid has all but one of them."""
    max_frame: FrameLength = MAX_LENGTH
    """The largest length of a frame, in bytes."""
    frame_timeout: Seconds = 10.0
    """How long a client may stay in the middle of a frame, and take until its hello, in seconds."""
    send_timeout: Seconds = 10.0
    """How long a client may leave a reply unread when no more fits into the socket, in seconds."""
    keep_alive: Seconds = 2.0
    """How often the client of a running request is told that it runs, in seconds. Clients give up after ten."""


class Pkcs11Settings(SlotSettings, frozen=True, forbid_unknown_fields=True):
    """What the PKCS#11 application has and takes, and the defaults of its slots."""

    profile: ProfileName = "portable"
    """The profile of slots that name none."""
    slots: Annotated[int, msgspec.Meta(ge=1, le=64)] = 3
    """How many slots there are, each with a token. Tokens of slots that are taken away stay in the state."""
    sessions_per_client: Count = 4096
    """PKCS#11 sessions at a time of one client."""
    pin_computations: Count = 2
    """PIN checks (Argon2id) at a time, of all clients together; each takes 19 MiB and a core for 20 to 30 ms."""
    ticket_age: Annotated[int, msgspec.Meta(ge=0, le=0xFFFFFFFF)] = 0
    """Seconds since its last call, the machine's sleep included, after which a login does not come back; 0: it does."""
    slot: dict[Annotated[int, msgspec.Meta(ge=0)], SlotSettings] = msgspec.field(default_factory=dict)
    """What single slots have otherwise, by their numbers."""

    def __post_init__(self) -> None:
        """Refuse settings of slots that there are not."""
        missing = sorted(number for number in self.slot if number >= self.slots)
        if missing:
            raise ValueError(f"there is no slot {missing[0]}, only 0 to {self.slots - 1}")


class AttestationSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How keys are attested."""

    chain: Path | None = None
    """The certificate of the attestation key that a CA has issued, with those of the CAs above it, in PEM."""


class MetricsSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether metrics are served, and to whom."""

    listen: HttpPlace | None = None
    """127.0.0.1:PORT, [::1]:PORT, or unix:PATH; none: no metrics."""
    token: Path | None = None
    """The file with the token that readers must have (Authorization: Bearer). Needed with an address."""
    socket_mode: Mode = 0o600
    """The permissions of the Unix socket."""
    socket_group: str | None = None
    """The group that it belongs to, for mode 0660; none: this process' own."""


class AuditSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The log of security events."""

    log: Literal["off", "best-effort", "required"] = "off"
    """Whether there is one: ``required`` refuses what cannot be noted, ``best-effort`` counts it."""
    uses: tuple[Literal["sign", "decrypt"], ...] = ()
    """Which uses of keys are noted as well."""
    folder: Path | None = None
    """Where it is; none: in the state directory."""
    file_size: Annotated[int, msgspec.Meta(ge=LEAST_FILE_SIZE)] = 16 << 20
    """Bytes after which another file is begun."""
    syslog: bool = False
    """Whether the system's log gets each line as well."""


class LockdownSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the secure world's process can still reach when it serves, besides its state, its socket and Python."""

    also_read: tuple[Path, ...] = ()
    """Further directories and files that it may read, as where a library is installed in an unusual place."""
    also_write: tuple[Path, ...] = ()
    """Further directories that it may write to, as a profiler's or a coverage tool's."""


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """All settings. The defaults of the three paths and of the socket's mode depend on who runs the secure world."""

    socket: Path
    """The Unix socket on which it listens; at most 107 bytes."""
    socket_mode: Mode
    """The socket's permissions. 0600: only this user (and root)."""
    socket_group: str | None = None
    """The group that the socket belongs to, for mode 0660; none: this process' own."""
    state: Path
    """The directory with the sealed database and the lock."""
    root_key: RootKeySource
    """Where the root key comes from; a path: the file with it. Keep it away from the state: the two together open the
    tokens."""
    anchor: AnchorPlace | None = None
    """The counter outside of the disk that vouches for the newest state; without one a roll-back is not noticed."""
    user: str | None = None
    """The user that the secure world becomes, where root starts it, when its socket is there; none: it stays root."""
    workers: Annotated[int, msgspec.Meta(ge=0, le=255)] = 0
    """How many processes serve clients; 0: as many as there are CPUs. Each client is in one of them."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """What is logged to stderr."""
    limits: Limits = Limits()
    """How much clients may take."""
    pkcs11: Pkcs11Settings = Pkcs11Settings()
    """The PKCS#11 application's own."""
    attestation: AttestationSettings = AttestationSettings()
    """How keys are attested."""
    metrics: MetricsSettings = MetricsSettings()
    """Whether metrics are served."""
    audit: AuditSettings = AuditSettings()
    """The log of security events."""
    lockdown: LockdownSettings = LockdownSettings()
    """What the process can still reach."""


def readable(settings: Settings) -> tuple[Path, ...]:
    """Return what a process that serves may still read besides its own: a new worker reads it when it starts."""
    chain = settings.attestation.chain
    return settings.lockdown.also_read if chain is None else (*settings.lockdown.also_read, chain)


_MOVED = {"slots": "[pkcs11]"}
"""Settings that stood elsewhere, and the table where they stand now."""


def load_settings(
    config: Path | None = None,
    overrides: Mapping[str, object] | None = None,
    defaults: Mapping[str, object] | None = None,
) -> Settings:
    """Return the settings: the defaults, replaced by those of the file, replaced by ``overrides``.

    Args:
        config: the file, which must exist; None: the default one, if it exists.
        overrides: settings by name, from the command line, those of a table in a mapping; None is passed over.
        defaults: another user's than those of this process' user.

    Raises:
        SettingsError: the file cannot be read, or a setting is wrong.

    """
    file = config or default_config()
    written = _read(file, must_exist=config is not None)
    for name in _MOVED.keys() & written.keys():
        raise SettingsError(f"A setting in {file} is wrong: {name} has moved into the table {_MOVED[name]}.")
    try:
        merged = _merged({**(defaults or default_settings()), **written}, overrides or {})
        return msgspec.convert(merged, Settings, dec_hook=_decoded, str_keys=True)
    except msgspec.ValidationError as error:
        where = f"in {file} or on the command line" if written else "on the command line"
        raise SettingsError(f"A setting {where} is wrong: {error}.") from None


@dataclass(frozen=True)
class SettingsSource:
    """Where settings came from, to be read anew, whoever this process is by then."""

    file: Path
    overrides: Mapping[str, object]
    defaults: Mapping[str, object]

    def load(self) -> Settings:
        """Read them. Raises SettingsError, also where the file is not there."""
        return load_settings(self.file, self.overrides, self.defaults)


def _merged(values: Mapping[str, object], overrides: Mapping[str, object]) -> dict[str, object]:
    """Return ``values`` with those of ``overrides`` that are not None in their places, table by table."""
    merged = dict(values)
    for name, override in overrides.items():
        if isinstance(override, Mapping):
            table = values.get(name, {})
            merged[name] = _merged(table, override) if isinstance(table, Mapping) else table
        elif override is not None:
            merged[name] = override
    return merged


def default_config() -> Path:
    """Return where the settings are looked for."""
    return _configuration() / "softee.toml"


def default_settings() -> dict[str, object]:
    """Return the settings that depend on who runs the secure world, as they are without a file."""
    return {
        "socket": _socket(),
        "socket_mode": 0o660 if os.geteuid() == 0 else 0o600,
        "state": _place("XDG_STATE_HOME", ".local/state", Path("/var/lib")),
        "root_key": str(_configuration() / "root.key"),
    }


def _configuration() -> Path:
    return _place("XDG_CONFIG_HOME", ".config", Path("/etc"))


def _place(variable: str, default: str, system: Path) -> Path:
    """Return softee's directory in one of the XDG base directories, one that is not absolute does not count.

    Root's is the system's, and so is that of a user without a home directory.
    """
    if os.geteuid() == 0:
        return system / "softee"
    base, home = Path(os.environ.get(variable, "")), _home()
    if base.is_absolute():
        return base / "softee"
    return (home / default if home else system) / "softee"


def _home() -> Path | None:
    """Return the user's home directory; None where nobody says which it is, or it does not exist."""
    try:
        home = Path.home()
    except RuntimeError:
        return None
    return home if home.is_dir() else None


def _socket() -> Path:
    base = Path(os.environ.get("XDG_RUNTIME_DIR", ""))
    if os.geteuid() == 0:
        return Path(SYSTEM_SOCKET)
    if base.is_absolute():
        return base / USER_SOCKET
    # Without a runtime directory clients need SOFTEE_SOCKET to find it; the directory is checked to be ours alone.
    return Path(f"/tmp/softee-{os.geteuid()}/tee.sock") if _home() else Path(SYSTEM_SOCKET)  # noqa: S108 - as said


def _read(file: Path, *, must_exist: bool) -> dict[str, object]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if must_exist:
            raise SettingsError(f"There is no settings file {file}.") from None
        return {}
    except (OSError, ValueError) as error:
        raise SettingsError(f"The settings file {file} cannot be read: {error}.") from None


def _decoded(wanted: type, value: object) -> Path | RootKeySource | AnchorPlace | HttpPlace:
    """Decode what msgspec has no decoder for: a path, which must be absolute after ``~`` is expanded; what is named."""
    if wanted is AnchorPlace:
        if not isinstance(value, str):
            raise TypeError(f"expected the place of an anchor, got {type(value).__name__}")
        return AnchorPlace(value)
    if wanted is HttpPlace:
        if not isinstance(value, str):
            raise TypeError(f"expected an address, got {type(value).__name__}")
        return HttpPlace(value)
    if wanted is RootKeySource:
        if not isinstance(value, str | Path):
            raise TypeError(f"expected the root key's source, got {type(value).__name__}")
        return RootKeySource(str(value))
    if wanted is not Path or not isinstance(value, str | Path):
        raise TypeError(f"expected a path, got {type(value).__name__}")
    path = _expanded(Path(value))
    if not path.is_absolute():
        raise ValueError("expected an absolute path")
    return path


def _expanded(path: Path) -> Path:
    try:
        return path.expanduser()
    except RuntimeError:
        raise ValueError("there is no home directory that ~ could stand for") from None
