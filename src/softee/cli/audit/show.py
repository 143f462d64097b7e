# SPDX-License-Identifier: Apache-2.0
"""``softee audit show``: events as a table, or as the log has them."""

import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

import click

from softee.cli.audit.places import CANNOT_LOOK, chosen_files, files_argument
from softee.cli.audit.rows import COLUMNS, Event, cells, objects_of, read_event
from softee.cli.failure import CliError
from softee.cli.options import JSON, config_option, state_option
from softee.cli.settings import settings_from
from softee.cli.tables import printable

_LOOK_EVERY: Final = 0.2
"""Seconds between two looks for new lines."""
_WIDTHS: Final = (7, 19, 14, 27, 6, 7, 4)


@click.command()
@files_argument()
@click.option("--follow", "-f", is_flag=True, help="Go on with new events as they come.")
@click.option(
    "--lines", "-n", type=click.IntRange(0), default=100, show_default=True, help="At most so many, the last."
)
@click.option("--event", multiple=True, metavar="NAME", help="Events of this name alone: login, destroy or another.")
@click.option("--uid", type=int, help="What this uid did alone.")
@click.option("--slot", type=int, help="What was done with this slot's token alone.")
@click.option("--id", "key_id", metavar="HEX", help="What was done with objects of this CKA_ID alone.")
@click.option("--failed", is_flag=True, help="What was refused, or failed, alone.")
@click.option("--since", metavar="TIME", help="From this time on, as 2026-11-27 or 2026-11-27T18:00, UTC.")
@click.option("--json", JSON, is_flag=True, help="Print the lines as they are: a JSON object each.")
@config_option
@state_option
def show(
    *,
    files: tuple[Path, ...],
    follow: bool,
    lines: int,
    event: tuple[str, ...],
    uid: int | None,
    slot: int | None,
    key_id: str | None,
    failed: bool,
    since: str | None,
    as_json: bool,
    config: Path | None,
    state: Path | None,
) -> None:
    """Show the last events of the audit log, or of the FILEs that are given.

    Nothing is verified: `softee audit verify` does that. The files are the secure world's user's, who alone reads them.
    """
    from softee.daemon.audit.files import log_files  # noqa: PLC0415 - the help does not wait for cryptography

    wanted = _filter(event=event, uid=uid, slot=slot, key_id=key_id, failed=failed, since=since)
    chosen = chosen_files(files, settings_from(config=config, state=state))
    say = _say_json if as_json else _say_row
    if not as_json:
        click.echo(_row(COLUMNS))
    try:
        with closing(_Tail(chosen)) as tail:
            for line in deque((line for line in tail.lines() if wanted(read_event(line))), maxlen=lines):
                say(line)
            while follow:
                time.sleep(_LOOK_EVERY)
                tail.add(log_files(chosen[-1].parent) if not files else ())
                for line in tail.lines():
                    if wanted(read_event(line)):
                        say(line)
    except OSError as error:
        raise CliError(f"{error.filename} cannot be read: {error.strerror}.", CANNOT_LOOK) from None


class _Tail:
    """Files that are read to their end, and further as they grow."""

    def __init__(self, files: list[Path]) -> None:
        self._files = list(files)
        self._at = 0
        self._open = self._files[0].open("rb")
        self._begun = b""

    def add(self, files: "list[Path] | tuple[()]") -> None:
        """Go on with files that are new, after those that are known."""
        self._files += [path for path in files if path > self._files[-1]]

    def lines(self) -> Iterator[bytes]:
        """Yield the whole lines that are there and were not given yet."""
        while True:
            line = self._begun + self._open.readline()
            self._begun = b""
            if line.endswith(b"\n"):
                yield line
            elif line:
                self._begun = line
                return
            elif self._at + 1 == len(self._files):
                return
            else:
                self._at += 1
                self._open.close()
                self._open = self._files[self._at].open("rb")

    def close(self) -> None:
        """Close the file that is open."""
        self._open.close()


def _filter(
    *,
    event: tuple[str, ...],
    uid: int | None,
    slot: int | None,
    key_id: str | None,
    failed: bool,
    since: str | None,
) -> Callable[[Event], bool]:
    """Return what says whether an event is wanted. What cannot be read is, where all are."""
    tests: list[Callable[[Event], bool]] = []
    if event:
        tests.append(lambda one: one.get("event") in event)
    if uid is not None:
        tests.append(lambda one: one.get("uid") == uid)
    if slot is not None:
        tests.append(lambda one: one.get("slot") == slot)
    if key_id is not None:
        tests.append(lambda one: any(o.get("id") == key_id.lower() for _, o in objects_of(one)))
    if failed:
        tests.append(lambda one: one.get("result", "CKR_OK") != "CKR_OK")
    if since is not None:
        tests.append(lambda one: str(one.get("time", "")) >= since)
    return lambda one: all(test(one) for test in tests)


def _say_json(line: bytes) -> None:
    click.echo(line.decode(errors="backslashreplace").rstrip("\n"))


def _say_row(line: bytes) -> None:
    click.echo(_row(cells(line)))


def _row(cells: tuple[str, ...]) -> str:
    *first, last = map(printable, cells)
    return "  ".join([*(cell.ljust(width) for cell, width in zip(first, _WIDTHS, strict=True)), last]).rstrip()
