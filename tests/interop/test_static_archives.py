# SPDX-License-Identifier: Apache-2.0
"""A program that loads no libraries, as in containers from scratch: it has both libraries inside."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from interop.restarts import World
from interop.tools import PIN
from native.conftest import build

PROGRAM = "native/tests/static_sign"
ARCHIVES = {
    "libckteec.a": {"C_", "ck", "slot_ck", "token_ck", "mecha_ck", "session_ck"},
    "libteec.a": {"TEEC_", "softee_", "_dprintf", "dump_buffer"},
}
"""What the names begin with that each archive offers: those that the shared library exports."""


@pytest.fixture(scope="module", params=["cc", "musl-gcc"])
def static_build(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    compiler: str = request.param
    if shutil.which(compiler) is None:
        pytest.skip(f"needs {compiler}")
    variables = {"CC": compiler}
    return build(tmp_path_factory.mktemp("static"), "-Dstatic_archives=true", variables=variables, targets=[PROGRAM])


def test_a_static_program_signs_and_its_child_gets_nothing(static_build: Path, world: World) -> None:
    environment = {**os.environ, "SOFTEE_SOCKET": str(world.socket)}
    done = subprocess.run([static_build / PROGRAM, PIN], env=environment, capture_output=True, text=True, check=False)
    assert done.stdout.splitlines() == ["signed", "the child is apart", "signed"]
    assert done.returncode == 0
    headers = subprocess.run(["readelf", "-l", static_build / PROGRAM], capture_output=True, text=True, check=True)
    assert "INTERP" not in headers.stdout


@pytest.mark.parametrize("archive", ARCHIVES)
def test_an_archive_offers_what_the_shared_library_does(static_build: Path, archive: str) -> None:
    path = static_build / "native" / archive
    found = subprocess.run(["nm", "--defined-only", "--extern-only", path], capture_output=True, text=True, check=True)
    names = [words[2] for line in found.stdout.splitlines() if len(words := line.split()) == 3]
    assert names
    assert [name for name in names if not name.startswith(tuple(ARCHIVES[archive]))] == []
