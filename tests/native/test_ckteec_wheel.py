# SPDX-License-Identifier: Apache-2.0
"""libckteec.so as a wheel has it: a wheel holds no symbolic links, and two copies would be two libraries."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

ADDRESSES = """
import ctypes, sys
names = sys.argv[2:]
found = {
    tuple(ctypes.cast(library[name], ctypes.c_void_p).value for name in names)
    for library in [ctypes.CDLL(path) for path in sys.argv[1].split(":")]
}
print(len(found))
"""


@pytest.fixture(scope="module")
def libraries(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of the libraries after an installation with the Python package."""
    build, root = tmp_path_factory.mktemp("build"), tmp_path_factory.mktemp("root")
    for command in (
        ("meson", "setup", build, ROOT, "-Dpython=true"),
        ("meson", "install", "-C", build, "--destdir", root),
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    return next(root.rglob("libckteec.so.0")).parent


def functions() -> list[str]:
    lists = (ROOT / "native" / "include" / "pkcs11_functions.gen.h").read_text().split("#define CK_")
    exported = [each for each in lists if each.startswith(("FUNCTIONS(F)", "INTERFACE_FUNCTIONS(F)"))]
    return re.findall(r"F\((C_\w+),", "".join(exported))


def test_all_names_are_files(libraries: Path) -> None:
    files = {path.name for path in libraries.iterdir() if not path.is_symlink()}
    assert files == {"bench-caller", "libckteec.so", "libckteec.so.0", "libteec.so.2"}


@pytest.mark.parametrize("name", ["libckteec.so", "libckteec.so.0"])
def test_whoever_reads_the_file_finds_the_functions_names(libraries: Path, name: str) -> None:
    """As OpenSSH does before it loads a module."""
    content = (libraries / name).read_bytes()
    assert [function for function in functions() if function.encode() not in content] == []


@pytest.mark.parametrize("order", [("libckteec.so", "libckteec.so.0"), ("libckteec.so.0", "libckteec.so")])
def test_both_names_are_one_library_in_a_process(libraries: Path, order: tuple[str, str]) -> None:
    paths = ":".join(str(libraries / name) for name in order)
    done = subprocess.run(
        [sys.executable, "-c", ADDRESSES, paths, *functions()], capture_output=True, text=True, check=True
    )
    assert done.stdout == "1\n"


@pytest.mark.skipif(not shutil.which("pkcs11-tool"), reason="needs OpenSC")
def test_pkcs11_tool_gets_as_far_as_the_secure_world(libraries: Path, tmp_path: Path) -> None:
    environment = {"SOFTEE_SOCKET": str(tmp_path / "nobody"), "SOFTEE_VERBOSE": "1"}
    command = [str(shutil.which("pkcs11-tool")), "--module", str(libraries / "libckteec.so"), "--show-info"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode != 0
    assert "CKR_DEVICE_ERROR" in done.stderr
    assert "softee: nothing answers at" in done.stderr
