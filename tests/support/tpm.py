# SPDX-License-Identifier: Apache-2.0
"""A TPM 2.0 for tests: swtpm, in a process of its own."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import pytest

from support.channel_attack import eventually, listens
from support.secure_world import short_directory

needs_tpm = pytest.mark.skipif(
    not find_spec("tpm2_pytss") or not shutil.which("swtpm"), reason="tpm2-pytss or swtpm is not installed"
)


@contextmanager
def running_tpm(state: Path | None = None) -> Iterator[str]:
    """Run a TPM, new or with the state of an earlier run, and yield how it is reached (its TCTI)."""
    with short_directory() as directory:
        socket, control = directory / "tpm", directory / "tpm.ctrl"
        command = ["swtpm", "socket", "--tpm2", "--tpmstate", f"dir={state or directory}", "--flags", "startup-clear"]
        places = ["--server", f"type=unixio,path={socket}", "--ctrl", f"type=unixio,path={control}"]
        process = subprocess.Popen([*command, *places], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            assert eventually(lambda: listens(socket) and listens(control))
            yield f"swtpm:path={socket}"
        finally:
            process.terminate()
            process.wait(20)
