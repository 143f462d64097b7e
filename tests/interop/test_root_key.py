# SPDX-License-Identifier: Apache-2.0
"""The root key moves, and with it opens what was stored: the softee command, its daemon and pkcs11-tool together."""

import subprocess
import sys
from pathlib import Path

import pytest

from support.tpm import needs_tpm, running_tpm

SOFTEE = (sys.executable, "-P", "-m", "softee")
TOOL = "pkcs11-tool --module $SOFTEE_MODULE"
MAKE = (
    f"{TOOL} --init-token --label kept --so-pin 1234"
    f" && {TOOL} --login --so-pin 1234 --login-type so --init-pin --pin 5678"
    f" && {TOOL} --login --pin 5678 --keypairgen --key-type EC:prime256v1 --label mine"
)
SIGN = f"head -c 32 /dev/zero | {TOOL} --login --pin 5678 --sign --mechanism ECDSA --label mine | wc -c"


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [*SOFTEE, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def with_token(state: Path, root_key: object, script: str) -> str:
    """Run a script with a secure world on the state, and return what it says."""
    done = run("run", "--state", state, "--root-key", root_key, "--", "sh", "-c", script)
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


def rotate(state: Path, old: object, new: object) -> None:
    done = run("root-key", "rotate", "--state", state, "--root-key", old, "--to", new)
    assert done.returncode == 0, done.stderr


@needs_tpm
def test_a_key_signs_after_the_root_key_has_moved_into_a_tpm_and_out_again(state: Path, tmp_path: Path) -> None:
    file, another = tmp_path / "root.key", tmp_path / "another.key"
    with_token(state, file, MAKE)
    with running_tpm() as tcti:
        sealed = f"tpm:{tmp_path}/root.tpm?pcrs=sha256:7&tcti={tcti}"
        rotate(state, file, sealed)
        assert with_token(state, sealed, SIGN).split()[-1] == "64"
        rotate(state, sealed, another)
    refused = run("serve", "--state", state, "--root-key", file, "--socket", tmp_path / "s")
    assert "does not fit what is stored" in refused.stderr
    assert with_token(state, another, SIGN).split()[-1] == "64"


def test_a_state_is_verified_with_the_key_that_a_program_prints(state: Path, tmp_path: Path) -> None:
    (tmp_path / "printed").write_text("00112233445566778899aabbccddeeff" * 2)
    source = f"command:/bin/cat {tmp_path}/printed"
    with_token(state, source, MAKE)
    done = run("verify", "--state", state, "--root-key", source)
    assert done.returncode == 0, done.stderr
    assert "token-0 kept: good objects: 2 (of them private, and compared with their tags only: 1)" in done.stdout
