# SPDX-License-Identifier: Apache-2.0
"""What certificates and requests are for: the options that say it, and the extensions that follow."""

from collections.abc import Callable
from ipaddress import ip_address
from typing import Any, Final

import click
from cryptography.x509 import (
    DNSName,
    GeneralName,
    IPAddress,
    Name,
    RFC822Name,
    SubjectAlternativeName,
    UniformResourceIdentifier,
)

from softee.cli.failure import CliError

_SORTS: Final[dict[str, Callable[[str], GeneralName]]] = {
    "dns": DNSName,
    "email": RFC822Name,
    "uri": UniformResourceIdentifier,
    "ip": lambda text: IPAddress(ip_address(text)),
}


def for_whom(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add --subject and --san."""
    for option in (
        click.option(
            "--san",
            metavar="SORT:NAME",
            multiple=True,
            help="Another name, after dns:, ip:, email: or uri:. May be given more than once.",
        ),
        click.option("--subject", metavar="NAME", required=True, help="The name, as in RFC 4514: CN=me,O=Example."),
    ):
        command = option(command)
    return command


def subject_of(text: str) -> Name:
    """Read a name. Raises CliError, for wrong usage."""
    try:
        return Name.from_rfc4514_string(text)
    except ValueError as error:
        raise CliError(f"--subject is no name as RFC 4514 writes it (CN=me,O=Example): {error}.", 2) from None


def alternative_names(texts: tuple[str, ...]) -> SubjectAlternativeName:
    """Read the further names. Raises CliError, for wrong usage."""
    return SubjectAlternativeName(map(_general_name, texts))


def _general_name(text: str) -> GeneralName:
    sort, _, name = text.partition(":")
    try:
        return _SORTS[sort.lower()](name)
    except (KeyError, ValueError):
        raise CliError(f"--san takes {', '.join(_SORTS)} and a name after a colon, not {text!r}.", 2) from None
