# SPDX-License-Identifier: Apache-2.0
"""What the token itself must hold after a step, asked through softee's own client and not through a program."""

from collections.abc import Iterator
from contextlib import contextmanager

from softee.cli.demo.checks import shortened
from softee.cli.demo.files import point_of
from softee.cli.demo.mechanisms import DOCUMENTED, OFFERED
from softee.cli.demo.patterns import MECHANISM
from softee.cli.demo.step import Answer, Check, CheckFailedError
from softee.cli.failure import CliError
from softee.cli.token_client import TokenClient, token_client
from softee.names import CKA, CKO, CKU, TokenFlag

SLOT = 0
LABEL = "mytoken"
KEY = "mykey"
SO_PIN = "1234567890"
PIN = "12345"

P256 = bytes.fromhex("06082a8648ce3d030107")
TRUE = b"\x01"

Template = dict[int, bytes]


def has_tokens(*labels: str | None) -> Check:
    """Check that there are as many slots as labels, each with a token of that label, or one not initialized (None)."""

    def check(answer: Answer) -> None:
        with _client(answer) as client:
            found = tuple(token.label if token.initialized else None for token in client.tokens())
        if found != labels:
            raise CheckFailedError(f"tokens {labels}", f"{found}")

    return check


def has_flags(wanted: TokenFlag) -> Check:
    """Check that the walkthrough's token has these flags, and no others (which would tell of a wrong PIN)."""

    def check(answer: Answer) -> None:
        with _client(answer) as client:
            found = client.tokens()[SLOT].flags
        if found != wanted:
            raise CheckFailedError(f"{wanted!r}", f"{found!r}")

    return check


def offers_documented_mechanisms(answer: Answer) -> None:
    """Check that the token has every mechanism of the documentation, and that as many are listed.

    Key sizes must be those that softee offers, functions at least those of the documentation.
    """
    with _client(answer) as client:
        ours = client.mechanisms(SLOT)
    for mechanism, (sizes, functions) in OFFERED.items():
        found = ours.get(mechanism)
        if found is None or found.sizes != sizes or functions not in found.functions:
            raise CheckFailedError(f"CKM_{mechanism.name}, {sizes}, {functions!r}", f"{found}")
    listed = set(MECHANISM.findall(answer.output))
    if len(listed) < len(DOCUMENTED):
        raise CheckFailedError(f"{len(DOCUMENTED)} mechanisms", shortened(answer.output))


def holds_the_key_pair(answer: Answer) -> None:
    """Check that the token holds one P-256 key pair, made there, whose private key has never been outside."""
    made_there: Template = {CKA.LABEL: KEY.encode(), CKA.EC_PARAMS: P256, CKA.LOCAL: TRUE}
    never_outside: Template = {CKA.SENSITIVE: TRUE, CKA.ALWAYS_SENSITIVE: TRUE, CKA.NEVER_EXTRACTABLE: TRUE}
    _check_one(answer, CKO.PRIVATE_KEY, made_there | never_outside)
    _check_one(answer, CKO.PUBLIC_KEY, made_there)


def holds_public_key_of(file: str) -> Check:
    """Check that the public key of a certificate or request is the token's."""

    def check(answer: Answer) -> None:
        point = point_of(answer.directory / file)
        octet_string = b"\x04" + len(point).to_bytes(1, "big") + point
        _check_one(answer, CKO.PUBLIC_KEY, {CKA.LABEL: KEY.encode(), CKA.EC_POINT: octet_string})

    return check


def _check_one(answer: Answer, class_: CKO, template: Template) -> None:
    """Check that the token holds exactly one object of that class with these attributes."""
    wanted: Template = {CKA.CLASS: class_.to_bytes(4, "little"), **template}
    with _client(answer) as client:
        session = client.open_session(SLOT)
        client.login(session, CKU.USER, PIN.encode())
        count = len(client.find_objects(session, wanted))
    if count != 1:
        shown = ", ".join(f"CKA_{CKA(attribute).name} {value.hex()}" for attribute, value in wanted.items())
        raise CheckFailedError(f"one object with {shown}", f"{count}")


@contextmanager
def _client(answer: Answer) -> Iterator[TokenClient]:
    try:
        with token_client(answer.socket) as client:
            yield client
    except CliError as error:
        raise CheckFailedError("an answer of the token", f"{error}") from None
