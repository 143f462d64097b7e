# SPDX-License-Identifier: Apache-2.0
"""Every vector runs twice: in the test's own process, and through the shared object, which a source tree lacks."""

from collections.abc import Iterator

import pytest

from interop.tools import own_session
from softee.cli.library import installed_module
from softee.pkcs11_ta.mechanisms.table import MECHANISMS
from softee.pkcs11_ta.token.profiles import OFF_BY_DEFAULT
from support import mechanism_runs
from support.cryptoki import Session
from support.module_runs import ModuleRuns

_ADDED = [f"CKM_{mechanism.name}" for mechanism in sorted(OFF_BY_DEFAULT) if mechanism in MECHANISMS]
_SETTINGS = f"[pkcs11]\nadded_mechanisms = {_ADDED}\n"
"""Vectors are for all mechanisms, also those that are off by default."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Let every test of this folder run in each way that there is."""
    ways = ["here"] if installed_module() is None else ["here", "through the module"]
    metafunc.parametrize("way", ways, indirect=True)


@pytest.fixture(scope="session")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    """A logged-in session on a token of its own."""
    installed = installed_module()
    assert installed is not None
    with own_session(installed, tmp_path_factory.mktemp("vectors"), _SETTINGS) as opened:
        yield opened


@pytest.fixture(autouse=True)
def way(request: pytest.FixtureRequest) -> Iterator[None]:
    """Run what the test asks of a mechanism here, or through the module."""
    if request.param == "here":
        yield
        return
    with mechanism_runs.through(ModuleRuns(request.getfixturevalue("session"))):
        yield
