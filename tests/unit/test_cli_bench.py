# SPDX-License-Identifier: Apache-2.0
"""The benchmark's figures, tables and files, from made-up rounds; and which rows and callers its options choose."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from rich.console import Console

from softee.cli.bench.caller import ONE, Callers, CallingProgram, RefusedError
from softee.cli.bench.document import as_document
from softee.cli.bench.figures import Outcome, Series, Spread
from softee.cli.bench.machine import describe_machine
from softee.cli.bench.plot import Scale, as_svg
from softee.cli.bench.processes import cpu_seconds
from softee.cli.bench.rounds import measure_row
from softee.cli.bench.rows import QUICK, ROWS, Row, chosen
from softee.cli.bench.subjects import Sample
from softee.cli.bench.table import tables
from softee.cli.failure import CliError

ROW = next(row for row in ROWS if row.name == "info")
TWO = Callers(2, 1)
PEERS = ["SoftHSM2", "floor"]


def series(name: str, rates: Sequence[float], callers: Callers = ONE, server: float | None = None) -> Series:
    return Series(name, callers, [Sample(rate, 1e-6 / rate, server) for rate in rates])


def refused(name: str, callers: Callers = ONE) -> Series:
    return Series(name, callers, refused="C_SignInit returned CKR_MECHANISM_INVALID")


OUTCOME = Outcome(
    ROW,
    [
        series("softee", [100, 200, 300], server=2e-5),
        series("softee", [150, 400, 600], TWO, 3e-5),
        series("SoftHSM2", [200, 100, 100]),
        refused("SoftHSM2", TWO),
        series("floor", [400, 400, 400]),
    ],
)


def test_a_spread_is_the_median_and_the_quartiles() -> None:
    assert Spread.of([5, 1, 3, 2, 4]) == Spread(2, 3, 4)
    assert Spread.of([7]) == Spread(7, 7, 7)


def test_a_ratio_is_the_median_of_the_rounds_ratios_and_not_the_ratio_of_the_medians() -> None:
    ratio = OUTCOME.ratio("SoftHSM2", ONE)
    assert ratio
    assert (ratio.low, ratio.median, ratio.high) == (1.25, 2, 2.5)  # of 0.5, 2 and 3
    assert OUTCOME.scaling("softee", TWO) == Spread(1.75, 2, 2)


def test_who_refused_or_was_not_there_has_no_ratio() -> None:
    assert OUTCOME.ratio("SoftHSM2", TWO) is None
    assert OUTCOME.ratio("floor", TWO) is None


def test_cpu_time_is_the_median_of_a_call_s_and_unknown_where_nobody_counts_it() -> None:
    ours, theirs = OUTCOME.series[0], OUTCOME.series[2]
    assert (ours.server_cpu, theirs.server_cpu) == (2e-5, None)
    assert ours.caller_cpu == 1e-6 / 200


@dataclass
class FakeSubject:
    """A subject that notes its turns, and refuses from one of them on."""

    name: str
    turns: list[str]
    refuses_from: int = 1000
    callers: Callers = ONE
    seconds: list[float] = field(default_factory=list)

    def prepare(self, row: Row) -> None:
        self.turns.append(f"{self.name} {row.name}")

    def measure(self, seconds: float) -> Sample:
        self.turns.append(self.name)
        self.seconds.append(seconds)
        if len(self.seconds) >= self.refuses_from:
            raise RefusedError("no more")
        return Sample(1, 1, None)

    def end(self) -> None:
        self.turns.clear()


def test_rounds_alternate_and_turn_round() -> None:
    turns: list[str] = []
    steps: list[int] = []
    subjects = [FakeSubject("a", turns), FakeSubject("b", turns)]
    outcome = measure_row(ROW, subjects, 3, 0.5, lambda: steps.append(len(turns)))
    assert turns == ["a info", "a", "b info", "b", *"abbaab"]
    assert [len(one.samples) for one in outcome.series] == [3, 3]
    assert subjects[0].seconds == [0.125, 0.5, 0.5, 0.5]
    assert steps == [6, 8, 10]


def test_who_refuses_is_left_out_with_all_of_its_rounds() -> None:
    turns: list[str] = []
    outcome = measure_row(ROW, [FakeSubject("a", turns, 3), FakeSubject("b", turns)], 3, 0.5, lambda: None)
    assert [(one.refused, len(one.samples)) for one in outcome.series] == [("no more", 0), (None, 3)]
    assert turns[4:] == [*"abba", "b"]


def test_a_hundredfold_ratio_has_no_decimals() -> None:
    outcome = Outcome(ROW, [series("softee", [15_000]), series("floor", [10])])
    assert "10 (1,500, 1,500 to 1,500)" in shown([ONE], outcome)


def shown(callers: Sequence[Callers], outcome: Outcome = OUTCOME) -> str:
    console = Console(width=200)
    with console.capture() as capture:
        for table in tables([outcome], PEERS, callers):
            console.print(table)
    return capture.get()


def test_the_tables_have_rates_ratios_cpu_time_and_scaling() -> None:
    text = shown([ONE, TWO])
    assert "calls per second, 1 caller" in text
    assert "100 (2.00, 1.25 to 2.50)" in text
    assert "0.005 + 20" in text
    assert "2.00, 1.75 to 2.00" in text
    assert "—" in text


def test_who_has_no_part_with_some_callers_has_no_column_there() -> None:
    assert "floor" in shown([ONE])
    assert "SoftHSM2" in shown([TWO])
    assert "floor" not in shown([TWO])


def test_one_number_of_callers_is_compared_with_none() -> None:
    assert "to those of one caller" not in shown([ONE])
    assert "to those of one caller" not in shown([TWO])


def test_the_document_has_every_round_and_says_who_refused() -> None:
    document = json.loads(json.dumps(as_document({"CPU": "x"}, {"softee": {"version": "1"}}, [OUTCOME])))
    (row,) = document["rows"]
    ours, _, theirs, absent, _ = row["series"]
    assert (document["machine"], document["modules"]["softee"]["version"]) == ({"CPU": "x"}, "1")
    assert ours["rounds"][1] == {"rate": 200, "caller_cpu": 5e-9, "server_cpu": 2e-5}
    assert ours["softee_to_it"] is None
    assert theirs["softee_to_it"] == {"low": 1.25, "median": 2, "high": 2.5}
    assert absent == {
        "module": "SoftHSM2",
        "processes": 2,
        "threads": 1,
        "refused": "C_SignInit returned CKR_MECHANISM_INVALID",
    }


def test_the_plot_is_svg_with_a_bar_for_each_ratio() -> None:
    svg = ET.fromstring(as_svg([OUTCOME], PEERS, ONE, {"CPU": "a <b> & c"}))  # noqa: S314 - our own
    names = [element.tag.rpartition("}")[2] for element in svg.iter()]
    assert names.count("rect") == 1 + len(PEERS) + 2  # the background, the legend, the bars
    texts = [element.text for element in svg.iter() if element.tag.endswith("text")]
    assert {"session info", "SoftHSM2", "floor", "2.00", "0.50", "CPU a <b> & c"} <= set(texts)


def test_a_row_that_everybody_refused_has_no_bar() -> None:
    svg = as_svg([Outcome(ROW, [refused("softee"), refused("SoftHSM2")])], ["SoftHSM2"], ONE, {})
    assert svg.count("<rect") == 2


def test_a_scale_has_one_in_sight_and_powers_of_two_evenly_apart() -> None:
    scale = Scale([Spread(3, 4, 5)])
    assert (scale.least, scale.most) == (-1, 3)
    assert scale.x(2) - scale.x(1) == pytest.approx(scale.x(8) - scale.x(4))


def test_the_machine_is_described() -> None:
    assert list(describe_machine()) == ["CPU", "load", "kernel", "Python", "cryptography", "softee"]


def test_cpu_time_is_counted_with_that_of_children_that_run_and_that_ended() -> None:
    before = cpu_seconds(os.getpid())
    work = "sum(range(2_000_000)); print(flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", work], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout
        child.stdout.readline()
        used = cpu_seconds(child.pid)
        assert used > 0
        assert cpu_seconds(os.getpid()) >= before + used
        child.communicate(b"\n")
    assert cpu_seconds(child.pid) == 0
    assert cpu_seconds(os.getpid()) >= before + used - 0.02  # those that ended are counted in ticks


def test_callers_are_threads_or_processes() -> None:
    assert [str(Callers.parse(text)) for text in ("1", "1p", "8", "64p")] == [
        "1 caller",
        "1 caller",
        "8 threads",
        "64 processes",
    ]
    assert Callers.parse("8").count == Callers.parse("8p").count == 8


@pytest.mark.parametrize("text", ["", "0", "p", "8t", "-1", "1025", "99999"])
def test_what_is_no_number_of_callers_is_refused(text: str) -> None:
    with pytest.raises(CliError, match="no number of callers"):
        Callers.parse(text)


def test_an_installation_without_the_calling_program_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("softee.cli.bench.caller.LIBRARIES", tmp_path)
    with pytest.raises(CliError, match="There is no bench-caller in"):
        CallingProgram(None, ONE, {})


def test_rows_are_chosen_by_name_and_by_pattern() -> None:
    assert [row.name for row in chosen(["sign-rsa*", "info"], quick=False)] == ["info", "sign-rsa2048", "sign-rsa4096"]
    assert tuple(row.name for row in chosen([], quick=True)) == QUICK
    with pytest.raises(CliError, match=r"No row is called 'sing-\*'; there are info, session"):
        chosen(["sing-*"], quick=False)


def test_what_takes_minutes_is_measured_only_where_it_is_named() -> None:
    patient = {"find-10000", "find-100000"}
    assert {row.name for row in ROWS} - {row.name for row in chosen([], quick=False)} == patient
    assert not patient & {row.name for row in chosen(["find-*"], quick=False)}
    assert [row.name for row in chosen(["find-10000"], quick=False)] == ["find-10000"]


@pytest.mark.parametrize("row", [row for row in ROWS if row.work], ids=lambda row: row.name)
def test_the_floor_does_each_operation_that_a_library_has(row: Row) -> None:
    assert row.work
    row.work()()


def test_only_one_of_a_module_s_callers_fills_its_token() -> None:
    row = next(row for row in ROWS if row.name == "find-10")
    assert " fill=10 filler=" in row.line(fills=True)
    assert row.line(fills=False) == "row find-10 find wanted=3:62656e63682d3030303030303035"
