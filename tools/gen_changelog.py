# SPDX-License-Identifier: Apache-2.0
"""Write the part of CHANGELOG.md that is not released yet, of the files in changes/; --check: is it stale?

`towncrier build` makes a release of them: it puts them below, under the version, and removes the files.
"""

import re
import subprocess
import sys
import tomllib
from typing import Final

from generation import ROOT, main

RELEASED: Final = "<!-- what was released -->\n"
HEAD: Final = """# Changes
<!-- Made by tools/gen_changelog.py from changes/: add a file there. -->
"""


def page() -> str:
    """Return the document: what is not released yet, above what it has of releases."""
    return f"{HEAD}\n{_unreleased()}\n{RELEASED}{_released()}"


def _unreleased() -> str:
    """Return the section, as towncrier writes it, without its date."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    command = [
        sys.executable,
        "-m",
        "towncrier",
        "build",
        "--draft",
        "--version",
        version,
        "--date",
        "not yet released",
    ]
    made = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if made.returncode:
        sys.exit(made.stderr)
    return re.sub(r"\n{3,}", "\n\n", made.stdout.strip()) + "\n"


def _released() -> str:
    _, _, text = (ROOT / "CHANGELOG.md").read_text().partition(RELEASED)
    return text


if __name__ == "__main__":
    sys.exit(main(__doc__, {"CHANGELOG.md": page}))
