# SPDX-License-Identifier: Apache-2.0
"""The same calls and commands on a board with the real OP-TEE and on softee: every difference is known.

On the board all is OP-TEE's, from the application to libckteec; here all is softee's.
"""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from board.arm64 import Ours
from board.conftest import Emulate
from board.differential import attributes, derives, inits, making, operations, sessions, tools
from board.differential.expected import expected, unexplained
from board.differential.script import Difference, Script
from board.differential.zoo import SETUP
from board.machine import Board, Said
from native.conftest import build
from support.secure_world import RunningDaemon

CHAPTERS = (inits, operations, derives, sessions, attributes, making)
MODULE = "/usr/lib/aarch64-linux-gnu/libckteec.so.0"
TEEC_ANSWERS = Path(__file__).parents[1] / "native" / "data" / "teec-answers.txt"


@pytest.fixture(scope="session")
def native(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Our libraries and programs for this machine."""
    return build(tmp_path_factory.mktemp("native")) / "native"


def _script() -> Script:
    script = Script()
    script.setup(SETUP)
    for chapter in CHAPTERS:
        for part in chapter.ALL:
            part(script)
    return script


def _here(native: Path, socket: Path, text: str) -> str:
    environment = {**os.environ, "SOFTEE_SOCKET": str(socket), "LD_LIBRARY_PATH": str(native / "teec")}
    command = [native / "tests" / "calls", native / "ckteec" / "libckteec.so.0"]
    done = subprocess.run(command, input=text, capture_output=True, text=True, env=environment, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def _report(differences: Sequence[Difference], kind: str) -> None:
    known = [one for one in expected() if one.calls.startswith(kind)]
    found = unexplained(differences, known)
    assert not found, "\n".join([f"{len(found)} of {len(differences)}:", *found])


def test_calls(board: Board, ours: Ours, native: Path, optee_like: RunningDaemon, tmp_path: Path) -> None:
    script = _script()
    text = tmp_path / "script.txt"
    text.write_text(script.text())
    (said,) = board.run([f"./calls {MODULE} < script.txt"], text, ours.program("calls"))
    answers = _here(native, optee_like.socket, script.text())
    assert len(script.answers(said.output)) > 0.99 * len(script.calls), said.output[-2000:]
    _report(list(script.differences(said.output, answers)), "calls/")


def test_the_client_api(board: Board, ours: Ours) -> None:
    (said,) = board.run(["./teec_answers | grep -v ^ERR"], ours.program("teec_answers"))
    theirs = dict(line.split(": ", 1) for line in said.output.splitlines() if ": " in line)
    mine = dict(line.split(": ", 1) for line in TEEC_ANSWERS.read_text().splitlines())
    differences = [
        Difference(f"teec/{what}", theirs.get(what, "nothing"), mine.get(what, "nothing"))
        for what in {**theirs, **mine}
        if theirs.get(what) != mine.get(what)
    ]
    _report(differences, "teec/")


def test_pkcs11_tool(board: Board, ours: Ours, emulate: Emulate, tmp_path: Path) -> None:
    programs = emulate(ours.libteec, ours.libckteec)
    before = f"{tools.P11}; {tools.FILES}"
    theirs = board.run(tools.COMMANDS, before=f"MODULE={MODULE}; {before}")
    environment = {**os.environ, **programs.variables, "MODULE": str(programs.libckteec)}
    environment["PATH"] = f"{programs.directory}:{environment['PATH']}"
    differences = []
    for number, command in enumerate(tools.COMMANDS):
        done = subprocess.run(
            ["sh", "-c", f"{before}; {command}"],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=tmp_path,
            env=environment,
            check=False,
        )
        mine = tools.in_words(Said(done.stdout, done.returncode))
        if mine != tools.in_words(theirs[number]):
            differences.append(Difference(f"tools/{number}: {command}", tools.in_words(theirs[number]), mine))
    _report(differences, "tools/")
