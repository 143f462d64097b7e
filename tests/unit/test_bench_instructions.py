# SPDX-License-Identifier: Apache-2.0
"""The gate of instructions: what counts as growth, and for which machines its figures hold."""

import json

from bench.instructions import CALLS, FILE, growth, machine_key

from softee.cli.bench.rows import ROWS

KNOWN = {"info": {"daemon": 100_000, "library": 1_000}}


def test_a_call_that_costs_more_than_three_in_a_hundred_more_has_grown() -> None:
    assert growth({"info": {"daemon": 103_001, "library": 1_031}}, KNOWN) == ["info (daemon)", "info (library)"]


def test_a_call_that_costs_less_or_hardly_more_has_not() -> None:
    assert growth({"info": {"daemon": 103_000, "library": 500}}, KNOWN) == []


def test_an_operation_that_is_not_in_the_file_has_grown() -> None:
    assert growth({"find-10": {"daemon": 1}}, KNOWN) == ["find-10 (daemon)"]


def test_the_file_has_every_operation_and_each_is_a_row() -> None:
    assert set(CALLS) <= {row.name for row in ROWS}
    for figures in json.loads(FILE.read_text()).values():
        assert set(figures) == set(CALLS)


def test_the_key_of_a_machine_names_what_its_figures_depend_on() -> None:
    parts = [part.split(" ")[0] for part in machine_key().split(", ")]
    assert parts == ["Python", "cryptography", "cc", "glibc", "CPU"]
