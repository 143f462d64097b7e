# SPDX-License-Identifier: Apache-2.0
"""``softee key import``: C_CreateObject of a private key, and of the public key that belongs to it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final, TypedDict, Unpack

import click

from softee.cli.cert.storing import store_certificate
from softee.cli.cryptoki.choice import TokenChoice
from softee.cli.cryptoki.described import KEYS
from softee.cli.cryptoki.kinds import USES, USES_OF, guarded, key_attributes
from softee.cli.cryptoki.native import pair_of
from softee.cli.cryptoki.options import naming_a_new_object, on_a_token
from softee.cli.cryptoki.session import Session
from softee.cli.key.making import all_or_nothing, new_id, told
from softee.cli.key.reading import Format, KeyFile, read_key
from softee.cli.options import json_option, path
from softee.cli.output import read_in
from softee.cli.pin import PinSource
from softee.names import CKO

PASSWORD_VARIABLE = "SOFTEE_FILE_PASSWORD"  # noqa: S105 - its name

_REST: Final = """The public key is put there too, and so are the certificates of a PKCS#12 file. The file stays as it
is: whoever has it has the key."""


def import_command(name: str, what: str, formats: Sequence[Format] = tuple(Format)) -> click.Command:
    """Return the command that puts the private key in a file of one of these formats on a token."""

    @click.command(name, help=f"{what}\n\n{_REST}")
    @click.argument("file", type=click.Path(path_type=Path))
    @naming_a_new_object
    @click.option(
        "--use", "uses", type=click.Choice(list(USES)), multiple=True, help="What it is for, instead of what is usual."
    )
    @click.option("--extractable", is_flag=True, help="It may leave the token, wrapped with another key.")
    @path("--password-file", "A file whose first line is FILE's password; else SOFTEE_FILE_PASSWORD, or a prompt.")
    @on_a_token
    @json_option
    def import_file(
        file: Path, *, token: TokenChoice, password_file: Path | None, as_json: bool, **wishes: Unpack[_Wishes]
    ) -> None:
        password = PinSource(password_file, variable=PASSWORD_VARIABLE)
        found = read_key(read_in(file), lambda: bytes(password.read(f"Password of {file}")), formats)
        with token.session(write=True) as session:
            told(session, _store(session, found, **wishes), as_json=as_json)

    return import_file


class _Wishes(TypedDict):
    """What is said of the new key."""

    label: str
    key_id: str | None
    uses: tuple[str, ...]
    extractable: bool


import_ = import_command("import", "Put the private key in FILE on a token: PEM, DER, PKCS#12 or OpenSSH's format.")


def _store(
    session: Session, found: KeyFile, *, label: str, key_id: str | None, uses: tuple[str, ...], extractable: bool
) -> int:
    """Make the private key, the public key and the certificates, all or none; return the private key's handle."""
    pair = pair_of(found.key)
    named = new_id(session, key_id, KEYS)
    wanted = uses or USES_OF[pair.key_type]
    private = key_attributes(CKO.PRIVATE_KEY, pair.key_type, label, named, wanted)
    public = key_attributes(CKO.PUBLIC_KEY, pair.key_type, label, named, wanted)
    with all_or_nothing(session) as made:
        made.append(session.create(private | pair.private | guarded(extractable=extractable)))
        made.append(session.create(public | pair.public))
        for at, certificate in enumerate(found.certificates):
            made.append(store_certificate(session, certificate, label, b"" if at else named))
    return made[0]
