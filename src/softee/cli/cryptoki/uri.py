# SPDX-License-Identifier: Apache-2.0
"""PKCS#11 URIs (RFC 7512): the names of tokens and of what is on them.

Of the path's attributes those are read and written that find a token or an object; others are refused, for a name that
is half understood may mean another key. So is a query: a PIN has no place on a command line.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Self
from urllib.parse import quote_from_bytes, unquote_to_bytes

from softee.cli.cryptoki.module import Token
from softee.cli.failure import CliError
from softee.names import CKO

SCHEME: Final = "pkcs11:"
TYPES: Final[Mapping[str, CKO]] = MappingProxyType(
    {
        "public": CKO.PUBLIC_KEY,
        "private": CKO.PRIVATE_KEY,
        "cert": CKO.CERTIFICATE,
        "secret-key": CKO.SECRET_KEY,
        "data": CKO.DATA,
    }
)
"""The values of ``type`` (RFC 7512, section 2.3)."""

_UNDERSTOOD: Final = ("token", "manufacturer", "model", "serial", "object", "id", "type", "slot-id")
_UNESCAPED: Final = ":[]@!$'()*+,=&"
"""What stands in a value as it is, besides letters, digits, and -._~ (pk11-res-avail)."""


@dataclass(frozen=True, slots=True)
class Uri:
    """What a URI says; None where it says nothing."""

    token: str | None = None
    manufacturer: str | None = None
    model: str | None = None
    serial: str | None = None
    label: str | None = None
    id: bytes | None = None
    object_class: CKO | None = None
    slot: int | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a URI. Raises CliError, for wrong usage, where it is none or says what is not understood here."""
        try:
            return cls._read(text)
        except (ValueError, KeyError) as error:
            raise CliError(f"{text!r} is not taken as a PKCS#11 URI: {error}.", 2) from None

    @classmethod
    def _read(cls, text: str) -> Self:
        if not text.startswith(SCHEME):
            raise ValueError(f"it does not begin with {SCHEME}")
        path, _, query = text.removeprefix(SCHEME).partition("?")
        if query:
            raise ValueError("it has a query; PINs and modules are given by options")
        found: dict[str, bytes] = {}
        for part in filter(None, path.split(";")):
            name, equals, value = part.partition("=")
            if not equals or name not in _UNDERSTOOD or name in found:
                raise ValueError(f"{part!r} is unknown, incomplete or there twice")
            found[name] = unquote_to_bytes(value)
        texts = {name: value.decode() for name, value in found.items() if name != "id"}
        return cls(
            **{name: texts.get(name) for name in ("token", "manufacturer", "model", "serial")},
            label=texts.get("object"),
            id=found.get("id"),
            object_class=_type(texts["type"]) if "type" in texts else None,
            slot=int(texts["slot-id"]) if "slot-id" in texts else None,
        )

    @property
    def names_an_object(self) -> bool:
        """Whether it says more than which token is meant."""
        return (self.label, self.id, self.object_class) != (None, None, None)

    def __str__(self) -> str:
        return SCHEME + ";".join(self._parts())

    def _parts(self) -> Iterator[str]:
        for name in ("manufacturer", "model", "serial", "token"):
            value: str | None = getattr(self, name)
            if value is not None:
                yield f"{name}={_escaped(value)}"
        if self.slot is not None:
            yield f"slot-id={self.slot}"
        if self.id is not None:
            yield "id=" + "".join(f"%{byte:02x}" for byte in self.id)
        if self.label is not None:
            yield f"object={_escaped(self.label)}"
        if self.object_class is not None:
            yield f"type={next(name for name, known in TYPES.items() if known == self.object_class)}"


def uri_of(token: Token, label: str = "", id_: bytes = b"", object_class: int | None = None) -> Uri:
    """Return the URI of a token, or of an object on it."""
    of = next((known for known in TYPES.values() if known == object_class), None)
    return Uri(token=token.label, serial=token.serial, id=id_ or None, label=label or None, object_class=of)


def _type(name: str) -> CKO:
    if name not in TYPES:
        raise ValueError(f"its type is none of {', '.join(TYPES)}")
    return TYPES[name]


def _escaped(text: str) -> str:
    return quote_from_bytes(text.encode(), safe=_UNESCAPED)
