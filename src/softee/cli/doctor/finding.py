# SPDX-License-Identifier: Apache-2.0
"""What a check of the doctor's finds."""

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """How bad a finding is."""

    GOOD = "good"
    WARNING = "warning"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. ``mend`` says what to do; it is empty where nothing need be done."""

    check: str
    verdict: Verdict
    what: str
    mend: str = ""


def good(check: str, what: str) -> Finding:
    """Return a finding that is as it should be."""
    return Finding(check, Verdict.GOOD, what)


def warning(check: str, what: str, mend: str) -> Finding:
    """Return a finding that works, and that one should know of."""
    return Finding(check, Verdict.WARNING, what, mend)


def wrong(check: str, what: str, mend: str) -> Finding:
    """Return a finding that keeps softee from working, or that gives keys away."""
    return Finding(check, Verdict.WRONG, what, mend)
