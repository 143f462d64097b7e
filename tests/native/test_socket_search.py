# SPDX-License-Identifier: Apache-2.0
"""libteec and the Python client look for the secure world in the same places, in the same order, and trust the same."""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from native.peer import Peer
from native.teec_shell import COMMUNICATION, SECURITY, SUCCESS, Shell, preloaded
from softee.client import NotRunningError, UntrustedError, socket_paths
from softee.client.connection import connect_to_first
from support.secure_world import short_directory

TOO_LONG = "d" * 100

VARIABLES: dict[str, tuple[dict[str, str], str | None]] = {
    "named": ({"SOFTEE_SOCKET": "{here}/named.sock"}, "named.sock"),
    "named by a relative path": ({"SOFTEE_SOCKET": "named.sock"}, "named.sock"),
    "named and runtime": ({"SOFTEE_SOCKET": "{here}/named.sock", "XDG_RUNTIME_DIR": "{here}"}, "named.sock"),
    "named, nobody there": ({"SOFTEE_SOCKET": "{here}/none.sock", "XDG_RUNTIME_DIR": "{here}"}, None),
    "named, too long": ({"SOFTEE_SOCKET": "{here}/" + TOO_LONG, "XDG_RUNTIME_DIR": "{here}"}, None),
    "runtime": ({"XDG_RUNTIME_DIR": "{here}"}, "softee/tee.sock"),
    "relative runtime": ({"XDG_RUNTIME_DIR": "."}, None),
    "runtime, too long": ({"XDG_RUNTIME_DIR": "{here}/" + TOO_LONG}, None),
    "nothing": ({}, None),
}
"""Variables, and the socket below {here} that they lead to."""


@dataclass
class Place:
    """A directory to stand in, with a secure world at each place that a variable may name."""

    here: Path
    peers: dict[str, Peer]

    def found_by_python(self) -> str | None:
        try:
            path, connection = connect_to_first(10)
        except (NotRunningError, UntrustedError):
            return None
        connection.close()
        return str((self.here / path).relative_to(self.here))

    def found_by_libteec(self, build: Path, given: dict[str, str]) -> str | None:
        with Shell(build, Path(), **{"SOFTEE_SOCKET": "", **given}) as shell:
            assert shell("init") in (SUCCESS, COMMUNICATION, SECURITY)
        return next((name for name, peer in self.peers.items() if peer.hellos), None)

    def settings_file(self, text: bytes) -> Path:
        file = self.here / "client.conf"
        file.write_bytes(text.replace(b"{here}", bytes(self.here)))
        file.chmod(0o644)
        return file

    def found_by_both(self, build: Path, monkeypatch: pytest.MonkeyPatch, **given: str) -> str | None:
        """What libteec finds with the settings file of the test, which is what Python finds."""
        file = self.here / "client.conf"
        for name, value in given.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr("softee.client.settings.CLIENT_SETTINGS", str(file))
        shim = {"LD_PRELOAD": preloaded(build, "client_settings"), "TEST_CLIENT_SETTINGS": str(file)}
        found = self.found_by_libteec(build, {**given, **shim})
        assert self.found_by_python() == found
        return found


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    for name in ("SOFTEE_SOCKET", "XDG_RUNTIME_DIR", "SOFTEE_SERVER_UID"):
        monkeypatch.delenv(name, raising=False)
    with short_directory() as here, ExitStack() as peers:
        (here / "softee").mkdir()
        monkeypatch.chdir(here)
        names = ("named.sock", "softee/tee.sock")
        yield Place(here, {name: peers.enter_context(Peer(here / name)) for name in names})


@pytest.mark.skipif(Path("/run/softee/tee.sock").exists(), reason="a secure world of the system would answer")
@pytest.mark.parametrize(("variables", "wanted"), VARIABLES.values(), ids=VARIABLES)
def test_both_find_the_same_secure_world(
    native_build: Path, place: Place, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], wanted: str | None
) -> None:
    given = {name: value.format(here=place.here) for name, value in variables.items()}
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    assert place.found_by_libteec(native_build, given) == wanted
    assert place.found_by_python() == wanted


def test_both_name_the_same_places_where_nothing_answers(
    native_build: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SOFTEE_SOCKET", raising=False)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    users, systems = socket_paths()
    with Shell(native_build, Path(), SOFTEE_SOCKET="", XDG_RUNTIME_DIR=str(tmp_path)) as shell:
        assert shell("init") == COMMUNICATION
    told = shell.complaints.replace("$XDG_RUNTIME_DIR", str(tmp_path))
    assert f"nothing answers at {users} or {systems};" in told


no_system = pytest.mark.skipif(
    Path("/run/softee/tee.sock").exists(), reason="a secure world of the system would answer"
)
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="the file must be root's, and sockets are given to others")

NAMED = b"socket = {here}/named.sock\n"
FILES: dict[str, tuple[bytes, str | None]] = {
    "a line": (NAMED, "named.sock"),
    "no blanks, no end": (b"socket={here}/named.sock", "named.sock"),
    "blanks and tabs": (b"\t socket \t= {here}/named.sock \t\n", "named.sock"),
    "the last one counts": (b"socket = {here}/none\n" + NAMED, "named.sock"),
    "what is not understood is passed over": (
        b"# note\n\n=\nnew = 1\nsocket\n" + NAMED + b"socket = relative\n",
        "named.sock",
    ),
    "a comment": (b"#" + NAMED, None),
    "another name": (b"Socket = {here}/named.sock\n", None),
    "a name within a name": (b"my socket = {here}/named.sock\n", None),
    "quoted": (b'socket = "{here}/named.sock"\n', None),
    "relative": (b"socket = named.sock\n", None),
    "carriage return": (b"socket = {here}/named.sock\r\n", None),
    "a path that is too long": (NAMED + b"socket = /" + b"d" * 107, "named.sock"),
    "as long as it may be": (NAMED + b"#" * (4096 - 200), "named.sock"),
    "longer than it may be": (NAMED + b"#" * 4096, None),
    "zero bytes": (NAMED + b"\0", None),
    "empty": (b"", None),
}
"""Texts of the clients' settings file, and the socket below {here} that they lead to."""


@no_system
@as_root
@pytest.mark.parametrize(("text", "wanted"), FILES.values(), ids=FILES)
def test_both_read_roots_settings_alike(
    native_release_build: Path, place: Place, monkeypatch: pytest.MonkeyPatch, text: bytes, wanted: str | None
) -> None:
    place.settings_file(text)
    assert place.found_by_both(native_release_build, monkeypatch) == wanted


@as_root
def test_variables_win_over_roots_settings(
    native_release_build: Path, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.settings_file(NAMED)
    users = {"XDG_RUNTIME_DIR": str(place.here)}
    assert place.found_by_both(native_release_build, monkeypatch, **users) == "softee/tee.sock"
    named = {"SOFTEE_SOCKET": str(place.here / "none")}
    place.peers["softee/tee.sock"].hellos.clear()
    assert place.found_by_both(native_release_build, monkeypatch, **named) is None


@no_system
@as_root
@pytest.mark.parametrize("others", ["owner", "group", "others", "pipe", "directory", "none"])
def test_attack_settings_that_others_could_have_written_do_not_count(
    native_release_build: Path, place: Place, monkeypatch: pytest.MonkeyPatch, others: str
) -> None:
    file = place.settings_file(NAMED)
    if others == "owner":
        os.chown(file, 1234, 0)
    elif others in ("group", "others"):
        file.chmod(0o664 if others == "group" else 0o646)
    else:
        file.unlink()
    if others == "pipe":
        os.mkfifo(file, 0o644)
    elif others == "directory":
        file.mkdir(0o755)
    assert place.found_by_both(native_release_build, monkeypatch) is None


UIDS: dict[str, bool] = {
    "1234": True,
    "0001234": True,
    "1235": False,
    "12 34": False,
    "-1": False,
    "0x4d2": False,
    "4294968530": False,
    "00000001234": False,
    "": False,
}


@as_root
@pytest.mark.parametrize("uid", UIDS)
def test_both_trust_the_user_whom_root_names(
    native_release_build: Path, place: Place, monkeypatch: pytest.MonkeyPatch, uid: str
) -> None:
    place.settings_file(NAMED + f"server_uid = {uid}".encode())
    os.chown(place.here / "named.sock", 1234, 1234)
    assert place.found_by_both(native_release_build, monkeypatch) == ("named.sock" if UIDS[uid] else None)


@as_root
@pytest.mark.parametrize(("uid", "wanted"), [("1234", "named.sock"), ("1235", None)])
def test_the_user_whom_a_variable_names_is_trusted_alone(
    native_release_build: Path, place: Place, monkeypatch: pytest.MonkeyPatch, uid: str, wanted: str | None
) -> None:
    place.settings_file(NAMED + f"server_uid = {2469 - int(uid)}".encode())
    os.chown(place.here / "named.sock", 1234, 1234)
    assert place.found_by_both(native_release_build, monkeypatch, SOFTEE_SERVER_UID=uid) == wanted
