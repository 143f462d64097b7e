# SPDX-License-Identifier: Apache-2.0
"""The ``softee`` command's beginning: what has to be quick is answered before click is imported."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NoReturn

READY: Final = 0
DEAD: Final = 1
DEGRADED: Final = 3
"""Exit statuses of ``softee health``; 2 is wrong usage, as of all commands."""


def main() -> NoReturn:
    """Run the command line and exit."""
    options = plain_options(sys.argv[1:])
    if options is not None:
        sys.exit(tell_health(*options))
    from softee.cli.main import main as run  # noqa: PLC0415 - that is what takes its time

    run()


def plain_options(arguments: Sequence[str]) -> tuple[Path | None, bool] | None:
    """Return the socket and whether JSON is wanted, of a plain ``softee health``; None for anything else."""
    if not arguments or arguments[0] != "health":
        return None
    socket, as_json, rest = None, False, list(arguments[1:])
    while rest:
        match rest:
            case ["--json", *rest]:
                as_json = True
            case ["--socket", named, *rest]:
                socket = Path(named)
            case _:
                return None
    return socket, as_json


def tell_health(socket: Path | None, as_json: bool) -> int:  # noqa: FBT001 - as the options are
    """Tell how the secure world is, and return the exit status."""
    from softee.cli.asking_health import ask_for_health  # noqa: PLC0415 - other commands do without
    from softee.client.errors import ClientError  # noqa: PLC0415 - likewise

    write = _write_json if as_json else _write_lines
    try:
        found = ask_for_health(socket)
    except ClientError as error:
        write("dead", {"no-answer": str(error)}, told=False)
        return DEAD
    wrong = {reason.word: reason.sentence for reason in found.reasons}
    write("degraded" if wrong else "ready", wrong, told=found.told)
    return DEGRADED if wrong else READY


def _write_json(status: str, wrong: dict[str, str], *, told: bool) -> None:
    import json  # noqa: PLC0415 - for this alone

    reasons = [{"reason": word, "what": sentence} for word, sentence in wrong.items()]
    sys.stdout.write(json.dumps({"status": status, "reasons": reasons, "told": told}, indent=2) + "\n")


def _write_lines(status: str, wrong: dict[str, str], *, told: bool) -> None:
    for word, sentence in wrong.items():
        sys.stdout.write(f"{status}: {word}: {_printable(sentence)}\n")
    if not wrong:
        more = "" if told else "; what may be wrong is told to root and to the secure world's own user"
        sys.stdout.write(f"{status}{more}\n")


def _printable(text: str) -> str:
    return text if text.isprintable() else text.encode("unicode_escape").decode("ascii")
