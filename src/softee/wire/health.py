# SPDX-License-Identifier: Apache-2.0
"""What can be wrong with a secure world that answers: bits of a number, with a word and a sentence for each.

In numbers and texts alone, since `softee health` imports nothing else.
"""

from typing import Final, NamedTuple


class Reason(NamedTuple):
    """Why a secure world is degraded. ``word`` is for programs, ``sentence`` for people."""

    bit: int
    word: str
    sentence: str


STORE_FULL: Final = Reason(1, "store-full", "the disk is full: nothing new is stored; make room")
STORE_DAMAGED: Final = Reason(
    2, "store-damaged", "the state was removed, replaced or damaged: nothing is stored; bring it back, and start anew"
)
STORE_FAILED: Final = Reason(4, "store-failed", "the store cannot be used; the log says why")
TOKEN_DAMAGED: Final = Reason(
    8, "token-damaged", "a token is damaged or was tampered with, and is not served; see `softee verify`"
)
WORKERS_MISSING: Final = Reason(16, "workers-missing", "a worker process has died, and none has taken its place yet")
AUDIT_FAILED: Final = Reason(
    32, "audit-failed", "the audit log cannot be written: what must be noted is refused, or left out; the log says why"
)

REASONS: Final = (STORE_FULL, STORE_DAMAGED, STORE_FAILED, TOKEN_DAMAGED, WORKERS_MISSING, AUDIT_FAILED)
"""A bit that was given is never given again."""

BUSY: Final = Reason(0, "busy", "it takes no more clients just now")
NOT_TOLD: Final = Reason(0, "not-told", "it answers, and does not say how it is; the log may")
"""Two that it cannot tell itself, by its other answers."""


def reasons_in(bits: int) -> list[Reason]:
    """Return the reasons that a number says. One that is newer than this program is told as such."""
    known = [reason for reason in REASONS if bits & reason.bit]
    rest = bits & ~sum(reason.bit for reason in REASONS)
    return [*known, Reason(rest, "other", "something that this program is too old to know")] if rest else known
