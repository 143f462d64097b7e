# SPDX-License-Identifier: Apache-2.0
"""Message authentication codes: what HMAC and CMAC have in common, whole and truncated (the GENERAL mechanisms)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from cryptography.hazmat.primitives import constant_time

from softee.names import CKK, CKM, CKR
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.keys.view import KeyView, SizeRange
from softee.pkcs11_ta.mechanisms.functions import Signing
from softee.pkcs11_ta.mechanisms.params import no_params
from softee.pkcs11_ta.mechanisms.shapes.signing import check_signature_size
from softee.pkcs11_ta.mechanisms.shapes.slices import take_slices
from softee.pkcs11_ta.mechanisms.spec import AnyMechanism, MechanismSpec


class MacContext(Protocol):
    """The library's HMAC or CMAC."""

    def update(self, data: bytes | bytearray, /) -> None:
        """Take a part of the data."""
        ...

    def finalize(self) -> bytes:
        """Return the whole MAC."""
        ...


@dataclass(frozen=True, slots=True)
class Mac:
    """A MAC algorithm: how to begin one with a key's value, the MAC's size in bytes, and the keys that it takes.

    ``hashes`` are the digest mechanisms that it is made with.
    """

    begin: Callable[[bytes | bytearray], MacContext]
    size: int
    key_types: frozenset[CKK]
    key_size: SizeRange
    hashes: frozenset[CKM] = frozenset()


class MacSign:
    """Makes the first ``length`` bytes of a MAC."""

    __slots__ = ("_context", "_length")

    def __init__(self, context: MacContext, length: int) -> None:
        self._context = context
        self._length = length

    def update(self, part: bytes | bytearray) -> None:
        """Take a part of the data."""
        take_slices(self._context.update, part)

    def finish(self) -> bytes:
        """Return the MAC."""
        return self._context.finalize()[: self._length]


class MacVerify:
    """Checks the first ``length`` bytes of a MAC."""

    __slots__ = ("_length", "_sign")

    def __init__(self, context: MacContext, length: int) -> None:
        self._sign = MacSign(context, length)
        self._length = length

    def update(self, part: bytes | bytearray) -> None:
        """Take a part of the data."""
        self._sign.update(part)

    def finish(self, signature: bytes) -> None:
        """Return where ``signature`` is the MAC, else raise. Takes the same time wherever they differ."""
        check_signature_size(signature, self._length)
        if not constant_time.bytes_eq(self._sign.finish(), signature):
            raise Pkcs11Error(CKR.SIGNATURE_INVALID, "the MAC is another one")


def whole(mechanism: CKM, mac: Mac) -> AnyMechanism:
    """Describe the mechanism that gives the whole MAC."""

    def sign(key: KeyView, _: None) -> MacSign:
        return MacSign(mac.begin(key.secret()), mac.size)

    def verify(key: KeyView, _: None) -> MacVerify:
        return MacVerify(mac.begin(key.secret()), mac.size)

    return MechanismSpec(
        mechanism=mechanism,
        key_types=mac.key_types,
        key_size=mac.key_size,
        params=no_params,
        functions=(Signing(sign=sign, verify=verify, size=lambda _key, _params: mac.size),),
    )


def mac_length(largest: int) -> Callable[[int], int]:
    """Return the check of CK_MAC_GENERAL_PARAMS, the bytes of MAC that are wanted, for a MAC of ``largest`` bytes.

    Outside of 1 to ``largest`` it answers CKR_SIGNATURE_LEN_RANGE, as OP-TEE does.
    """

    def check(length: int) -> int:
        if not 1 <= length <= largest:
            raise Pkcs11Error(CKR.SIGNATURE_LEN_RANGE, f"a MAC of {length} bytes was asked for, not 1 to {largest}")
        return length

    return check


def general(mechanism: CKM, mac: Mac) -> AnyMechanism:
    """Describe the mechanism whose parameter says how many of the MAC's first bytes are wanted."""

    def sign(key: KeyView, length: int) -> MacSign:
        return MacSign(mac.begin(key.secret()), length)

    def verify(key: KeyView, length: int) -> MacVerify:
        return MacVerify(mac.begin(key.secret()), length)

    return MechanismSpec(
        mechanism=mechanism,
        key_types=mac.key_types,
        key_size=mac.key_size,
        params=mac_length(mac.size),
        functions=(Signing(sign=sign, verify=verify, size=lambda _key, length: length),),
    )
