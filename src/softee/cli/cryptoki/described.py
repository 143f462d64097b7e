# SPDX-License-Identifier: Apache-2.0
"""What an object is: its class, its names, of what kind it is, and who may do what with it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from types import MappingProxyType
from typing import Final

from softee.cli.cryptoki.kinds import kind_name, number
from softee.cli.cryptoki.session import Session
from softee.cli.cryptoki.uri import Uri, uri_of
from softee.names import CKA, CKC, CKK, CKO

_ASKED: Final = (
    *(CKA.CLASS, CKA.LABEL, CKA.ID, CKA.PRIVATE, CKA.KEY_TYPE, CKA.CERTIFICATE_TYPE, CKA.MODULUS, CKA.EC_PARAMS),
    *(CKA.VALUE_LEN, CKA.PARAMETER_SET, CKA.SENSITIVE, CKA.EXTRACTABLE, CKA.LOCAL, CKA.ALWAYS_AUTHENTICATE),
    *(CKA.SIGN, CKA.VERIFY, CKA.ENCRYPT, CKA.DECRYPT, CKA.WRAP, CKA.UNWRAP, CKA.DERIVE),
    *(CKA.ENCAPSULATE, CKA.DECAPSULATE),
)

CLASSES: Final[Mapping[int, str]] = MappingProxyType(
    {
        CKO.DATA: "data",
        CKO.CERTIFICATE: "certificate",
        CKO.PUBLIC_KEY: "public key",
        CKO.PRIVATE_KEY: "private key",
        CKO.SECRET_KEY: "secret key",
    }
)
"""What people call the classes that softee's commands know of."""

KEYS: Final = (CKO.PRIVATE_KEY, CKO.PUBLIC_KEY, CKO.SECRET_KEY)

_TRAITS: Final = {
    CKA.SENSITIVE: "sensitive",
    CKA.EXTRACTABLE: "extractable",
    CKA.LOCAL: "local",
    CKA.ALWAYS_AUTHENTICATE: "always authenticate",
    CKA.SIGN: "sign",
    CKA.VERIFY: "verify",
    CKA.ENCRYPT: "encrypt",
    CKA.DECRYPT: "decrypt",
    CKA.WRAP: "wrap",
    CKA.UNWRAP: "unwrap",
    CKA.DERIVE: "derive",
    CKA.ENCAPSULATE: "encapsulate",
    CKA.DECAPSULATE: "decapsulate",
}


@dataclass(frozen=True, slots=True)
class Described:
    """An object, as far as it is shown."""

    handle: int
    object_class: int
    label: str
    id: bytes
    kind: str
    private: bool
    traits: tuple[str, ...]
    uri: Uri

    @property
    def class_name(self) -> str:
        """Its class in words."""
        return CLASSES.get(self.object_class) or _name(CKO, self.object_class).lower().replace("_", " ")

    def as_dict(self) -> dict[str, object]:
        """Return what programs are told."""
        return {
            "class": self.class_name,
            "label": self.label,
            "id": self.id.hex(),
            "kind": self.kind,
            "private": self.private,
            "traits": list(self.traits),
            "uri": str(self.uri),
        }


def described(session: Session, handle: int) -> Described:
    """Return what an object is. Raises CliError."""
    found = session.attributes(handle, _ASKED)
    label, id_ = found.get(CKA.LABEL, b"").decode(errors="replace"), found.get(CKA.ID, b"")
    object_class = number(found, CKA.CLASS)
    return Described(
        handle,
        object_class,
        label,
        id_,
        _kind(found),
        found.get(CKA.PRIVATE) == b"\1",
        tuple(name for attribute, name in _TRAITS.items() if found.get(attribute) == b"\1"),
        uri_of(session.token, label, id_, object_class),
    )


def _kind(found: Mapping[CKA, bytes]) -> str:
    if CKA.CERTIFICATE_TYPE in found:
        return _name(CKC, number(found, CKA.CERTIFICATE_TYPE)).lower().replace("_", ".")
    if CKA.KEY_TYPE not in found:
        return ""
    key_type = number(found, CKA.KEY_TYPE)
    return kind_name(found) or _name(CKK, key_type).lower()


def _name(names: type[IntEnum], value: int) -> str:
    return names(value).name if value in set(names) else f"{value:#x}"
