# SPDX-License-Identifier: Apache-2.0
"""The board: a script that boots the real OP-TEE, and what is run on it.

``BOARD prepare DIRECTORY`` fetches what it needs, once. ``BOARD run DIRECTORY SCRIPT FILE...`` boots, runs the shell
script with the files in /payload, prints what it prints and exits as it does.
"""

import os
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

SECONDS = 3000
"""How long one run may take: emulation is slow."""


@dataclass(frozen=True)
class Said:
    """What a command on the board printed, and its exit status."""

    output: str
    status: int


@dataclass(frozen=True)
class Board:
    """The board's script, and the directory that it keeps its parts in."""

    script: Path
    directory: Path

    def prepare(self) -> None:
        """Have the board fetch its parts, once."""
        stamp = self.directory / "prepared"
        if not stamp.exists():
            self.directory.mkdir(parents=True, exist_ok=True)
            done = subprocess.run([self.script, "prepare", self.directory], check=False)
            assert done.returncode == 0, f"{self.script} prepare ended with {done.returncode}"
            stamp.touch()

    def run(self, commands: Sequence[str], *files: Path, before: str = "") -> list[Said]:
        """Boot, and run shell commands one after the other in one place, whatever becomes of them."""
        script = self.directory / "commands.sh"
        lines = [f"{{ {command}\n}} 2>&1; status=$?; echo; echo '@@@' $status" for command in commands]
        script.write_text("\n".join([before, *lines, "exit 0", ""]))
        done = subprocess.run(
            [self.script, "run", self.directory, script, *files],
            stdout=subprocess.PIPE,
            text=True,
            errors="replace",
            env={**os.environ, "BOARD_S": str(SECONDS)},
            check=False,
        )
        _, _, output = done.stdout.partition("\n")  # the first line is the board's own
        said = [Said(text, int(status)) for text, status in re.findall(r"(?s)(.*?)\n@@@ (\d+)\n", output)]
        assert len(said) == len(commands), f"the board ended after {len(said)} commands:\n{done.stdout[-2000:]}"
        return said
