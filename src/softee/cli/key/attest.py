# SPDX-License-Identifier: Apache-2.0
"""``softee key attest``: a signed statement of where a key comes from."""

from pathlib import Path

import click

from softee.cli.failure import CliError
from softee.cli.options import out_option, pin_file_option, socket_option
from softee.cli.output import hexadecimal, write_out
from softee.cli.pin import PinSource, user_prompt
from softee.cli.places import require_answering_socket
from softee.cli.token_client import RefusedCommandError, TokenInfo, token_client
from softee.names import CKA, CKO, CKR, CKU
from softee.pkcs11_ta.attestation.evidence import LONGEST_NONCE, SHORTEST_NONCE

_REFUSALS: dict[int, str] = {
    CKR.FUNCTION_NOT_SUPPORTED: "This token does not attest keys: its profile is optee, or it is none of softee's.",
    CKR.KEY_TYPE_INCONSISTENT: "There are no certificates for keys of this type, so that it cannot be attested.",
}


@click.command()
@click.option("--token", metavar="LABEL", required=True, help="The token's label.")
@click.option("--label", help="The private key's label (CKA_LABEL).")
@click.option("--id", "key_id", metavar="HEX", help="Its CKA_ID.")
@click.option("--nonce", metavar="HEX", help="8 to 64 bytes of who will verify: the statement is new.")
@pin_file_option
@out_option
@socket_option
def attest(
    *,
    token: str,
    label: str | None,
    key_id: str | None,
    nonce: str | None,
    pin_file: Path | None,
    out: Path | None,
    socket: Path | None,
) -> None:
    """State where a private key comes from: certificates in PEM, the key's own with the statement in it first."""
    wanted = _template(label, key_id)
    given = _nonce(nonce)
    with token_client(require_answering_socket(socket)) as client:
        session = client.open_session(_named(client.tokens(), token).slot)
        client.login(session, CKU.USER, bytes(PinSource(pin_file).read(user_prompt(token))))
        found = client.find_objects(session, wanted)
        if len(found) != 1:
            raise CliError(_not_one("private key", len(found), "give both --label and --id"))
        try:
            write_out(client.attest_key(session, found[0], given), out)
        except RefusedCommandError as error:
            raise CliError(_REFUSALS.get(error.rv, str(error))) from None


def _template(label: str | None, key_id: str | None) -> dict[int, bytes]:
    if label is None and key_id is None:
        raise CliError("Name the key by --label, by --id, or by both.", 2)
    wanted: dict[int, bytes] = {CKA.CLASS: CKO.PRIVATE_KEY.to_bytes(4, "little")}
    if label is not None:
        wanted[CKA.LABEL] = label.encode()
    if key_id is not None:
        wanted[CKA.ID] = hexadecimal(key_id, "--id")
    return wanted


def _nonce(text: str | None) -> bytes:
    if text is None:
        return b""
    nonce = hexadecimal(text, "--nonce")
    if not SHORTEST_NONCE <= len(nonce) <= LONGEST_NONCE:
        raise CliError(f"A nonce has {SHORTEST_NONCE} to {LONGEST_NONCE} bytes, not {len(nonce)}.", 2)
    return nonce


def _named(tokens: list[TokenInfo], label: str) -> TokenInfo:
    found = [token for token in tokens if token.initialized and token.label == label]
    if len(found) != 1:
        raise CliError(_not_one("token", len(found), "`softee status` shows them"))
    return found[0]


def _not_one(what: str, count: int, way_out: str) -> str:
    return f"There is no {what} of that name." if not count else f"There are {count} {what}s of that name; {way_out}."
