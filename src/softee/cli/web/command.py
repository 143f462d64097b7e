# SPDX-License-Identifier: Apache-2.0
"""``softee web``: the page, served by HTTP to this machine until it is stopped."""

import contextlib
import secrets
from pathlib import Path

import click

from softee.cli.failure import CliError
from softee.cli.options import path, socket_option
from softee.cli.places import require_answering_socket
from softee.daemon.errors import StartError

DEFAULT = "127.0.0.1:8464"


@click.command()
@click.option(
    "--listen", default=DEFAULT, metavar="PLACE", show_default=True, help="127.0.0.1:PORT, [::1]:PORT or unix:PATH."
)
@path("--password-file", "A file with the password; else one is made and printed. A Unix socket needs none.")
@socket_option
def web(*, listen: str, password_file: Path | None, socket: Path | None) -> None:
    """Serve a page that shows tokens, public objects, clients, rates, workers, the audit log's end and problems.

    It changes nothing. For root and the secure world's own user, to this machine alone. Ctrl-C ends it.
    """
    answering = require_answering_socket(socket)
    try:
        _serve(listen, password_file, answering)
    except StartError as error:
        raise CliError(str(error)) from None


def _serve(listen: str, password_file: Path | None, socket: Path) -> None:
    """Serve until the user ends it. Raises CliError, StartError."""
    from softee.daemon.lockdown import Doors, lock_down  # noqa: PLC0415 - likewise
    from softee.daemon.metrics.http_place import HttpPlace, listen_at  # noqa: PLC0415 - the help does without
    from softee.daemon.metrics.http_secret import read_secret  # noqa: PLC0415 - likewise
    from softee.daemon.metrics.http_serving import BASIC, Secret, guarded, require, serve_http  # noqa: PLC0415 - likewise

    require("web", "jinja2", "waitress")
    from softee.cli.web.look import Looks  # noqa: PLC0415 - likewise
    from softee.cli.web.pages import pages  # noqa: PLC0415 - is there, as was seen just now

    try:
        place = HttpPlace(listen)
    except ValueError as error:
        raise CliError(f"--listen {listen}: {error}.", 2) from None
    password = read_secret(password_file, "password") if password_file else ""
    made = "" if password or place.path else secrets.token_urlsafe(18)
    secret = Secret(BASIC, password or made) if password or made else None
    looks = Looks(socket)
    with contextlib.closing(listen_at(place)) as listener:
        click.echo(f"The page is at {place if place.path else f'http://{listener.path}/'}")
        if made:
            click.echo(f"Any user, with the password {made}")
        written = [place.path.parent] if place.path else []
        lock_down(Doors(written))
        with contextlib.suppress(KeyboardInterrupt):
            serve_http(guarded(pages(looks), secret), listener)
