# SPDX-License-Identifier: Apache-2.0
"""The table of metrics, and what is built on it: the dashboard and the alerts name what there is."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.core import Metric
from ruamel.yaml import YAML

from softee.daemon.metrics.counts import SharedCounts
from softee.daemon.metrics.counts_seen import seen
from softee.daemon.metrics.table import METRICS
from softee.names import CKM, CKR
from softee.pkcs11_ta.abi.commands import COMMANDS, sessions, signatures
from support.token_world import public_client

ROOT = Path(__file__).parents[2]
DASHBOARD = ROOT / "contrib/grafana/softee.json"
RULES = ROOT / "contrib/prometheus/softee.rules.yml"
PAGE = ROOT / "docs/metrics.md"
SERIAL = "00000000000000aa"


@pytest.fixture(scope="module")
def made() -> Iterator[list[Metric]]:
    """Return metrics that all have a sample."""
    with closing(SharedCounts(1, 1)) as counts:
        counts.name_tokens([SERIAL])
        part = counts.of_worker(0)
        client = part.client(public_client())
        client.note((0, signatures.SIGN_ONESHOT.number, CKM.ECDSA, CKR.OK), part.clock() - 3_000_000, 2)
        client.note((0, sessions.LOGIN.number, 0xFFFFFFFF, CKR.PIN_INCORRECT), part.clock(), 2)
        counts.tell_audit(7, 2)
        with counts.of_store().commit():
            pass
        yield [row.metric(seen(counts)) for row in METRICS]


def names(made: list[Metric]) -> set[str]:
    return {sample.name for metric in made for sample in metric.samples}


def labels(made: list[Metric]) -> set[str]:
    return {label for metric in made for sample in metric.samples for label in sample.labels} | {"instance", "job"}


def test_a_histogram_s_buckets_hold_all_that_is_below_their_bounds(made: list[Metric]) -> None:
    metric = next(one for one in made if one.name == "softee_operation_seconds")
    signed = [sample for sample in metric.samples if sample.labels["function"] == "C_Sign"]
    buckets = {sample.labels["le"]: sample.value for sample in signed if "le" in sample.labels}
    assert (buckets["0.0025"], buckets["5"], buckets["+Inf"]) == (0, 1, 1)
    assert next(sample.value for sample in signed if sample.name.endswith("_sum")) >= 0.003


def test_the_end_of_the_audit_log_is_told(made: list[Metric]) -> None:
    told = {sample.name: sample.value for metric in made for sample in metric.samples}
    assert (told["softee_audit_line"], told["softee_audit_left_out"]) == (7, 2)


def expressions() -> Iterator[str]:
    for panel in json.loads(DASHBOARD.read_text())["panels"]:
        yield from (target["expr"] for target in panel["targets"])
    for group in rules()["groups"]:
        yield from (rule["expr"] for rule in group["rules"])


def rules() -> Any:  # noqa: ANN401 - a document
    return YAML(typ="safe").load(RULES)


def test_the_dashboard_and_the_alerts_name_metrics_that_there_are(made: list[Metric]) -> None:
    named = {name for expression in expressions() for name in re.findall(r"softee_\w+", expression)}
    assert named
    assert named <= names(made)


def test_they_name_labels_that_there_are(made: list[Metric]) -> None:
    for expression in expressions():
        grouped = [name for names in re.findall(r"by \(([^)]*)\)", expression) for name in names.split(", ")]
        selected = re.findall(r"(\w+)[=!]", " ".join(re.findall(r"{([^}]*)}", expression)))
        assert {*grouped, *selected} <= labels(made), expression


def test_they_name_functions_and_results_that_there_are() -> None:
    for expression in expressions():
        for name in re.findall(r"CKR_(\w+)", expression):
            assert name in CKR.__members__
        for name in re.findall(r"\bC_\w+", expression):
            assert name in {command.function for command in COMMANDS}


def test_every_alert_says_what_is_wrong() -> None:
    for group in rules()["groups"]:
        for rule in group["rules"]:
            assert rule["annotations"]["summary"]
            assert rule["labels"]["severity"] in {"critical", "warning"}


def test_the_dashboard_s_panels_are_told_apart() -> None:
    panels = json.loads(DASHBOARD.read_text())["panels"]
    assert len({panel["id"] for panel in panels}) == len({panel["title"] for panel in panels}) == len(panels)


def test_the_page_tells_of_every_metric(made: list[Metric]) -> None:
    page = PAGE.read_text()
    assert not [metric.name for metric in made if f"`{metric.name}" not in page]


@pytest.mark.skipif(shutil.which("promtool") is None, reason="Debian's package prometheus has promtool")
@pytest.mark.parametrize("check", [("rules", RULES.name), ("config", "--syntax-only", "scrape.yml")])
def test_prometheus_takes_the_files(check: tuple[str, ...]) -> None:
    command = ["promtool", "check", *check]
    done = subprocess.run(command, cwd=RULES.parent, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
