# SPDX-License-Identifier: Apache-2.0
"""A throw-away token, ready for use: what ``softee run --ephemeral`` and pytest-softee give to tests and to CI."""

import os
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from softee.cli import secure_world
from softee.cli.token_client import token_client
from softee.daemon.root_key.reading import ROOT_KEY_SIZE
from softee.daemon.root_key.source import RootKeySource
from softee.names import CKU

LABEL = "softee"
SLOT = 0
LONGEST_STATE = 4096
"""Bytes of a path, the kernel's: a state may be deep."""


KeyMaker = Callable[[Mapping[str, str]], dict[str, str]]
"""Makes keys on the token to which variables lead, and returns the variables that tell of them."""


def no_keys(_: Mapping[str, str]) -> dict[str, str]:
    """Make none."""
    return {}


@contextmanager
def throw_away_world(
    log: Path | None = None, options: Sequence[str] = (), make_keys: KeyMaker = no_keys
) -> Iterator[dict[str, str]]:
    """Run a secure world with such a token, and yield the variables that lead to it and to its PINs.

    Args:
        log: where it logs; by default, to a file that goes with it.
        options: further options of ``softee serve``.
        make_keys: makes keys on the token to which variables lead, and returns further variables.

    Raises:
        CliError: it does not become ready.

    """
    with secure_world.private_directory(LONGEST_STATE) as state, _passed_key() as key:
        source = RootKeySource(f"descriptor:{key}")
        paths = secure_world.StartPaths(state / "state", source, log or state / "softee.log")
        with secure_world.running(paths, ("--clean-up", str(state), *options), [key]) as socket:
            variables = {"SOFTEE_SOCKET": str(socket)} | paths.variables | initialized_token(socket)
            yield variables | make_keys(variables)


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


def initialized_token(socket: Path, *, slot: int = SLOT, label: str = LABEL, so_pin: str = "") -> dict[str, str]:
    """Initialize a slot's token with a fresh PIN, and return its label and its PINs in variables.

    Args:
        socket: of the secure world.
        slot: the token's.
        label: the one that it gets, at most 32 bytes.
        so_pin: the SO's PIN, which a token that is initialized already must have; a fresh one if none is given.

    Raises:
        RefusedCommandError: somebody has sessions with the token, or it has another SO PIN.

    """
    so_pin, pin = so_pin or _new_pin(), _new_pin()
    with token_client(socket) as client:
        client.init_token(slot, label, so_pin.encode())
        session = client.open_session(slot, write=True)
        client.login(session, CKU.SO, so_pin.encode())
        client.init_pin(session, pin.encode())
        client.close_session(session)
    return {"SOFTEE_TOKEN": label, "SOFTEE_PIN": pin, "SOFTEE_SO_PIN": so_pin}


def key_maker(keys: str | None) -> KeyMaker:
    """Return what makes keys of these kinds, which have commas between them. Raises CliError, for wrong usage."""
    if not keys:
        return no_keys
    from softee.cli.ephemeral_keys import Keys  # noqa: PLC0415 - without keys, `softee run` needs no cryptography

    return Keys.parse(keys).make


def _new_pin() -> str:
    return f"{secrets.randbelow(10**10):010}"
