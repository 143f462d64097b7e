# SPDX-License-Identifier: Apache-2.0
"""The libraries with another libc: they build with musl, and pass the tests of libteec and their own programs.

It takes a build of its own: SOFTEE_SOAK=1.
"""

import os
import platform
import shutil
import subprocess
from pathlib import Path

import pytest

from native.conftest import build, run_suite_with

HERE = Path(__file__).parent
PROGRAMS = ("ckteec_bytes", "common_bytes", "ckteec_peer", "ckteec_derive", "ckteec_slot_events", "ckteec_threads")
SUITES = ("test_teec_calls.py", "test_teec_faults.py", "test_teec_process.py", "test_teec_socket.py")

pytestmark = [
    pytest.mark.skipif(not os.environ.get("SOFTEE_SOAK"), reason="takes a minute; SOFTEE_SOAK=1"),
    pytest.mark.skipif(shutil.which("musl-gcc") is None, reason="needs musl-gcc, of Debian's musl-tools"),
]


@pytest.fixture(scope="session")
def musl_build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The release build, with the kernel's headers, which Debian's musl has not."""
    kernel = tmp_path_factory.mktemp("kernel")
    for name, place in {"linux": "", "asm-generic": "", "asm": f"{platform.machine()}-linux-gnu"}.items():
        (kernel / name).symlink_to(Path("/usr/include", place, name))
    options = (f"-Dc_args=-isystem{kernel}", "-Dstatic_archives=true")
    return build(tmp_path_factory.mktemp("musl"), *options, variables={"CC": "musl-gcc"})


@pytest.mark.parametrize("program", PROGRAMS)
def test_programs_are_good_with_musl(musl_build: Path, program: str) -> None:
    subprocess.run([musl_build / "native" / "tests" / program], check=True)


def test_the_libraries_need_musl_alone(musl_build: Path) -> None:
    for library in ("teec/libteec.so.2", "ckteec/libckteec.so.0"):
        path = musl_build / "native" / library
        found = subprocess.run(["readelf", "-d", path], capture_output=True, text=True, check=True).stdout
        needed = {line.split("[")[1].rstrip("]") for line in found.splitlines() if "(NEEDED)" in line}
        assert needed <= {"libc.so", "libteec.so.2"}


@pytest.mark.parametrize("suite", SUITES)
def test_libteec_s_suites_pass_with_musl(musl_build: Path, suite: str) -> None:
    run_suite_with(musl_build, HERE / suite)
