# SPDX-License-Identifier: Apache-2.0
"""``softee key generate``: C_GenerateKey and C_GenerateKeyPair."""

import click

from softee.cli.cryptoki.choice import TokenChoice
from softee.cli.cryptoki.described import KEYS
from softee.cli.cryptoki.kinds import KINDS, USES, kind_of
from softee.cli.cryptoki.options import naming_a_new_object, on_a_token
from softee.cli.key.making import generate_key, new_id, told
from softee.cli.options import json_option
from softee.cli.tables import busy


@click.command(epilog=f"The kinds are {', '.join(KINDS)}.")
@click.argument("kind")
@naming_a_new_object
@click.option(
    "--use", "uses", type=click.Choice(list(USES)), multiple=True, help="What it is for, instead of what is usual."
)
@click.option("--extractable", is_flag=True, help="It may leave the token, wrapped with another key.")
@on_a_token
@json_option
def generate(
    kind: str,
    *,
    token: TokenChoice,
    label: str,
    key_id: str | None,
    uses: tuple[str, ...],
    extractable: bool,
    as_json: bool,
) -> None:
    """Make a key or a key pair of a KIND (rsa:2048, ec:prime256v1, ed25519, aes:256) on a token.

    Without --id it gets a CKA_ID by chance. What is printed is its PKCS#11 URI.
    """
    wanted = kind_of(kind)
    with token.session(write=True) as session, busy(f"The token makes a key ({kind})."):
        named = new_id(session, key_id, KEYS)
        handle = generate_key(session, wanted, label=label, key_id=named, uses=uses, extractable=extractable)
        told(session, handle, as_json=as_json)
