# SPDX-License-Identifier: Apache-2.0
"""The whole TEE Client API: logins, every kind of reference, registered and allocated memory, in a row.

``data/teec-answers.txt`` is what libteec answers; ``make board`` compares it with what a board's libteec does.
"""

import os
import subprocess
from pathlib import Path

import pytest

from support.secure_world import running_daemon

ANSWERS = Path(__file__).parent / "data" / "teec-answers.txt"


@pytest.mark.parametrize("build", ["native_build", "native_release_build"])
def test_the_api_answers_as_it_did(build: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    directory: Path = request.getfixturevalue(build)
    with running_daemon(tmp_path) as daemon:
        done = subprocess.run(
            [directory / "native" / "tests" / "teec_answers"],
            capture_output=True,
            text=True,
            env={**os.environ, "SOFTEE_SOCKET": str(daemon.socket)},
            check=False,
        )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == ANSWERS.read_text()
