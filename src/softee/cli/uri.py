# SPDX-License-Identifier: Apache-2.0
"""``softee uri``: the PKCS#11 URIs of tokens and of what is on them (RFC 7512)."""

import click

from softee.cli.cryptoki.choice import TokenChoice, found_by
from softee.cli.cryptoki.described import described
from softee.cli.cryptoki.options import login_if_wanted, on_a_token, on_objects
from softee.cli.cryptoki.uri import Uri, uri_of
from softee.cli.failure import CliError
from softee.cli.options import json_option
from softee.cli.output import write_json


@click.command()
@on_objects
@on_a_token
@login_if_wanted
@json_option
def uri(*, token: TokenChoice, name: Uri, as_json: bool) -> None:
    """Print the URIs of the objects that are named, or of all tokens where none is."""
    found = _objects(token, name) if name.names_an_object else _tokens(token)
    if not found:
        raise CliError("There is nothing of that name.")
    if as_json:
        write_json(found)
    else:
        click.echo("\n".join(found))


def _tokens(token: TokenChoice) -> list[str]:
    with token.loaded() as module:
        return [str(uri_of(one)) for one in module.tokens() if one.initialized and token.means(one)]


def _objects(token: TokenChoice, name: Uri) -> list[str]:
    with token.session(name) as session:
        return [str(described(session, handle).uri) for handle in found_by(session, name)]
