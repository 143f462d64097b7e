# SPDX-License-Identifier: Apache-2.0
"""What is wrong with a running secure world, in sentences: one table of rules over what it tells."""

from collections.abc import Callable, Iterator
from typing import Final

from softee.daemon.metrics.told import Told


def _damaged(told: Told) -> Iterator[str]:
    for token in told.tokens:
        if token.damaged is not None:
            yield f"The token in slot {token.slot} cannot be opened; `softee verify` says what of it is damaged."


def _missing(told: Told) -> Iterator[str]:
    missing = sum(worker.since == 0 for worker in told.workers)
    if missing:
        yield f"{missing} of {len(told.workers)} workers do not serve."


def _died(told: Told) -> Iterator[str]:
    deaths = sum(worker.deaths for worker in told.workers)
    if deaths:
        yield f"{deaths} workers have died while they served; the log says of what."


def _locked(told: Told) -> Iterator[str]:
    for token in told.tokens:
        for who, left in (("SO", token.so_tries_left), ("user", token.user_tries_left)):
            if left == 0:
                yield f"The {who} PIN of the token in slot {token.slot} is locked; `softee token unlock` unlocks it."


def _refused(told: Told) -> Iterator[str]:
    for commit in told.commits:
        if commit.result not in {"success", "conflict"}:
            yield f"The store has refused {commit.count} changes ({commit.result})."


PROBLEMS: Final[tuple[Callable[[Told], Iterator[str]], ...]] = (_damaged, _missing, _died, _locked, _refused)


def problems(told: Told) -> list[str]:
    """Return a sentence for each."""
    return [sentence for rule in PROBLEMS for sentence in rule(told)]
