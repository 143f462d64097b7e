# SPDX-License-Identifier: Apache-2.0
"""What a mechanism can do, in groups that a mechanism has as a whole or not at all.

A function gets a key and the decoded parameter (P), and returns an active operation, or does its work at once. Whether
the key may be used, whether an operation is active and what fits into the caller's buffer are decided elsewhere, once
for all mechanisms.

A function that begins an operation makes the library's object, so that C_*Init refuses a key or a parameter that does
not fit: CKR_KEY_SIZE_RANGE, CKR_MECHANISM_PARAM_INVALID. More data than the algorithm can take is CKR_DATA_LEN_RANGE,
of a ciphertext CKR_ENCRYPTED_DATA_LEN_RANGE; more than an operation holds in memory is CKR_DEVICE_MEMORY.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar, Generic, Protocol, TypeVar

from softee.names import CKA, CKO, GeneratorFunction, MechanismFlag
from softee.pkcs11_ta.attributes.values import Attributes, Given, Parts
from softee.pkcs11_ta.keys.view import KeyView

P = TypeVar("P")


class DigestOperation(Protocol):
    """An active C_Digest* operation."""

    def update(self, part: bytes | bytearray) -> None:
        """Take a part of the data."""
        ...

    def finish(self) -> bytes:
        """Return the digest."""
        ...

    def copy(self) -> "DigestOperation":
        """Return an operation of its own that is as far."""
        ...


class SignOperation(Protocol):
    """An active C_Sign* operation."""

    def update(self, part: bytes | bytearray) -> None:
        """Take a part of the data. Raises as the module says."""
        ...

    def finish(self) -> bytes:
        """Return the signature or MAC, exactly as many bytes as ``Signing.size`` says. Raises CKR_DATA_LEN_RANGE."""
        ...


class VerifyOperation(Protocol):
    """An active C_Verify* operation."""

    def update(self, part: bytes | bytearray) -> None:
        """Take a part of the data. Raises as the module says."""
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

    def whole(self, data: bytes | bytearray) -> bytes | bytearray:
        """Take all of the data and return all of the output, on a fresh operation. Raises as the two below."""
        ...

    def update(self, part: bytes | bytearray) -> bytes:
        """Take a part of the data and return what can be given already. Raises as the module says."""
        ...

    def finish(self) -> bytes:
        """Return the rest. Raises CKR_DATA_LEN_RANGE, CKR_ENCRYPTED_DATA_LEN_RANGE or CKR_ENCRYPTED_DATA_INVALID."""
        ...


@dataclass(frozen=True, slots=True)
class Functions(Generic[P]):
    """One group of functions. ``flags`` are those of C_GetMechanismInfo that a mechanism with the group has."""

    flags: ClassVar[MechanismFlag]
    described: ClassVar[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Digesting(Functions[P]):
    """C_Digest*. ``size``: bytes of a digest."""

    flags = MechanismFlag.DIGEST
    described = "digest"
    begin: Callable[[P], DigestOperation]
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Signing(Functions[P]):
    """C_Sign* and C_Verify*. ``size`` returns how many bytes a signature or MAC has."""

    flags = MechanismFlag.SIGN | MechanismFlag.VERIFY
    described = "sign or verify"
    sign: Callable[[KeyView, P], SignOperation]
    verify: Callable[[KeyView, P], VerifyOperation]
    size: Callable[[KeyView, P], int]


Recover = Callable[[bytes], bytes]
"""An active C_VerifyRecover: signature -> the data in it, or CKR_SIGNATURE_INVALID or CKR_SIGNATURE_LEN_RANGE."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovering(Functions[P]):
    """C_SignRecover and C_VerifyRecover. ``size`` returns how many bytes a signature has."""

    flags = MechanismFlag.SIGN_RECOVER | MechanismFlag.VERIFY_RECOVER
    described = "sign or verify with recovery"
    sign: Callable[[KeyView, P], SignOperation]
    recover: Callable[[KeyView, P], Recover]
    size: Callable[[KeyView, P], int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ciphering(Functions[P]):
    """C_Encrypt* and C_Decrypt*."""

    flags = MechanismFlag.ENCRYPT | MechanismFlag.DECRYPT
    described = "encrypt or decrypt"
    encrypt: Callable[[KeyView, P], CipherOperation]
    decrypt: Callable[[KeyView, P], CipherOperation]


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """The parameter of one message, as the mechanism has checked it.

    ``nonce`` is whole, or its first ``fixed_bits`` are, and ``generator`` says how the token makes the rest.
    ``tag_size`` are the bytes of the tag, which travels apart from the encrypted bytes, ``data_size`` those that the
    message will have, where the parameter says it.
    """

    nonce: bytes
    tag_size: int
    fixed_bits: int = 0
    generator: GeneratorFunction = GeneratorFunction.NO_GENERATE
    data_size: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Messaging(Functions[P]):
    """C_MessageEncrypt* and C_MessageDecrypt*: what Ciphering does, with a nonce for each message.

    ``message`` makes a Message of the values of its parameter's layout, or raises CKR_MECHANISM_PARAM_INVALID.
    ``parameter`` makes of it, whose nonce is whole, and of the associated data the parameter that Ciphering takes; so
    the tag follows the ciphertext there. ``random_bits`` is how many bits of a nonce have to be made at least, where
    they are made at random.
    """

    flags = MechanismFlag.MESSAGE_ENCRYPT | MechanismFlag.MESSAGE_DECRYPT | MechanismFlag.MULTI_MESSAGE
    described = "encrypt or decrypt messages"
    message: Callable[..., Message]
    parameter: Callable[[Message, bytes], P]
    random_bits: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrapping(Functions[P]):
    """C_WrapKey and C_UnwrapKey: a key's bytes into wrapped bytes, and back.

    ``wrap`` raises CKR_KEY_SIZE_RANGE for a value that it cannot take, CKR_WRAPPING_KEY_SIZE_RANGE for a key that it
    cannot take any with. ``unwrap`` raises CKR_WRAPPED_KEY_LEN_RANGE
    where the size alone is wrong, CKR_WRAPPED_KEY_INVALID for whatever else is, and leaves nothing of the value then;
    what it returns is wiped by its caller. ``padded``: whether the bytes decrypt at all depends on a padding, so that
    every error after decryption must be the same one. ``malleable``: wrapped bytes that somebody has cut, joined or
    altered, or that another mechanism has wrapped, are unwrapped all the same.
    """

    flags = MechanismFlag.WRAP | MechanismFlag.UNWRAP
    described = "wrap or unwrap"
    wrap: Callable[[KeyView, P, bytes | bytearray], bytes]
    unwrap: Callable[[KeyView, P, bytes], bytearray]
    padded: bool = False
    malleable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthenticatedWrapping(Functions[P]):
    """C_WrapKeyAuthenticated and C_UnwrapKeyAuthenticated, of mechanisms that have Messaging: a key as a message.

    ``wrap`` and ``unwrap`` are as those of Wrapping, with the tag behind the wrapped bytes.
    """

    flags = MechanismFlag.WRAP | MechanismFlag.UNWRAP
    described = "wrap or unwrap with authentication"
    wrap: Callable[[KeyView, P, bytes | bytearray], bytes]
    unwrap: Callable[[KeyView, P, bytes], bytearray]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyGenerating(Functions[P]):
    """C_GenerateKey: from the template's decoded attributes to those that generation adds (CKA_VALUE, …).

    ``length`` is the CKA_VALUE_LEN of all keys that it makes, which a template need not say then; None: it has to.
    ``defaults`` are of what is made for one purpose, and would be of no use with those of other keys. ``slow``: it
    takes longer than some hundred microseconds.
    """

    flags = MechanismFlag.GENERATE
    described = "generate a key"
    generate: Callable[[P, Attributes], Parts]
    length: int | None = None
    defaults: Attributes = field(default_factory=dict)
    slow: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PairGenerating(Functions[P]):
    """C_GenerateKeyPair: from the public template's attributes to what it adds to the public and the private key.

    Where the library's key is at hand, the public one's CKA_PUBLIC_KEY_INFO may be among it; else it is made later.
    ``quick_curves`` are the values of CKA_EC_PARAMS with which it takes no longer than some hundred microseconds.
    """

    flags = MechanismFlag.GENERATE_KEY_PAIR
    described = "generate a key pair"
    generate: Callable[[P, Attributes], tuple[Parts, Parts]]
    quick_curves: frozenset[bytes] = frozenset()


def no_keys(_: object) -> tuple[int, ...]:
    """Say that a parameter names no key."""
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Deriving(Functions[P]):
    """C_DeriveKey: from a base key and the new key's template to the parts that derivation adds.

    ``keys_in`` returns the handles of further keys that the parameter names (the salt of HKDF, the second key of
    CONCATENATE); ``derive`` gets them, in this order, after the checks that the base key passes too. ``makes`` is the
    class of what comes of it. ``tells``: the new key shows bytes of the keys that it is made of, so it is protected as
    all of them are. ``apart_from`` is a usage by which the base key's user could compute the new key: where usages are
    kept apart, and on a board, a key that has it derives nothing.
    """

    flags = MechanismFlag.DERIVE
    described = "derive a key"
    derive: Callable[[KeyView, P, tuple[KeyView, ...], Attributes], Parts]
    keys_in: Callable[[P], tuple[int, ...]] = no_keys
    makes: CKO = CKO.SECRET_KEY
    tells: bool = False
    apart_from: CKA | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Encapsulating(Functions[P]):
    """C_EncapsulateKey and C_DecapsulateKey: a secret that whoever has the public key shares with the private key.

    Both get the new key's template and return the parts that the secret adds to it (``shapes/deriving.py``).
    ``encapsulate`` also returns the ciphertext, which has ``size`` bytes, and ``decapsulate`` takes one. It raises
    CKR_WRAPPED_KEY_LEN_RANGE where the size alone is wrong, CKR_WRAPPED_KEY_INVALID for whatever else is.
    """

    flags = MechanismFlag.ENCAPSULATE | MechanismFlag.DECAPSULATE
    described = "encapsulate or decapsulate"
    encapsulate: Callable[[KeyView, P, Attributes], tuple[bytes, Parts]]
    decapsulate: Callable[[KeyView, P, bytes, Attributes], Parts]
    size: Callable[[KeyView, P], int]


@dataclass(frozen=True, slots=True)
class Derived:
    """What comes of a derivation of several keys: the parts of each, and the bytes that are shown beside them."""

    keys: tuple[Parts, ...]
    shown: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class DerivingKeys(Functions[P]):
    """C_DeriveKey of a mechanism that answers more than the handle of one key: several handles, or bytes beside them.

    ``templates`` returns from the caller's template those of the keys, in the order of their handles; None stands where
    there is no key. ``derive`` returns the parts of those that there are. ``shown`` is how many bytes are shown.
    ``inherits``: CKA_SENSITIVE and CKA_EXTRACTABLE are the base key's.
    """

    flags = MechanismFlag.DERIVE
    described = "derive several keys, or bytes beside a key"
    templates: Callable[[P, Given], tuple[Given | None, ...]]
    derive: Callable[[KeyView, P], Derived]
    shown: Callable[[P], int]
    inherits: bool = False
