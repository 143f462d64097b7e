# SPDX-License-Identifier: Apache-2.0
"""What a mechanism is: one frozen description that every command reads.

A mechanism's module holds cryptography only. Whether the key may be used, whether an operation is active and what fits
into the caller's buffer are decided elsewhere, once for all mechanisms.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from softee.names import CKA, CKK, CKM, CKR, MechanismFlag
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.attributes.values import Attributes, AttributeValue
from softee.pkcs11_ta.keys.view import KeyView, SizeRange

P = TypeVar("P")


class DigestOperation(Protocol):
    """An active C_Digest* operation."""

    def update(self, part: bytes | bytearray) -> None:
        """Take a part of the data."""
        ...

    def finish(self) -> bytes:
        """Return the digest."""
        ...


class SignOperation(Protocol):
    """An active C_Sign* operation."""

    def update(self, part: bytes) -> None:
        """Take a part of the data. Raises CKR_DATA_LEN_RANGE where the mechanism's limit is passed."""
        ...

    def finish(self) -> bytes:
        """Return the signature or MAC, exactly ``spec.signature_size`` bytes."""
        ...


class VerifyOperation(Protocol):
    """An active C_Verify* operation."""

    def update(self, part: bytes) -> None:
        """Take a part of the data."""
        ...

    def finish(self, signature: bytes) -> None:
        """Return where the signature is right; else raise CKR_SIGNATURE_INVALID or CKR_SIGNATURE_LEN_RANGE."""
        ...


class CipherOperation(Protocol):
    """An active C_Encrypt* or C_Decrypt* operation."""

    def update_size(self, count: int) -> int:
        """Return exactly how many bytes ``update`` would return for a part of ``count`` bytes. Changes nothing."""
        ...

    def one_shot_size(self, count: int) -> int:
        """Return the most that ``update`` of ``count`` bytes and ``finish`` can return, on a fresh operation."""
        ...

    def update(self, part: bytes) -> bytes:
        """Take a part of the data and return what can be given already."""
        ...

    def finish(self) -> bytes:
        """Return the rest. Raises CKR_DATA_LEN_RANGE, CKR_ENCRYPTED_DATA_LEN_RANGE or CKR_ENCRYPTED_DATA_INVALID."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class MechanismSpec(Generic[P]):
    """One mechanism. A function that it lacks is left out.

    ``key_types`` are those that its keys may have (of a generation mechanism: the one that it makes). ``params``
    turns the parameter's bytes as they travel into P, or raises CKR_MECHANISM_PARAM_INVALID. ``multi_part`` is False
    where the standard knows the mechanism only in one part; its operations then see one ``update``.

    ``generate_key`` gets the template's decoded attributes and returns those that generation adds (CKA_VALUE, …).
    ``generate_key_pair`` gets the public template's and returns what it adds to the public and to the private key.
    ``wrap`` and ``unwrap`` turn a key's bytes into wrapped bytes and back.
    """

    type: CKM
    key_types: frozenset[CKK] = frozenset()
    key_size: SizeRange | None = None
    params: Callable[[bytes], P]
    multi_part: bool = True
    digest: Callable[[P], DigestOperation] | None = None
    digest_size: int = 0
    sign: Callable[[KeyView, P], SignOperation] | None = None
    verify: Callable[[KeyView, P], VerifyOperation] | None = None
    signature_size: Callable[[KeyView, P], int] | None = None
    encrypt: Callable[[KeyView, P], CipherOperation] | None = None
    decrypt: Callable[[KeyView, P], CipherOperation] | None = None
    wrap: Callable[[KeyView, P, bytes | bytearray], bytes] | None = None
    unwrap: Callable[[KeyView, P, bytes], bytearray] | None = None
    generate_key: Callable[[P, Attributes], dict[CKA, AttributeValue]] | None = None
    generate_key_pair: Callable[[P, Attributes], tuple[dict[CKA, AttributeValue], dict[CKA, AttributeValue]]] | None = (
        None
    )
    flags: MechanismFlag = field(init=False)

    def __post_init__(self) -> None:
        """Derive the CK_MECHANISM_INFO flags, so that they cannot drift from the code."""
        flags = MechanismFlag(0)
        for name, flag in _FLAGS.items():
            if getattr(self, name) is not None:
                flags |= flag
        object.__setattr__(self, "flags", flags)


_FLAGS = {
    "encrypt": MechanismFlag.ENCRYPT,
    "decrypt": MechanismFlag.DECRYPT,
    "digest": MechanismFlag.DIGEST,
    "sign": MechanismFlag.SIGN,
    "verify": MechanismFlag.VERIFY,
    "generate_key": MechanismFlag.GENERATE,
    "generate_key_pair": MechanismFlag.GENERATE_KEY_PAIR,
    "wrap": MechanismFlag.WRAP,
    "unwrap": MechanismFlag.UNWRAP,
}

AnyMechanism = MechanismSpec[Any]


def no_params(raw: bytes) -> None:
    """Codec of mechanisms that take no parameter."""
    if raw:
        raise Pkcs11Error(CKR.MECHANISM_PARAM_INVALID, f"{len(raw)} bytes of parameter where none is taken")
