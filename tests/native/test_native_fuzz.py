# SPDX-License-Identifier: Apache-2.0
"""The fuzz targets of native/fuzz without libFuzzer: their corpus, and changed inputs for some seconds.

The system refuses what the libraries ask it for, by chance: each input is tried with many such faults.
"""

import subprocess
from pathlib import Path

import pytest

CORPUS = Path(__file__).parents[2] / "native" / "fuzz" / "corpus"
SECONDS = "2"


@pytest.mark.parametrize("target", sorted(path.name for path in CORPUS.iterdir()))
def test_whatever_is_said_or_refused_the_libraries_survive(native_build: Path, target: str) -> None:
    done = subprocess.run(
        [native_build / "native" / "fuzz" / f"fuzz_{target}", SECONDS, CORPUS / target],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "runtime error" not in done.stderr
    assert done.stdout.startswith(f"{len(list((CORPUS / target).iterdir()))} of the corpus")
