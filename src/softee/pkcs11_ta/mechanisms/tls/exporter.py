# SPDX-License-Identifier: Apache-2.0
"""Keys out of a master secret under labels of the application's own (PKCS#11 3.2, section 6, TLS 1.2).

The context is taken as it is: an exporter as RFC 5705 has it begins with the context's length in two bytes. The new key
is protected as its base key is, as the standard says, though it tells nothing of it.
"""

from dataclasses import dataclass
from typing import Final

from softee.names import CKM
from softee.pkcs11_ta.attributes.values import Attributes, Parts
from softee.pkcs11_ta.keys.view import KeyView
from softee.pkcs11_ta.mechanisms.functions import Deriving
from softee.pkcs11_ta.mechanisms.params import invalid
from softee.pkcs11_ta.mechanisms.shapes.deriving import cut, key_size
from softee.pkcs11_ta.mechanisms.shapes.hash_functions import HashFunction, hash_in
from softee.pkcs11_ta.mechanisms.spec import AnyMechanism, MechanismSpec
from softee.pkcs11_ta.mechanisms.tls.prf import SECRETS, hash_of, prf

_MOST: Final = 65_537
"""Bytes of a label and of each that follows it: the longest context of RFC 5705, with its length."""


@dataclass(frozen=True, slots=True)
class ExporterParams:
    """CK_TLS_KDF_PARAMS."""

    hash: HashFunction
    label: bytes
    seed: bytes


def _params(function: int, label: bytes, client: bytes, server: bytes, context: bytes) -> ExporterParams:
    if not label:
        raise invalid("no label: what is derived would be like other things of the connection")
    longest = max(map(len, (label, client, server, context)))
    if longest > _MOST:
        raise invalid(f"a label, random or context of {longest} bytes; {_MOST} are allowed")
    return ExporterParams(hash_of(function), label, client + server + context)


def _derive(base: KeyView, params: ExporterParams, _: tuple[KeyView, ...], template: Attributes) -> Parts:
    return cut(prf(params.hash, base, params.label, params.seed, key_size(template)), template)


SPECS: tuple[AnyMechanism, ...] = tuple(
    MechanismSpec(
        mechanism=mechanism,
        key_types=SECRETS,
        params=_params,
        hashes_in=hash_in,
        functions=(Deriving(derive=_derive, tells=True),),
    )
    for mechanism in (CKM.TLS_KDF, CKM.TLS12_KDF)
)
