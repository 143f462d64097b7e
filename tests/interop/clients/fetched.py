# SPDX-License-Identifier: Apache-2.0
"""What is fetched once and stays for the next run, in build/interop."""

import fcntl
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[3]
PLACE = ROOT / "build" / "interop"


def fetched(name: str, what: str, fetch: Callable[[Path], None]) -> Path:
    """Return a directory that ``fetch`` has filled with ``what``, in this run or an earlier one.

    Of several tests that want it at once one fetches it, and the others wait. What was fetched by halves, or is not
    ``what``, is fetched anew.
    """
    directory, complete = PLACE / name, PLACE / f"{name}.complete"
    PLACE.mkdir(parents=True, exist_ok=True)
    with (PLACE / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not complete.exists() or complete.read_text() != what:
            complete.unlink(missing_ok=True)
            shutil.rmtree(directory, ignore_errors=True)
            directory.mkdir()
            fetch(directory)
            complete.write_text(what)
    return directory


def run(*command: str | Path, environment: dict[str, str] | None = None, cwd: Path | None = None) -> None:
    """Run a command that fetches or builds, and show what it said where it fails."""
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment, cwd=cwd, text=True, check=False
    )
    assert done.returncode == 0, f"{said(command)} ended with {done.returncode}:\n{done.stdout}"


def said(command: Sequence[str | Path]) -> str:
    return " ".join(map(str, command))
