# SPDX-License-Identifier: Apache-2.0
"""Makes keys on a token: templates from the table of kinds, and what is told of the result."""

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import click

from softee.cli.cryptoki.choice import found_by
from softee.cli.cryptoki.described import described
from softee.cli.cryptoki.kinds import Kind, guarded, key_attributes
from softee.cli.cryptoki.session import Session
from softee.cli.cryptoki.uri import Uri
from softee.cli.failure import CliError
from softee.cli.output import hexadecimal, write_json
from softee.names import CKO

_ID_BYTES = 8


def generate_key(
    session: Session, kind: Kind, *, label: str, key_id: bytes, uses: Sequence[str] = (), extractable: bool = False
) -> int:
    """Make a key or a pair, and return the handle of the secret or private key. Raises CliError."""
    wanted = uses or kind.uses
    guard = guarded(extractable=extractable)
    if kind.public is None:
        secret = key_attributes(CKO.SECRET_KEY, kind.key_type, label, key_id, wanted)
        return session.generate(kind.mechanism, {**secret, **kind.secret, **guard})
    public = key_attributes(CKO.PUBLIC_KEY, kind.key_type, label, key_id, wanted)
    private = key_attributes(CKO.PRIVATE_KEY, kind.key_type, label, key_id, wanted)
    return session.generate_pair(kind.mechanism, {**public, **kind.public}, {**private, **guard})[1]


@contextmanager
def all_or_nothing(session: Session) -> Iterator[list[int]]:
    """Destroy the objects whose handles are put into the list where the last of them cannot be made."""
    made: list[int] = []
    try:
        yield made
    except CliError:
        for handle in made:
            session.destroy(handle)
        raise


def new_id(session: Session, text: str | None, classes: Sequence[CKO]) -> bytes:
    """Return the CKA_ID of a new object: the one that is given in hexadecimal, or one by chance.

    Raises:
        CliError: it is not hexadecimal, or the token has such an object already.

    """
    if text is None:
        return secrets.token_bytes(_ID_BYTES)
    key_id = hexadecimal(text, "--id")
    if found_by(session, Uri(id=key_id), classes):
        raise CliError(f"The token has an object with the id {key_id.hex()} already; take another --id.")
    return key_id


def told(session: Session, handle: int, *, as_json: bool) -> None:
    """Print what was made: its URI, or all of it as JSON."""
    found = described(session, handle)
    if as_json:
        write_json(found.as_dict())
    else:
        click.echo(found.uri)
