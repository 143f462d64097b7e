# SPDX-License-Identifier: Apache-2.0
"""``softee object list``, ``show`` and ``delete``."""

import click

from softee.cli.cryptoki.choice import TokenChoice
from softee.cli.cryptoki.options import login_if_wanted, on_a_token, on_objects
from softee.cli.cryptoki.uri import Uri
from softee.cli.object.work import delete_objects, list_objects, show_object
from softee.cli.options import json_option, yes_option


@click.command("list")
@on_objects
@on_a_token
@login_if_wanted
@json_option
def list_(*, token: TokenChoice, name: Uri, as_json: bool) -> None:
    """List the objects on a token: all, or those of a label, of an identifier, of a URI."""
    list_objects(token, name, (), as_json=as_json)


@click.command()
@on_objects
@on_a_token
@login_if_wanted
@json_option
def show(*, token: TokenChoice, name: Uri, as_json: bool) -> None:
    """Show what an object is."""
    show_object(token, name, "object", (), as_json=as_json)


@click.command()
@on_objects
@on_a_token
@yes_option
@json_option
def delete(*, token: TokenChoice, name: Uri, yes: bool, as_json: bool) -> None:
    """Destroy all objects of a label, of an identifier or of a URI."""
    delete_objects(token, name, "object", (), yes=yes, as_json=as_json)
