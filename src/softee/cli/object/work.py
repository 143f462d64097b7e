# SPDX-License-Identifier: Apache-2.0
"""The commands that list, show and delete objects, which ``softee object``, ``softee key`` and ``softee cert`` have."""

from collections.abc import Iterator, Sequence

import click

from softee.cli.cryptoki.choice import TokenChoice, found_by, require_name, the_one
from softee.cli.cryptoki.described import Described, described
from softee.cli.cryptoki.options import login_if_wanted, on_a_token, on_objects
from softee.cli.cryptoki.session import Session
from softee.cli.cryptoki.uri import Uri
from softee.cli.failure import CliError
from softee.cli.options import json_option, yes_option
from softee.cli.output import confirm, write_json
from softee.cli.tables import Cell, print_fields, print_table, printable
from softee.names import CKA, CKO


def list_command(help_text: str, classes: Sequence[CKO] = ()) -> click.Command:
    """Return the command that lists objects of all classes, or of these."""

    @click.command("list", help=help_text)
    @on_objects
    @on_a_token
    @login_if_wanted
    @json_option
    def list_objects(*, token: TokenChoice, name: Uri, as_json: bool) -> None:
        with token.session(name) as session:
            found = [described(session, handle) for handle in found_by(session, name, classes)]
        if as_json:
            write_json([one.as_dict() for one in found])
        else:
            print_table(("class", "label", "id", "kind", "traits"), map(_row, found))

    return list_objects


def show_command(what: str, help_text: str, *classes: Sequence[CKO]) -> click.Command:
    """Return the command that shows an object: of the first of the groups of classes that has one of that name."""

    @click.command("show", help=help_text)
    @on_objects
    @on_a_token
    @login_if_wanted
    @json_option
    def show_object(*, token: TokenChoice, name: Uri, as_json: bool) -> None:
        with token.session(name) as session:
            group = next((group for group in classes[:-1] if found_by(session, name, group)), classes[-1])
            found = described(session, the_one(session, name, what, group))
            shown = found.as_dict() | dict(_public(session, found))
        if as_json:
            write_json(shown)
        else:
            shown |= {"traits": ", ".join(found.traits), "private": "yes" if found.private else "no"}
            print_fields((name, str(value)) for name, value in shown.items() if name != "public_key")

    return show_object


def delete_command(what: str, help_text: str, classes: Sequence[CKO] = ()) -> click.Command:
    """Return the command that destroys all objects of a name, after a question that tells which they are."""

    @click.command("delete", help=help_text)
    @on_objects
    @on_a_token
    @yes_option
    @json_option
    def delete_objects(*, token: TokenChoice, name: Uri, yes: bool, as_json: bool) -> None:
        require_name(name, what)
        with token.session(name, write=True) as session:
            found = [described(session, handle) for handle in found_by(session, name, classes)]
            if not found:
                raise CliError(f"There is no such {what}; `softee object list` shows what there is.")
            told = ", ".join(f'{one.class_name} "{one.label}" ({one.id.hex() or "no id"})' for one in found)
            confirm(f"This destroys: {told}.", yes=yes)
            for one in found:
                session.destroy(one.handle)
        if as_json:
            write_json([str(one.uri) for one in found])
        else:
            click.echo(printable(f"Destroyed: {told}."))

    return delete_objects


def _row(found: Described) -> tuple[Cell, ...]:
    return found.class_name, found.label, found.id.hex(), found.kind, ", ".join(found.traits)


def _public(session: Session, found: Described) -> Iterator[tuple[str, object]]:
    if found.object_class == CKO.DATA:
        yield "bytes", len(session.attributes(found.handle, [CKA.VALUE]).get(CKA.VALUE, b""))
    if found.object_class in {CKO.PUBLIC_KEY, CKO.PRIVATE_KEY, CKO.CERTIFICATE}:
        from softee.cli.object.public import public_facts  # noqa: PLC0415 - a list of objects needs no cryptography

        yield from public_facts(session, found)
