# SPDX-License-Identifier: Apache-2.0
"""What ends a TLS 1.2 handshake: the MAC of its messages' hash (PKCS#11 3.2, section 6, TLS 1.2; RFC 5246, 7.4.9)."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from cryptography.hazmat.primitives import constant_time

from softee.names import CKM
from softee.pkcs11_ta.keys.view import KeyView
from softee.pkcs11_ta.mechanisms.functions import Signing
from softee.pkcs11_ta.mechanisms.params import invalid
from softee.pkcs11_ta.mechanisms.shapes.hash_functions import HashFunction, hash_in
from softee.pkcs11_ta.mechanisms.shapes.signing import (
    BufferedSign,
    BufferedVerify,
    bad_signature,
    check_signature_size,
)
from softee.pkcs11_ta.mechanisms.spec import AnyMechanism, MechanismSpec
from softee.pkcs11_ta.mechanisms.tls.prf import SECRETS, hash_of, prf

_LABELS: Final[Mapping[int, bytes]] = MappingProxyType({1: b"server finished", 2: b"client finished"})
_SHORTEST, _LONGEST = 12, 64
"""Bytes of the MAC: what every cipher suite has unless it says more, and as many as the largest hash has."""

LARGEST_DATA: Final = 1024
"""Bytes that are held until the end. It is a hash that is authenticated."""


@dataclass(frozen=True, slots=True)
class FinishedParams:
    """CK_TLS_MAC_PARAMS."""

    hash: HashFunction
    size: int
    label: bytes


def _params(function: int, size: int, side: int) -> FinishedParams:
    if side not in _LABELS:
        raise invalid(f"ulServerOrClient {side} is neither 1, the server, nor 2, the client")
    if not _SHORTEST <= size <= _LONGEST:
        raise invalid(f"a MAC of {size} bytes was asked for, not {_SHORTEST} to {_LONGEST}")
    return FinishedParams(hash_of(function), size, _LABELS[side])


def _sign(key: KeyView, params: FinishedParams) -> BufferedSign:
    return BufferedSign(lambda data: bytes(prf(params.hash, key, params.label, data, params.size)), limit=LARGEST_DATA)


def _verify(key: KeyView, params: FinishedParams) -> BufferedVerify:
    def verify(signature: bytes, data: bytes) -> None:
        check_signature_size(signature, params.size)
        if not constant_time.bytes_eq(bytes(prf(params.hash, key, params.label, data, params.size)), signature):
            raise bad_signature()

    return BufferedVerify(verify, limit=LARGEST_DATA)


SPECS: tuple[AnyMechanism, ...] = tuple(
    MechanismSpec(
        mechanism=mechanism,
        key_types=SECRETS,
        params=_params,
        hashes_in=hash_in,
        functions=(Signing(sign=_sign, verify=_verify, size=lambda _key, params: params.size),),
    )
    for mechanism in (CKM.TLS_MAC, CKM.TLS12_MAC)
)
