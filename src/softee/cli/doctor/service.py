# SPDX-License-Identifier: Apache-2.0
"""Checks of the running secure world: its socket, its answer, its tokens."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from softee.cli.doctor.finding import Finding, good, warning, wrong
from softee.cli.failure import CliError
from softee.cli.places import answers, why_forbidden, why_not
from softee.cli.token_client import TokenClient, TokenInfo, token_client
from softee.client import UntrustedError, is_trusted, socket_paths
from softee.names import CKA, CKO

START = "start one with `softee serve`, or use `softee run -- COMMAND`"


def check_service(served: Path) -> Iterator[Finding]:
    """Look for a secure world where applications look for it; ``served`` is where the settings would serve it."""
    tried = socket_paths()
    if served not in tried:
        yield from _check_unseen(served)
    present = [socket for socket in tried if _is_there(socket)]
    if present:
        yield from _check_socket(next(filter(answers, present), present[0]))
    else:
        yield wrong("socket", f"there is no socket {' or '.join(map(str, tried))}", START)


def _check_unseen(served: Path) -> Iterator[Finding]:
    """Judge a socket of the settings at which the shared object does not look."""
    mend = f"export SOFTEE_SOCKET={served}"
    if answers(served):
        yield wrong("socket", f"a secure world answers on {served}, where the shared object does not look", mend)
    elif "SOFTEE_SOCKET" not in os.environ:
        what = f"`softee serve` would listen on {served}, where the shared object does not look"
        yield warning("socket", what, f"{mend}, or set XDG_RUNTIME_DIR")


def _is_there(socket: Path) -> bool:
    """Tell whether there is something, also where this user may not look."""
    try:
        return socket.exists()
    except PermissionError:
        return True


def _check_socket(socket: Path) -> Iterator[Finding]:
    try:
        status = socket.stat()
    except PermissionError:
        yield wrong("socket", f"{socket} cannot be seen by this user", "ask to be let into its directory")
        return
    if not stat.S_ISSOCK(status.st_mode):
        yield wrong("socket", f"{socket} is no socket", f"remove it, and {START}")
    elif not is_trusted(status.st_uid):
        yield _foreign(socket, status.st_uid)
    elif forbidden := why_forbidden(socket):
        yield wrong("socket", *forbidden)
    else:
        yield from _check_answer(socket)


def _check_answer(socket: Path) -> Iterator[Finding]:
    failure = why_not(socket)
    if isinstance(failure, UntrustedError):
        yield _foreign(socket, failure.uid)
    elif failure:
        yield wrong("secure world", f"nothing answers on {socket}", START)
    else:
        yield good("secure world", f"answers on {socket}")
        yield from _check_tokens(socket)


def _foreign(socket: Path, uid: int) -> Finding:
    """Say that a socket's file, or the process that serves it, is another user's."""
    mend = f"if that is right: export SOFTEE_SERVER_UID={uid}"
    return wrong("socket", f"{socket} belongs to uid {uid}, so the shared object refuses it", mend)


def _check_tokens(socket: Path) -> Iterator[Finding]:
    try:
        with token_client(socket) as client:
            for token in client.tokens():
                if token.initialized:
                    yield from _check_token(client, token)
    except CliError as error:
        yield wrong("tokens", str(error), "look into the daemon's log")


def _check_token(client: TokenClient, token: TokenInfo) -> Iterator[Finding]:
    """Without a login a session sees public objects only, so what it sees of private and secret keys is public."""
    session = client.open_session(token.slot)
    classes = (CKO.PRIVATE_KEY, CKO.SECRET_KEY)
    count = sum(len(client.find_objects(session, {CKA.CLASS: class_.to_bytes(4, "little")})) for class_ in classes)
    client.close_session(session)
    named = f"slot {token.slot} ({token.label}, {token.profile})"
    if count:
        what = f"{named} holds {count} private or secret keys with CKA_PRIVATE false: usable without PIN"
        mend = "make such keys again with CKA_PRIVATE true (pkcs11-tool: --private)"
        yield warning("tokens", what, mend)
    else:
        yield good("tokens", f"{named} keeps its private and secret keys behind the PIN")
