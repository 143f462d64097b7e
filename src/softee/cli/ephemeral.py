# SPDX-License-Identifier: Apache-2.0
"""A throw-away token, ready for use: what ``softee run --ephemeral`` gives to tests and to CI."""

import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from softee.cli import secure_world
from softee.cli.token_client import token_client
from softee.names import CKU

LABEL = "softee"
SLOT = 0
LONGEST_STATE = 4096
"""Bytes of a path, the kernel's: a state may be deep."""


@contextmanager
def throw_away_world(
    log: Path | None = None, options: Sequence[str] = (), keys: str | None = None
) -> Iterator[dict[str, str]]:
    """Run a secure world with such a token, and yield the variables that lead to it and to its PINs.

    Args:
        log: where it logs; by default, to a file that goes with it.
        options: further options of ``softee serve``.
        keys: the kinds of keys that are made on the token, with commas.

    Raises:
        CliError: it does not become ready, or there is no such kind of keys.

    """
    make_keys = _maker(keys)
    with secure_world.private_directory(LONGEST_STATE) as state:
        paths = secure_world.StartPaths(state / "state", state / "key" / "root.key", log or state / "softee.log")
        with secure_world.running(paths, options) as socket:
            variables = {"SOFTEE_SOCKET": str(socket)} | paths.variables | initialized_token(socket)
            yield variables | make_keys(variables)


def initialized_token(socket: Path) -> dict[str, str]:
    """Initialize slot 0's token with fresh PINs, and return its label and them in variables."""
    so_pin, pin = _new_pin(), _new_pin()
    with token_client(socket) as client:
        client.init_token(SLOT, LABEL, so_pin.encode())
        session = client.open_session(SLOT, write=True)
        client.login(session, CKU.SO, so_pin.encode())
        client.init_pin(session, pin.encode())
        client.close_session(session)
    return {"SOFTEE_TOKEN": LABEL, "SOFTEE_PIN": pin, "SOFTEE_SO_PIN": so_pin}


def _maker(keys: str | None) -> Callable[[dict[str, str]], dict[str, str]]:
    """Return what makes the keys, once a token is there, and tells of them in variables."""
    if not keys:
        return lambda _: {}
    from softee.cli.ephemeral_keys import Keys  # noqa: PLC0415 - without keys, `softee run` needs no cryptography

    return Keys.parse(keys).make


def _new_pin() -> str:
    return f"{secrets.randbelow(10**10):010}"
