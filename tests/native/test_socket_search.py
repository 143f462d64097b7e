# SPDX-License-Identifier: Apache-2.0
"""libteec and the Python client look for the secure world in the same places, in the same order."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from native.peer import Peer
from native.teec_shell import COMMUNICATION, SUCCESS, Shell
from softee.client import NotRunningError, socket_paths
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
        except NotRunningError:
            return None
        connection.close()
        return str((self.here / path).relative_to(self.here))

    def found_by_libteec(self, build: Path, given: dict[str, str]) -> str | None:
        with Shell(build, Path(), **{"SOFTEE_SOCKET": "", **given}) as shell:
            assert shell("init") in (SUCCESS, COMMUNICATION)
        return next((name for name, peer in self.peers.items() if peer.hellos), None)


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    for name in ("SOFTEE_SOCKET", "XDG_RUNTIME_DIR"):
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
