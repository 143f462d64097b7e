# SPDX-License-Identifier: Apache-2.0
"""SLH-DSA (FIPS 205) by `pqcrypto`, which calls itself unaudited: the extra ``softee[slh-dsa]`` (decision 0011).

Keys are held, read and written without it. It signs hedged alone, takes whole messages, and lets no other thread run
while it signs. So a token has the mechanisms only where its settings add them.
"""

import importlib
from dataclasses import dataclass
from importlib.util import find_spec
from types import ModuleType
from typing import TYPE_CHECKING, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    KeySerializationEncryption,
    PrivateFormat,
    PublicFormat,
)

from softee.pkcs11_ta.attributes.secret_bytes import SecretBytes
from softee.tee.late import LateModule

if TYPE_CHECKING:
    from Crypto.IO import PKCS8
    from Crypto.Util import asn1
else:
    PKCS8 = LateModule("Crypto.IO.PKCS8")
    asn1 = LateModule("Crypto.Util.asn1")

EXTRA: Final = "slh-dsa"
AVAILABLE: Final = find_spec("pqcrypto") is not None
_HASHES: Final = importlib.import_module("pqcrypto").HashAlgorithm if AVAILABLE else None
_SIGNATURES: Final = importlib.import_module("pqcrypto.sign") if AVAILABLE else None


@dataclass(frozen=True, slots=True)
class SlhDsa:
    """SLH-DSA with one parameter set: what the library calls it, its object identifier, bytes of its values."""

    name: str
    oid: str
    n: int
    signature_size: int

    @property
    def public_size(self) -> int:
        """Bytes of a public key: two hashes. A private key has two secrets before them."""
        return 2 * self.n

    def private_key(self, value: bytes | bytearray) -> "SlhDsaPrivateKey":
        """Return the key of a value. Raises ValueError for another size; that its parts fit each other is not seen."""
        if len(value) != 2 * self.public_size:
            raise ValueError(f"CKA_VALUE has {len(value)} bytes; a private key of this parameter set has {4 * self.n}")
        return SlhDsaPrivateKey(self, SecretBytes(value))

    def public_key(self, value: bytes) -> "SlhDsaPublicKey":
        """Return a public key. Raises ValueError for another size."""
        if len(value) != self.public_size:
            raise ValueError(f"CKA_VALUE has {len(value)} bytes; a public key of this parameter set has {2 * self.n}")
        return SlhDsaPublicKey(self, value)

    def generate(self) -> "SlhDsaPrivateKey":
        """Return a new key."""
        return self.private_key(SecretBytes(self.functions.keygen()[1]))

    @property
    def functions(self) -> ModuleType:
        """The library's functions for the parameter set."""
        functions: ModuleType = getattr(_SIGNATURES, f"slh_dsa_{self.name}")
        return functions


class SlhDsaPrivateKey:
    """A private key."""

    def __init__(self, algorithm: SlhDsa, value: SecretBytes) -> None:
        self.algorithm = algorithm
        self.value = value

    def public_key(self) -> "SlhDsaPublicKey":
        """Return the public key, which is the private one's second half."""
        return self.algorithm.public_key(bytes(self.value[self.algorithm.public_size :]))

    def private_bytes(self, _: Encoding, __: PrivateFormat, ___: KeySerializationEncryption, /) -> bytes:
        """Return a DER PrivateKeyInfo (RFC 9909). There is no other encoding; the arguments are `cryptography`'s."""
        return PKCS8.wrap(bytes(self.value), self.algorithm.oid, key_params=None)

    def sign(self, message: bytes, context: bytes, prehash: str | None) -> bytes:
        """Sign a message, hashed first where ``prehash`` names one of the library's hash functions."""
        signature: bytes = self.algorithm.functions.sign(bytes(self.value), message, context, _prehash(prehash))
        return signature


class SlhDsaPublicKey:
    """A public key."""

    def __init__(self, algorithm: SlhDsa, value: bytes) -> None:
        self.algorithm = algorithm
        self.value = value

    def public_bytes(self, _: Encoding, form: PublicFormat, /) -> bytes:
        """Return the value, or where anything but Raw is asked for a DER SubjectPublicKeyInfo (RFC 9909)."""
        if form is PublicFormat.Raw:
            return self.value
        algorithm = asn1.DerSequence([asn1.DerObjectId(self.algorithm.oid)])
        return asn1.DerSequence([algorithm, asn1.DerBitString(self.value)]).encode()

    def verify(self, signature: bytes, message: bytes, context: bytes, prehash: str | None) -> None:
        """Verify the signature of a message. Raises InvalidSignature."""
        try:
            self.algorithm.functions.verify(self.value, message, signature, context, _prehash(prehash))
        except ValueError:
            raise InvalidSignature from None


def _prehash(name: str | None) -> object:
    return None if name is None else getattr(_HASHES, name)


def _algorithm(name: str, arc: int, n: int, signature_size: int) -> SlhDsa:
    return SlhDsa(name, f"2.16.840.1.101.3.4.3.{arc}", n, signature_size)


SHA2_128S: Final = _algorithm("sha2_128s", 20, 16, 7856)
SHA2_128F: Final = _algorithm("sha2_128f", 21, 16, 17088)
SHA2_192S: Final = _algorithm("sha2_192s", 22, 24, 16224)
SHA2_192F: Final = _algorithm("sha2_192f", 23, 24, 35664)
SHA2_256S: Final = _algorithm("sha2_256s", 24, 32, 29792)
SHA2_256F: Final = _algorithm("sha2_256f", 25, 32, 49856)
SHAKE_128S: Final = _algorithm("shake_128s", 26, 16, 7856)
SHAKE_128F: Final = _algorithm("shake_128f", 27, 16, 17088)
SHAKE_192S: Final = _algorithm("shake_192s", 28, 24, 16224)
SHAKE_192F: Final = _algorithm("shake_192f", 29, 24, 35664)
SHAKE_256S: Final = _algorithm("shake_256s", 30, 32, 29792)
SHAKE_256F: Final = _algorithm("shake_256f", 31, 32, 49856)

ALGORITHMS: Final = (
    *(SHA2_128S, SHA2_128F, SHA2_192S, SHA2_192F, SHA2_256S, SHA2_256F),
    *(SHAKE_128S, SHAKE_128F, SHAKE_192S, SHAKE_192F, SHAKE_256S, SHAKE_256F),
)


def read(info: bytes) -> SlhDsaPrivateKey:
    """Return the key in a DER PrivateKeyInfo. Raises ValueError."""
    try:
        oid, value, parameters = PKCS8.unwrap(info)
    except IndexError:
        raise ValueError("not DER") from None  # the library's decoder runs past the end of some of it
    algorithm = next((one for one in ALGORITHMS if one.oid == oid), None)
    if algorithm is None or parameters is not None:
        raise ValueError("a key of another type")
    return algorithm.private_key(value)
