# SPDX-License-Identifier: Apache-2.0
"""The demo's interpreter: every way in which a step can fail is told, with what was expected and what came."""

import sys
from pathlib import Path

import pytest

from softee.cli.demo import checks
from softee.cli.demo.mechanisms import DOCUMENTED, OFFERED
from softee.cli.demo.patterns import Pattern
from softee.cli.demo.runner import Runner
from softee.cli.demo.stage import Stage
from softee.cli.demo.step import Answer, CheckFailedError, DemoStep, Outcome
from softee.cli.demo.walkthrough import STEPS

PATH = {"PATH": "/usr/bin:/bin"}
NOWHERE = Path("/nonexistent")
TWO = Pattern("a two", r"\btwo\b")
PORT = Pattern("a port", r"^ACCEPT (\d+)$")


def answer(output: str, *, status: int = 0) -> Answer:
    return Answer(status, output, NOWHERE, NOWHERE, {})


def run(directory: Path, *steps: DemoStep) -> list[Outcome]:
    with Runner(Stage(directory, NOWHERE, PATH, Path("/no/module.so"), directory / "conf")) as runner:
        return [runner.run(step) for step in steps]


def test_a_step_passes_when_all_its_checks_hold(tmp_path: Path) -> None:
    (outcome,) = run(tmp_path, DemoStep("echo", "echo one two", (checks.exits(0), checks.Says(TWO))))
    assert outcome.passed
    assert outcome.output == "one two\n"


def test_a_step_with_a_wrong_answer_says_what_was_expected_and_what_came(tmp_path: Path) -> None:
    (outcome,) = run(tmp_path, DemoStep("echo", "echo one", (checks.Says(TWO),)))
    assert outcome.failure
    assert "two" in outcome.failure.expected
    assert "one" in outcome.failure.got


def test_a_step_with_a_wrong_status_fails(tmp_path: Path) -> None:
    (outcome,) = run(tmp_path, DemoStep("false", "false", (checks.exits(0),)))
    assert not outcome.passed


def test_a_step_that_needs_a_fact_of_a_failed_step_fails_too(tmp_path: Path) -> None:
    outcomes = run(
        tmp_path,
        DemoStep("learn", "echo nothing", (checks.Remembers("port", PORT),)),
        DemoStep("use", "echo {port}", (checks.exits(0),)),
    )
    assert [outcome.passed for outcome in outcomes] == [False, False]


def test_facts_reach_later_steps(tmp_path: Path) -> None:
    outcomes = run(
        tmp_path,
        DemoStep("learn", "echo ACCEPT 4711", (checks.Remembers("port", PORT),)),
        DemoStep("use", "echo got {port}", (checks.Says(Pattern("the port", "^got 4711$")),)),
    )
    assert all(outcome.passed for outcome in outcomes)


def test_servers_stay_for_later_steps_and_end_with_the_walkthrough(tmp_path: Path) -> None:
    server = f"{sys.executable} -c \"import os; print('pid', os.getpid()); print('ready', flush=True); input()\""
    outcomes = run(
        tmp_path,
        DemoStep("start", server, (checks.Remembers("pid", Pattern("a pid", r"^pid (\d+)$")),), ready="ready"),
        DemoStep("look", "test -d /proc/{pid}", (checks.exits(0),)),
    )
    assert all(outcome.passed for outcome in outcomes)
    pid = outcomes[0].output.split()[1]
    assert not Path(f"/proc/{pid}").exists()


def test_a_server_that_ends_before_it_is_ready_fails_its_step(tmp_path: Path) -> None:
    (outcome,) = run(
        tmp_path, DemoStep("start", "echo broken", (checks.Says(Pattern("that it is ready", "ready")),), ready="ready")
    )
    assert not outcome.passed


def test_a_text_is_wanted_as_often_as_is_said_and_always_the_same() -> None:
    check = checks.Says(Pattern("a slot", r"^Slot \d: (.*)$"), times=2)
    check(answer("Slot 0: same\nSlot 1: same\n"))
    for output in ("", "Slot 0: same\n", "Slot 0: same\nSlot 1: other\n", "Slot 0: a\nSlot 1: a\nSlot 2: a\n"):
        with pytest.raises(CheckFailedError):
            check(answer(output))


def test_a_refusal_is_wanted_where_one_belongs() -> None:
    checks.fails(answer("", status=56))
    with pytest.raises(CheckFailedError):
        checks.fails(answer("", status=0))


def test_the_documentation_lists_49_mechanisms_and_softee_offers_them_all() -> None:
    assert len(DOCUMENTED) == 49
    assert list(OFFERED) == list(DOCUMENTED)
    differing = {mechanism.name for mechanism in DOCUMENTED if DOCUMENTED[mechanism] != OFFERED[mechanism]}
    assert differing == {"RSA_PKCS_KEY_PAIR_GEN"}


def test_steps_have_names_of_their_own_and_checks() -> None:
    assert len({step.name for step in STEPS}) == len(STEPS)
    assert all(step.checks for step in STEPS)
