# SPDX-License-Identifier: Apache-2.0
"""What fuzzers report is added up by target; a run that found something, or has no end, counts nothing."""

import json
import tomllib
from pathlib import Path

import pytest

import fuzz_reports
from fuzz_reports import ROOT, Executions
from run_fuzzers import fuzzers

GOOD = "#7\tDONE cov: 3\nDone 7 runs in 2 second(s)\nstat::number_of_executed_units: 7\n"


@pytest.mark.parametrize(
    "report",
    ["", "Done 7 runs in 2 second(s)\n", "==1==ERROR: libFuzzer: deadly signal\nstat::number_of_executed_units: 7\n"],
    ids=["empty", "without statistics", "of a run that found something"],
)
def test_a_report_that_tells_of_no_clean_run_counts_nothing(report: str) -> None:
    assert fuzz_reports.executions_in(report) is None


def test_reports_are_added_up_by_target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, report in {"one-1": GOOD, "one-2": GOOD, "one-3": "", "python-two-1": GOOD}.items():
        (tmp_path / f"{name}.log").write_text(report)
    monkeypatch.setattr(fuzz_reports, "EXECUTIONS", tmp_path / "executions.json")
    fuzz_reports.main(str(tmp_path))
    assert fuzz_reports.load() == {"one": Executions(14, 4, 2), "python-two": Executions(7, 2, 1)}
    assert json.loads(fuzz_reports.EXECUTIONS.read_text())["one"]["runs"] == 2


def test_every_fuzz_target_is_described_and_no_other_one_was_counted() -> None:
    figures = tomllib.loads((ROOT / "tools" / "security_figures.toml").read_text())
    assert figures["fuzz"].keys() == fuzzers().keys()
    assert fuzz_reports.load().keys() <= fuzzers().keys()
