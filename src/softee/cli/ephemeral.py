# SPDX-License-Identifier: Apache-2.0
"""A throw-away token, ready for use: what ``softee run --ephemeral`` gives to tests and to CI."""

import os
import secrets
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from softee.cli import secure_world
from softee.cli.token_client import token_client
from softee.daemon.root_key.reading import ROOT_KEY_SIZE
from softee.daemon.root_key.source import RootKeySource
from softee.names import CKU

LABEL = "softee"
SLOT = 0


@contextmanager
def throw_away_world(log: Path | None = None, options: Sequence[str] = ()) -> Iterator[dict[str, str]]:
    """Run a secure world with such a token, and yield the variables that lead to it and to its PINs.

    Args:
        log: where it logs; by default, to a file that goes with it.
        options: further options of ``softee serve``.

    Raises:
        CliError: it does not become ready.

    """
    with tempfile.TemporaryDirectory(prefix="softee-") as directory:
        state = Path(directory)
        with _passed_key() as key:
            source = RootKeySource(f"descriptor:{key}")
            paths = secure_world.StartPaths(state / "state", source, log or state / "softee.log")
            with secure_world.running(paths, ("--clean-up", directory, *options), [key]) as socket:
                yield {"SOFTEE_SOCKET": str(socket)} | initialized_token(socket)


@contextmanager
def _passed_key() -> Iterator[int]:
    """Yield a descriptor that gives a root key once: no disk ever has it, whatever becomes of this process."""
    readable, writable = os.pipe()
    try:
        with os.fdopen(writable, "wb") as file:
            file.write(secrets.token_bytes(ROOT_KEY_SIZE))
        yield readable
    finally:
        os.close(readable)


def initialized_token(socket: Path) -> dict[str, str]:
    """Initialize slot 0's token with fresh PINs and return them as SOFTEE_PIN and SOFTEE_SO_PIN."""
    so_pin, pin = _new_pin(), _new_pin()
    with token_client(socket) as client:
        client.init_token(SLOT, LABEL, so_pin.encode())
        session = client.open_session(SLOT, write=True)
        client.login(session, CKU.SO, so_pin.encode())
        client.init_pin(session, pin.encode())
        client.close_session(session)
    return {"SOFTEE_PIN": pin, "SOFTEE_SO_PIN": so_pin}


def _new_pin() -> str:
    return f"{secrets.randbelow(10**10):010}"
