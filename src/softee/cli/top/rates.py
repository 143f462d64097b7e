# SPDX-License-Identifier: Apache-2.0
"""What has been done between two moments: by client, by mechanism, by token."""

from collections import Counter, defaultdict
from dataclasses import dataclass

from softee.daemon.metrics.told import ClientTold, OperationTold, TokenTold, Told, WorkerTold


@dataclass(frozen=True)
class ClientRate:
    """A client, and how many calls it makes a second."""

    client: ClientTold
    per_second: float


@dataclass(frozen=True)
class MechanismRate:
    """A mechanism: how many calls a second do something with it, and how many seconds one takes."""

    mechanism: str
    per_second: float
    mean_seconds: float


@dataclass(frozen=True)
class TokenRate:
    """A token, and how many calls a second go to it."""

    token: TokenTold
    per_second: float


@dataclass(frozen=True)
class Rates:
    """All of them, over so many seconds; those with the most come first, tokens as their slots are."""

    seconds: float
    per_second: float
    workers: list[WorkerTold]
    tokens: list[TokenRate]
    clients: list[ClientRate]
    mechanisms: list[MechanismRate]


def rates(before: Told, after: Told) -> Rates:
    """Return what has been done from one moment to the other."""
    seconds = max(after.clock - before.clock, 1e-3)
    done = _difference(before, after)
    by_token: Counter[str] = Counter()
    for operation in done:
        by_token[operation.token] += operation.count
    return Rates(
        seconds,
        sum(operation.count for operation in done) / seconds,
        after.workers,
        [TokenRate(token, by_token[token.serial] / seconds) for token in after.tokens],
        _clients(before, after, seconds),
        _mechanisms(done, seconds),
    )


def _difference(before: Told, after: Told) -> list[OperationTold]:
    """Return what was done of each operation meanwhile. A secure world that has begun anew counts from 0."""
    earlier = {_names(one): one for one in before.operations}
    done = []
    for one in after.operations:
        was = earlier.get(_names(one))
        count, seconds = (was.count, was.seconds) if was and was.count <= one.count else (0, 0.0)
        if one.count > count:
            done.append(OperationTold(*_names(one), one.count - count, one.seconds - seconds))
    return done


def _names(one: OperationTold) -> tuple[str, str, str, str]:
    return one.function, one.mechanism, one.result, one.token


def _clients(before: Told, after: Told, seconds: float) -> list[ClientRate]:
    earlier = {(one.worker, one.pid, one.since): one.operations for one in before.clients}
    rated = [
        ClientRate(one, max(0, one.operations - earlier.get((one.worker, one.pid, one.since), 0)) / seconds)
        for one in after.clients
    ]
    return sorted(rated, key=lambda one: (-one.per_second, one.client.pid))


def _mechanisms(done: list[OperationTold], seconds: float) -> list[MechanismRate]:
    """Return the rates of calls that do something: C_*Init only prepares them."""
    counts: Counter[str] = Counter()
    took: defaultdict[str, float] = defaultdict(float)
    for operation in done:
        if operation.mechanism and not operation.function.endswith("Init"):
            counts[operation.mechanism] += operation.count
            took[operation.mechanism] += operation.seconds
    return [MechanismRate(name, count / seconds, took[name] / count) for name, count in counts.most_common()]
