# SPDX-License-Identifier: Apache-2.0
"""softee bench as a user runs it, with the installed module, and with peers where they are installed."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from interop.tools import PIN, Programs
from softee.cli.bench.caller import NOBODY, ONE, CallingProgram
from softee.cli.bench.modules import SOFTEE
from softee.cli.failure import CliError

SHORT = ("--rounds", "2", "--seconds", "0.02")


def bench(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-P", "-m", "softee", "bench", *arguments],
        capture_output=True,
        text=True,
        env=os.environ | variables,
        timeout=110,
        check=False,
    )


def measured(file: Path, module: str) -> dict[str, dict[str, Any]]:
    """Return what a document has of a module, by row and callers."""
    rows = json.loads(file.read_text())["rows"]
    return {
        f"{row['row']} {one['processes']}x{one['threads']}": one
        for row in rows
        for one in row["series"]
        if one["module"] == module
    }


def test_a_quick_run_gives_tables_a_document_and_a_plot(tmp_path: Path) -> None:
    files = tmp_path / "bench.json", tmp_path / "bench.svg"
    options = ("--quick", "--rows", "info,sign-p256", *SHORT, "--callers", "1,2,2p")
    answer = bench(*options, "--json", str(files[0]), "--plot", str(files[1]))
    assert (answer.returncode, answer.stderr) == (0, "")
    assert "sign, ECDSA P-256" in answer.stdout
    assert "2 processes" in answer.stdout
    ours = measured(files[0], SOFTEE)
    assert len(ours) == 6
    for series in ours.values():
        assert len(series["rounds"]) == 2
        assert series["rate"]["median"] > 0
        assert series["server_cpu"] > 0
    assert files[1].read_text().startswith("<svg")


def test_softee_does_every_row(tmp_path: Path) -> None:
    file = tmp_path / "bench.json"
    rows = "info,session,random,sign-*,verify-*,hmac-*,aes-*,sha256-*,generate-*,load,find-10"
    answer = bench("--rows", rows, "--rounds", "1", "--seconds", "0.01", "--json", str(file))
    assert answer.returncode == 0, answer.stderr
    ours = measured(file, SOFTEE)
    assert len(ours) == 24
    assert not {row: series["refused"] for row, series in ours.items() if "refused" in series}


def listed(token: Programs) -> str:
    """Return what pkcs11-tool shows of all objects, less the handles of data objects: each login has its own."""
    return re.sub(r"(?<=^Data object )\d+", "", token.p11_in("--list-objects"), flags=re.MULTILINE)


def test_a_named_module_is_measured_beside_and_its_token_left_as_it_was(token: Programs, tmp_path: Path) -> None:
    file = tmp_path / "bench.json"
    before = listed(token)
    options = ("--alone", "--rows", "random,generate-token,load,find-10", *SHORT, "--module", str(token.module))
    answer = bench(*options, "--json", str(file), SOFTEE_PIN=PIN, SOFTEE_SOCKET=str(token.socket))
    assert answer.returncode == 0, answer.stderr
    theirs = measured(file, token.module.name)
    assert len(theirs) == 4
    assert not {row: series["refused"] for row, series in theirs.items() if "refused" in series}
    assert listed(token) == before


def test_peers_that_are_not_installed_are_named(tmp_path: Path) -> None:
    answer = bench("--rows", "info", *SHORT, PATH=str(tmp_path))
    assert answer.returncode == 0, answer.stderr
    assert "SoftHSM2 is not" in answer.stdout
    assert "session info" in answer.stdout


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--rows", "nonsense"), "No row is called 'nonsense'"),
        (("--callers", "many"), "'many' is no number of callers"),
        (("--module", "/nonexistent.so"), "SOFTEE_PIN must be the PIN of the token of /nonexistent.so."),
    ],
)
def test_what_cannot_be_measured_is_said(arguments: tuple[str, ...], sentence: str) -> None:
    answer = bench(*arguments)
    assert answer.returncode == 2
    assert answer.stderr.startswith(f"softee: {sentence}")


@pytest.mark.parametrize("module", [None, Path("/nonexistent.so")])
def test_a_calling_program_that_ends_is_said(module: Path | None) -> None:
    with pytest.raises(CliError, match=r"^The program that calls ended with status 1\.$"):
        CallingProgram(module, ONE, {}, ["false"])


def test_a_calling_program_that_is_killed_is_said() -> None:
    program = CallingProgram(None, NOBODY, {})
    program._process.kill()
    program._process.wait()
    with pytest.raises(CliError, match=r"^The program that calls ended with status -9\.$"):
        program.prepare("row echo echo")
    program.end(tidy=True)


def test_a_module_that_cannot_be_loaded_is_said() -> None:
    answer = bench("--rows", "info", "--module", "/nonexistent.so", SOFTEE_PIN=PIN)
    assert answer.returncode == 1
    assert answer.stderr == "softee: /nonexistent.so cannot be measured: dlopen returned CKR_GENERAL_ERROR.\n"
