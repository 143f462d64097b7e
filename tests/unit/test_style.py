# SPDX-License-Identifier: Apache-2.0
"""How the sources must look where no tool checks it: licence lines, sizes of files, names of nobody's machine."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LARGEST_FILE = 400
LICENCE = "SPDX-License-Identifier: Apache-2.0"

VOCABULARY = {"src/softee/names/mechanisms.py"}
"""Plain lists of the standard's numbers, which may be as long as the standard."""

FIRST_LINES = {
    ".py": f"# {LICENCE}",
    ".build": f"# {LICENCE}",
    ".options": f"# {LICENCE}",
    ".c": f"/* {LICENCE} */",
    ".h": f"/* {LICENCE} */",
}
FOLDERS = ("src", "tests", "native", "tools", "bench")


def sources() -> list[Path]:
    found = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*") if path.suffix in FIRST_LINES]
    return sorted(path for path in found if "__pycache__" not in path.parts)


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


def generated(path: Path) -> bool:
    return ".gen." in path.name


@pytest.mark.parametrize("path", sources(), ids=relative)
def test_a_source_file_begins_with_its_licence(path: Path) -> None:
    assert path.read_text().split("\n", 1)[0] == FIRST_LINES[path.suffix]


@pytest.mark.parametrize("path", sources(), ids=relative)
def test_a_source_file_is_small(path: Path) -> None:
    if relative(path) not in VOCABULARY and not generated(path):
        assert len(path.read_text().splitlines()) <= LARGEST_FILE


@pytest.mark.parametrize("path", sorted((ROOT / "tools").glob("gen_*.py")), ids=relative)
def test_what_a_generator_writes_is_up_to_date(path: Path) -> None:
    check = subprocess.run([sys.executable, path, "--check"], capture_output=True, text=True, check=False)
    assert (check.returncode, check.stdout, check.stderr) == (0, "", "")


def test_scripts_begin_with_their_licence_after_the_interpreter() -> None:
    for script in (ROOT / ".ci" / "run", ROOT / "tools" / "debian_packages.sh"):
        assert script.read_text().splitlines()[1] == f"# {LICENCE}"
        assert subprocess.run(["bash", "-n", script], check=False).returncode == 0
