# SPDX-License-Identifier: Apache-2.0
"""Reads private keys from files: PEM, DER, PKCS#12 and OpenSSH's own format, with a password where there is one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import (
    load_der_private_key,
    load_pem_private_key,
    load_ssh_private_key,
)
from cryptography.hazmat.primitives.serialization.pkcs12 import load_pkcs12
from cryptography.x509 import Certificate

from softee.cli.failure import CliError

Password = Callable[[], bytes]
"""Asks for the password, once it is known that there is one."""


@dataclass(frozen=True, slots=True)
class KeyFile:
    """What a file holds: a private key, and the certificates that are with it, its own first."""

    key: PrivateKeyTypes
    certificates: Sequence[Certificate] = ()


class Format(Enum):
    """A format of files, by the name that people give it."""

    SSH = "OpenSSH's format"
    PEM = "PEM"
    PKCS12 = "PKCS#12"
    DER = "DER"


def read_key(data: bytes, password: Password, formats: Sequence[Format] = tuple(Format)) -> KeyFile:
    """Return the private key in a file of one of these formats.

    Raises:
        CliError: there is none, or the password is wrong.

    """
    found = next((format_ for format_, (is_it, _) in _FORMATS.items() if is_it(data)), None)
    if found is None or found not in formats:
        names = [one.value for one in (Format.PEM, Format.DER, Format.PKCS12, Format.SSH) if one in formats]
        listed = " or ".join(filter(None, (", ".join(names[:-1]), names[-1])))
        raise CliError(f"The file holds no private key in {listed}.")
    return _opened(_FORMATS[found][1], data, password)


def _opened(load: Callable[[bytes, bytes | None], KeyFile], data: bytes, password: Password) -> KeyFile:
    """Read a key without a password, and then with one."""
    try:
        return load(data, None)
    except TypeError:  # so the library says that there is one
        return _load(load, data, password())
    except ValueError as error:
        if load is not _pkcs12:  # which cannot tell a missing password from a wrong one
            raise CliError(f"The private key in the file cannot be read: {error}.") from None
        return _load(load, data, password())
    except UnsupportedAlgorithm as error:
        raise _unknown(error) from None


def _load(load: Callable[[bytes, bytes | None], KeyFile], data: bytes, password: bytes) -> KeyFile:
    try:
        return load(data, password)
    except UnsupportedAlgorithm as error:
        raise _unknown(error) from None
    except (ValueError, TypeError):
        raise CliError("The private key in the file does not open: the password is wrong, or it is damaged.") from None


def _unknown(error: UnsupportedAlgorithm) -> CliError:
    return CliError(
        f"The private key in the file is of a type, or encrypted in a way, that is not known here: {error}."
    )


def _pem(data: bytes, password: bytes | None) -> KeyFile:
    return KeyFile(load_pem_private_key(data, password))


def _ssh(data: bytes, password: bytes | None) -> KeyFile:
    return KeyFile(load_ssh_private_key(data, password))


def _der(data: bytes, password: bytes | None) -> KeyFile:
    return KeyFile(load_der_private_key(data, password))


def _pkcs12(data: bytes, password: bytes | None) -> KeyFile:
    found = load_pkcs12(data, password)
    if found.key is None:
        raise CliError("The PKCS#12 file holds no private key.")
    own = [found.cert.certificate] if found.cert else []
    return KeyFile(found.key, [*own, *(one.certificate for one in found.additional_certs)])


def _is_pkcs12(data: bytes) -> bool:
    """Tell whether DER is a PFX (RFC 7292): it begins with the version 3, a PKCS#8 key with 0 or with an algorithm."""
    return data[:1] == b"\x30" and b"\x02\x01\x03" in data[2:9]


_FORMATS: Final[dict[Format, tuple[Callable[[bytes], bool], Callable[[bytes, bytes | None], KeyFile]]]] = {
    Format.SSH: (lambda data: b"-----BEGIN OPENSSH PRIVATE KEY-----" in data, _ssh),
    Format.PEM: (lambda data: b"PRIVATE KEY-----" in data, _pem),
    Format.PKCS12: (_is_pkcs12, _pkcs12),
    Format.DER: (lambda data: data[:1] == b"\x30", _der),
}
"""How a format is recognised, and what reads it; the first that fits."""
