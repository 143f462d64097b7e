# SPDX-License-Identifier: Apache-2.0
"""The pages: one that shows everything, the part of it that a script puts in anew, the script, and the style.

Everything is made here, so that it works without a script, too. Whatever somebody has given as a label is escaped by
the templates; and were it not, the headers let no other script run, and nothing be loaded from elsewhere.
"""

import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from jinja2 import Environment, FunctionLoader, StrictUndefined

import softee as package
from softee.cli.failure import CliError
from softee.cli.tables import Cell, printable
from softee.cli.web.look import Looks

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

_POLICY: Final = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_STATIC: Final = {"/style.css": "text/css", "/refresh.js": "text/javascript"}
_PAGES: Final = {"/": "page.html", "/now": "now.html"}


def _file(name: str) -> str:
    return files("softee.cli.web").joinpath(name).read_text(encoding="utf-8")


def _text(cell: Cell) -> str:
    return printable(cell if isinstance(cell, str) else cell.text)


def _mark(cell: Cell) -> str:
    """Return the style's class of a cell."""
    return "" if isinstance(cell, str) else {"red": "bad"}.get(cell.colour, "dim")


def _moment(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC"


def _templates() -> Environment:
    made = Environment(loader=FunctionLoader(_file), autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    made.filters.update(text=_text, mark=_mark, moment=_moment)
    made.globals.update(version=package.__version__)
    return made


def pages(looks: Looks, clock: Callable[[], float] = time.monotonic) -> "WSGIApplication":
    """Return the application over what is looked at."""
    templates = _templates()

    def answer(environment: "WSGIEnvironment", start: "StartResponse") -> Iterable[bytes]:
        path = environment["PATH_INFO"]
        status = "200 OK"
        if path in _STATIC:
            kind, text = _STATIC[path], _file(path[1:])
        elif path in _PAGES:
            kind = "text/html"
            try:
                text = templates.get_template(_PAGES[path]).render(look=looks.look(clock()), failure="")
            except CliError as error:
                status = "503 Service Unavailable"
                text = templates.get_template(_PAGES[path]).render(look=None, failure=str(error))
        else:
            status, kind, text = "404 Not Found", "text/plain", "There is no such page.\n"
        start(status, [("Content-Type", f"{kind}; charset=utf-8"), ("Content-Security-Policy", _POLICY)])
        return [text.encode()]

    return answer
