# SPDX-License-Identifier: Apache-2.0
"""Yocto's linter of recipes has nothing against ours."""

import os
import subprocess
import sys
from pathlib import Path

from interop.clients.fetched import ROOT, fetched, run

LINTER = "oelint-adv==9.11.2"
LAYER = ROOT / "contrib/yocto/meta-softee"
RELEASE = "whinlatter"
NOT_ASKED = (
    "oelint.var.bbclassextend",  # it is for targets alone
    "oelint.vars.homepageping",  # there is none yet
)


def install(directory: Path) -> None:
    run(sys.executable, "-m", "pip", "install", "--quiet", f"--target={directory}", LINTER)


def test_yocto_s_linter_has_nothing_to_say() -> None:
    files = [str(file) for suffix in ("bb", "conf") for file in LAYER.rglob(f"*.{suffix}")]
    options = [f"--suppress={rule}" for rule in NOT_ASKED]
    command = [sys.executable, "-m", "oelint_adv", "--quiet", f"--release={RELEASE}", *options, *files]
    environment = os.environ | {"PYTHONPATH": str(fetched("oelint", LINTER, install))}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
