# SPDX-License-Identifier: Apache-2.0
"""The walkthrough of OP-TEE's documentation passes, step by step, with pkcs11-tool, OpenSSL and curl."""

import json
import os
import subprocess
import sys
from pathlib import Path

from softee.cli.demo.walkthrough import STEPS

DEMO = (sys.executable, "-P", "-m", "softee", "demo")


def test_every_step_of_the_walkthrough_passes() -> None:
    answer = subprocess.run([*DEMO, "--json"], capture_output=True, text=True, timeout=110, check=False)
    outcomes = json.loads(answer.stdout)
    failed = [outcome for outcome in outcomes if not outcome["passed"]]
    assert not failed
    assert answer.returncode == 0
    assert len(outcomes) == len(STEPS)


def test_a_missing_program_is_named_with_its_debian_package(tmp_path: Path) -> None:
    (tmp_path / "openssl").symlink_to("/usr/bin/openssl")
    (tmp_path / "curl").symlink_to("/usr/bin/curl")
    variables = os.environ | {"PATH": str(tmp_path)}
    answer = subprocess.run(DEMO, capture_output=True, text=True, env=variables, timeout=60, check=False)
    assert answer.returncode == 1
    assert answer.stderr == "softee: The demo needs pkcs11-tool; on Debian: apt-get install opensc\n"
