# SPDX-License-Identifier: Apache-2.0
"""A module to load, secure worlds to talk to, tokens to use."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from interop.restarts import World
from interop.tools import PIN, Programs, copied_module
from softee.cli.library import module_path
from support.cryptoki import Module, Session
from support.secure_world import RunningDaemon, running_daemon, short_directory, start_daemon


@pytest.fixture(scope="session")
def module() -> Path:
    """The PKCS#11 module of the installed wheel; a source tree alone has none."""
    return module_path()


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[RunningDaemon]:
    """A secure world of the test's own, with nothing on its tokens."""
    with running_daemon(tmp_path) as running:
        yield running


@pytest.fixture
def programs(module: Path, daemon: RunningDaemon, tmp_path: Path) -> Programs:
    """Programs with the test's own secure world."""
    return Programs(module, daemon.socket, tmp_path)


@pytest.fixture(scope="session")
def shared_daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDaemon]:
    """One secure world for the tests that only add keys, and for the libraries that are loaded once in a process."""
    with running_daemon(tmp_path_factory.mktemp("shared")) as running:
        yield running


@pytest.fixture(scope="session")
def _shared_token(module: Path, shared_daemon: RunningDaemon, tmp_path_factory: pytest.TempPathFactory) -> Path:
    Programs(module, shared_daemon.socket, tmp_path_factory.mktemp("init")).init_token()
    return shared_daemon.socket


@pytest.fixture
def token(module: Path, _shared_token: Path, tmp_path: Path) -> Programs:
    """Programs with an initialized token in slot 0, which other tests use too."""
    return Programs(module, _shared_token, tmp_path)


@pytest.fixture
def loaded(token: Programs, monkeypatch: pytest.MonkeyPatch) -> Module:
    """A module of the test's own: it may call C_Finalize."""
    monkeypatch.setenv("SOFTEE_SOCKET", str(token.socket))
    return Module(copied_module(token.module, token.directory))


@pytest.fixture
def session(loaded: Module) -> Iterator[Session]:
    """A logged-in session of it."""
    yield loaded.login(0, PIN)
    loaded.close()


@pytest.fixture(scope="session")
def prepared(module: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state with a token and a key pair on it."""
    directory = tmp_path_factory.mktemp("prepared")
    with running_daemon(directory) as daemon:
        programs = Programs(module, daemon.socket, directory)
        programs.init_token()
        programs.generate("EC:prime256v1", "signer")
    return directory


@pytest.fixture
def world(prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A secure world that the test kills and starts again, for which programs wait also where the machine is busy."""
    monkeypatch.setenv("SOFTEE_RECONNECT_SECONDS", "60")
    for name in ("state", "key"):
        shutil.copytree(prepared / name, tmp_path / name)
    with short_directory() as short:
        world = World(tmp_path, short / "tee.sock", start_daemon(tmp_path, short / "tee.sock"))
        yield world
        world.daemon.stop()


@pytest.fixture
def survivor(module: Path, world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Module]:
    """A module of the test's own, whose secure world dies and comes back."""
    monkeypatch.setenv("SOFTEE_SOCKET", str(world.socket))
    loaded = Module(copied_module(module, world.directory))
    yield loaded
    loaded.close()
