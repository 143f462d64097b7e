# SPDX-License-Identifier: Apache-2.0
"""Every vector runs twice: in the test's own process, and through the shared object, which a source tree lacks."""

import shutil
from collections.abc import Iterator

import pytest

from interop.tools import PIN, Programs
from softee.cli.library import installed_module
from softee.pkcs11_ta.mechanisms.table import MECHANISMS
from softee.pkcs11_ta.token.profiles import OFF_BY_DEFAULT
from support import mechanism_runs
from support.cryptoki import Module, Session
from support.module_runs import ModuleRuns
from support.secure_world import running_daemon

_MODULE_FILES = ("libckteec.so.0", "libteec.so.2")
_ADDED = [f"CKM_{mechanism.name}" for mechanism in sorted(OFF_BY_DEFAULT) if mechanism in MECHANISMS]
_SETTINGS = f"[pkcs11]\nadded_mechanisms = {_ADDED}\n"
"""Vectors are for all mechanisms, also those that are off by default."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Let every test of this folder run in each way that there is."""
    ways = ["here"] if installed_module() is None else ["here", "through the module"]
    metafunc.parametrize("way", ways, indirect=True)


@pytest.fixture(scope="session")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    """A logged-in session on a token of its own, by a copy of the module: C_Finalize ends nothing of other tests."""
    installed, directory = installed_module(), tmp_path_factory.mktemp("vectors")
    assert installed is not None
    for name in _MODULE_FILES:
        shutil.copy(installed.with_name(name), directory / name)
    with running_daemon(directory, settings=_SETTINGS) as daemon, pytest.MonkeyPatch.context() as patch:
        Programs(installed, daemon.socket, directory).init_token()
        patch.setenv("SOFTEE_SOCKET", str(daemon.socket))
        loaded = Module(directory / _MODULE_FILES[0])
        yield loaded.login(0, PIN)
        loaded.close()


@pytest.fixture(autouse=True)
def way(request: pytest.FixtureRequest) -> Iterator[None]:
    """Run what the test asks of a mechanism here, or through the module."""
    if request.param == "here":
        yield
        return
    with mechanism_runs.through(ModuleRuns(request.getfixturevalue("session"))):
        yield
