# SPDX-License-Identifier: Apache-2.0
"""The rates as people read them: three tables, each a title, its columns and its rows."""

import pwd
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from softee.cli.tables import Cell, Styled
from softee.cli.top.rates import ClientRate, MechanismRate, Rates, TokenRate

FEW_TRIES = 3
"""How few tries are marked."""


@dataclass(frozen=True)
class Table:
    """A table of the page."""

    title: str
    columns: Sequence[str]
    rows: list[tuple[Cell, ...]]


def summary(rates: Rates) -> str:
    """Return the line above the tables."""
    serving = sum(worker.since > 0 for worker in rates.workers)
    deaths = sum(worker.deaths for worker in rates.workers)
    died = f", {deaths} have died" if deaths else ""
    connected = sum(worker.clients for worker in rates.workers)
    clients = "1 client" if connected == 1 else f"{connected} clients"
    workers = f"{serving} of {len(rates.workers)} workers serve{died}"
    return f"{rates.per_second:,.0f} calls a second, {clients}, {workers}"


def tables(rates: Rates) -> list[Table]:
    """Return the tables."""
    return [
        Table(
            "tokens",
            ("slot", "label", "serial", "calls/s", "sessions", "user PIN tries", "SO PIN tries", "objects"),
            [_token(one) for one in rates.tokens],
        ),
        Table(
            "clients",
            ("pid", "user", "program", "worker", "sessions", "calls/s", "calls"),
            [_client(one) for one in rates.clients],
        ),
        Table("mechanisms", ("mechanism", "operations/s", "mean"), [_mechanism(one) for one in rates.mechanisms]),
    ]


def _token(rate: TokenRate) -> tuple[Cell, ...]:
    token = rate.token
    if token.damaged is not None:
        return str(token.slot), Styled("damaged", "red"), token.serial, "", "", "", "", ""
    return (
        str(token.slot),
        token.label if token.initialized else Styled("uninitialized", "bright_black"),
        token.serial,
        f"{rate.per_second:,.1f}",
        str(token.sessions),
        _tries(token.user_tries_left),
        _tries(token.so_tries_left),
        f"{token.public_objects} public, {token.private_objects} private",
    )


def _tries(left: int | None) -> Cell:
    if left is None:
        return ""
    text = str(left) if left else "locked"
    return Styled(text, "red") if left <= FEW_TRIES else text


def _client(rate: ClientRate) -> tuple[Cell, ...]:
    client = rate.client
    return (
        str(client.pid),
        user_name(client.uid),
        program_name(client.pid),
        str(client.worker),
        str(client.sessions),
        f"{rate.per_second:,.1f}",
        f"{client.operations:,}",
    )


def _mechanism(rate: MechanismRate) -> tuple[Cell, ...]:
    return rate.mechanism, f"{rate.per_second:,.1f}", f"{rate.mean_seconds * 1e6:,.0f} µs"


def user_name(uid: int) -> str:
    """Return a user's name, or its number where it has none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def program_name(pid: int) -> str:
    """Return what the kernel calls a process; "" where it is gone, or is in another PID namespace."""
    try:
        return Path(f"/proc/{pid}/comm").read_text(errors="replace").strip()
    except OSError:
        return ""
