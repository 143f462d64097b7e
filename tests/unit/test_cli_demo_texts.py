# SPDX-License-Identifier: Apache-2.0
"""The few texts of other programs that the demo relies on, held against what two releases of Debian print.

The recordings are ``softee demo --json`` on each, reduced to step and output.
"""

import json
from pathlib import Path

import pytest

from softee.cli.demo import patterns
from softee.cli.demo.checks import Remembers, Says
from softee.cli.demo.mechanisms import DOCUMENTED
from softee.cli.demo.patterns import Pattern
from softee.cli.demo.step import Answer
from softee.cli.demo.walkthrough import STEPS

HERE = Path(__file__).parent
RELEASES = ("debian-12", "debian-13")

TEXTS = [
    (release, step.name, check)
    for release in RELEASES
    for step in STEPS
    for check in step.checks
    if isinstance(check, Says | Remembers)
]

REFUSALS: list[tuple[Pattern, str]] = [
    (patterns.LIBRARY, "error: Failed to load pkcs11 module\nAborting.\n"),
    (patterns.SLOT, "Available slots:\nNo slots.\n"),
    (patterns.SLOT, "Slot 0 (0x0): OP-TEE PKCS11 TA - TEE UUID unknown\n  token state:   uninitialized\n"),
    (patterns.TOKEN, "  token label        : other\n  token manufacturer : Linaro\n  token model        : OP-TEE TA\n"),
    (patterns.MECHANISM, "Using slot 0 with a present token (0x0)\nSupported mechanisms:\n"),
    (patterns.SIGNATURE_RIGHT, "Certificate request self-signature verify failure\n"),
    (patterns.SIGNATURE_RIGHT, "verify failure\n"),
    (patterns.LISTENING, "ACCEPT\n"),
    (patterns.LISTENING, "Error setting up the listening socket 127.0.0.1:0\n"),
    (patterns.CERTIFICATE_WANTED, "curl: (7) Failed to connect to 127.0.0.1 port 1 after 0 ms: Couldn't connect\n"),
    (patterns.TLS_1_3, "New, TLSv1.2, Cipher is ECDHE-ECDSA-AES256-GCM-SHA384\n"),
    (patterns.TLS_1_3, "New, (NONE), Cipher is (NONE)\nTLSv1.3    :TLS_AES_256_GCM_SHA384\n"),
    (patterns.SERVED, "HTTP/1.0 404 not found\n"),
]


def recorded(release: str) -> dict[str, str]:
    outputs: dict[str, str] = json.loads((HERE / f"demo-{release}.json").read_text())
    return outputs


@pytest.mark.parametrize(("release", "step", "check"), TEXTS, ids=[f"{row[0]} {row[1]}" for row in TEXTS])
def test_each_text_is_found_in_what_the_release_prints(release: str, step: str, check: Says | Remembers) -> None:
    facts: dict[str, str] = {}
    check(Answer(0, recorded(release)[step], HERE, HERE, facts))
    assert all(fact.isdigit() for fact in facts.values())


@pytest.mark.parametrize("release", RELEASES)
def test_each_release_lists_all_documented_mechanisms(release: str) -> None:
    found = patterns.MECHANISM.findall(recorded(release)["mechanisms"])
    assert len(found) == len(set(found)) == len(DOCUMENTED)


@pytest.mark.parametrize(("pattern", "text"), REFUSALS, ids=[text.splitlines()[0] for _, text in REFUSALS])
def test_no_text_is_found_in_a_refusal(pattern: Pattern, text: str) -> None:
    assert not pattern.findall(text)


def test_every_text_has_a_refusal() -> None:
    table = {row for row in vars(patterns).values() if isinstance(row, Pattern)}
    assert table == {pattern for pattern, _ in REFUSALS}
