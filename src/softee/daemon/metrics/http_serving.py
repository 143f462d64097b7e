# SPDX-License-Identifier: Apache-2.0
"""Serves a WSGI application by HTTP to this machine, by waitress, and keeps from it whoever is not meant.

A page in a browser can send requests to this machine, too, and by DNS rebinding read the answers: so the Host of a
request must be one of this machine's own names. Nothing that is served changes anything: only GET and HEAD are taken.
"""

import base64
import hmac
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final

from softee.daemon.errors import StartError
from softee.daemon.listener import Listener

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

HEADERS: Final = [
    ("Cache-Control", "no-store"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Referrer-Policy", "no-referrer"),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
]
"""What every answer has, unless the application says otherwise."""

BEARER: Final = "Bearer"
BASIC: Final = "Basic"
_NAMES: Final = frozenset({"localhost", "127.0.0.1", "[::1]"})
_LIMITS: Final[dict[str, Any]] = {
    "threads": 2,
    "connection_limit": 32,
    "channel_timeout": 10,
    "cleanup_interval": 5,
    "max_request_header_size": 16 * 1024,
    "max_request_body_size": 1024,
    "ident": "",
    "asyncore_use_poll": True,
}
"""What a client can take up: nothing that it does or leaves undone keeps others away for longer."""


@dataclass(frozen=True)
class Secret:
    """What readers must have: a token (BEARER, for programs), or a password with any name (BASIC, for browsers)."""

    scheme: str
    text: str = field(repr=False)

    def is_in(self, authorization: str) -> bool:
        """Tell whether a header has it, in a time that tells nothing of it."""
        scheme, _, given = authorization.partition(" ")
        given = given.strip()
        if self.scheme == BASIC:
            try:
                given = base64.b64decode(given, validate=True).decode().partition(":")[2]
            except ValueError:
                return False
        return scheme.lower() == self.scheme.lower() and hmac.compare_digest(given.encode(), self.text.encode())


def guarded(application: "WSGIApplication", secret: Secret | None = None) -> "WSGIApplication":
    """Return the application, for those alone who name this machine, want to read, and have the secret."""

    def answer(environment: "WSGIEnvironment", start: "StartResponse") -> Iterable[bytes]:
        refusal = _refusal(environment, secret)
        if refusal is not None:
            status, *further = refusal
            start(status, [("Content-Type", "text/plain; charset=utf-8"), *HEADERS, *further])
            return [status.encode() + b"\n"]
        return application(environment, _with_headers(start))

    return answer


def _refusal(environment: "WSGIEnvironment", secret: Secret | None) -> Any:  # noqa: ANN401 - a status, then headers
    host = environment.get("HTTP_HOST", "localhost")
    name, _, port = host.rpartition(":")
    if (name if port.isdigit() else host).lower() not in _NAMES:
        return ("421 Misdirected Request",)
    if environment["REQUEST_METHOD"] not in {"GET", "HEAD"}:
        return "405 Method Not Allowed", ("Allow", "GET, HEAD")
    if secret is not None and not secret.is_in(environment.get("HTTP_AUTHORIZATION", "")):
        return "401 Unauthorized", ("WWW-Authenticate", f'{secret.scheme} realm="softee"')
    return None


def _with_headers(start: "StartResponse") -> "StartResponse":
    def begin(status: str, headers: list[tuple[str, str]], *failed: Any) -> Callable[[bytes], object]:  # noqa: ANN401
        own = {name.lower() for name, _ in headers}
        return start(status, [*headers, *(header for header in HEADERS if header[0].lower() not in own)], *failed)

    return begin


def require(extra: str, *modules: str) -> None:
    """Raise StartError where one of the modules, which an extra of the package brings along, is not installed."""
    for module in modules:
        if find_spec(module) is None:
            raise StartError(f"{module} is not installed, which serves {extra}; run: pip install 'softee[{extra}]'")


def serve_http(application: "WSGIApplication", listener: Listener) -> None:
    """Serve until this process ends."""
    import waitress.server  # noqa: PLC0415 - only who serves HTTP needs it

    logging.getLogger("waitress").setLevel(logging.ERROR)  # what clients do wrong is theirs
    waitress.server.create_server(application, sockets=[listener.socket], **_LIMITS).run()
