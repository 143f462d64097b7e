# SPDX-License-Identifier: Apache-2.0
"""What all generators do at last: write their files, or with --check only say which of them are stale."""

import argparse
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

OUR_FIRST_COMMAND = 0x1000
"""Numbers of commands are OP-TEE's below, and written as it writes them; ours are written in hexadecimal."""


def command_number(number: int) -> str:
    """Return a command's number as both sides write it."""
    return str(number) if number < OUR_FIRST_COMMAND else f"{number:#06x}"


def main(description: str | None, files: Mapping[str, Callable[[], str]]) -> int:
    """Run a generator and return the exit code: 1 where --check found a stale file.

    Args:
        description: what --help says.
        files: what makes the text of each file, by the file's path in the repository.

    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 where a file is stale")
    check = parser.parse_args().check
    stale = {name: text for name, text in _made(files).items() if not _holds(ROOT / name, text)}
    for name, text in stale.items():
        if not check:
            _write(ROOT / name, text)
        print(f"{name}: {f'stale, run tools/{Path(sys.argv[0]).name}' if check else 'written'}")
    return 1 if check and stale else 0


def _made(files: Mapping[str, Callable[[], str]]) -> dict[str, str]:
    return {name: make() for name, make in files.items()}


def _holds(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text(encoding="utf-8") == text


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
