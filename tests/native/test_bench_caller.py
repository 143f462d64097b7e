# SPDX-License-Identifier: Apache-2.0
"""The program behind softee bench, under the sanitizers: what it does with lines, and with modules that fail."""

import json
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from softee.cli.bench.rows import ROWS
from softee.cli.ephemeral import initialized_token
from support.secure_world import running_daemon

GOOD = ("info", "session", "random", "sign-p256", "verify-p256", "aes-gcm-1k", "sha256-1k", "generate-token", "find-10")


def answers(build: Path, lines: Sequence[str], *arguments: str, **variables: str) -> list[dict[str, Any]]:
    done = subprocess.run(
        [build / "native/bench/bench-caller", *arguments],
        input="\n".join(lines) + "\n",
        capture_output=True,
        text=True,
        env=os.environ | variables,
        timeout=100,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return [json.loads(line) for line in done.stdout.splitlines()]


def row_lines() -> list[str]:
    rows = {row.name: row for row in ROWS}
    return [line for name in GOOD for line in (rows[name].line(fills=True), "times 3", "seconds 0.01")]


def test_threads_and_processes_call_and_their_calls_are_counted(native_build: Path, tmp_path: Path) -> None:
    with running_daemon(tmp_path) as daemon:
        variables = initialized_token(daemon.socket)
        environment = {"SOFTEE_SOCKET": str(daemon.socket), "BENCH_PIN": variables["SOFTEE_PIN"]}
        module = str(native_build / "native/ckteec/libckteec.so.0")
        for processes, threads in (("1", "2"), ("2", "2")):
            given = answers(native_build, row_lines(), module, processes, threads, **environment)
            assert not [answer for answer in given if "rv" in answer]
            assert len(given) == 1 + 3 * len(GOOD)
            assert {answer["calls"] for answer in given[2::3]} == {3 * int(processes) * int(threads)}
            assert all(answer["rate"] > 0 and answer["cpu"] > 0 for answer in given[2::3])


def test_a_row_that_is_refused_is_said_and_the_next_one_is_tried(native_build: Path, tmp_path: Path) -> None:
    with running_daemon(tmp_path) as daemon:
        variables = initialized_token(daemon.socket)
        environment = {"SOFTEE_SOCKET": str(daemon.socket), "BENCH_PIN": variables["SOFTEE_PIN"]}
        lines = ["row bad digest mechanism=12345678", "times 1", "row good info", "times 1"]
        module = str(native_build / "native/ckteec/libckteec.so.0")
        _, prepared, refused, _, good = answers(native_build, lines, module, "1", "2", **environment)
    assert prepared == {"row": "bad"}
    assert refused == {"function": "C_DigestInit", "rv": 0x70}
    assert good["calls"] == 2


def test_lines_that_are_none_are_refused(native_build: Path) -> None:
    bad = [
        "row",
        "row name",
        "row name info unknown=1",
        "row name info mechanism=x",
        "row name info mechanism=",
        "row name info data=abc",
        "row name info data=ag",
        "row name info object=1",
        "row name info object=" + ",".join(["1:00"] * 25),
        "row name info size=99999999999",
        "row " + "x" * 100 + " info",
        "hello",
    ]
    first, *rest = answers(native_build, bad, "-", "0", "0")
    assert first["version"] == "0.0"
    assert [answer["rv"] for answer in rest] == [7] * len(bad)


def test_the_empty_round_trip_needs_no_module(native_build: Path) -> None:
    _, _, timed, counted = answers(native_build, ["row echo echo", "seconds 0.01", "times 5"], "-", "0", "0")
    assert timed["rate"] > 0
    assert counted["calls"] == 5


def test_a_module_that_is_not_there_is_said(native_build: Path) -> None:
    assert answers(native_build, [], "/nonexistent.so", "2", "1") == [{"function": "dlopen", "rv": 5}]
