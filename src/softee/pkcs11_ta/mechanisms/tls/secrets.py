# SPDX-License-Identifier: Apache-2.0
"""Premaster and master secrets of TLS 1.2 (PKCS#11 3.2, section 6, TLS 1.2; RFC 5246, section 8.1; RFC 7627).

A premaster secret that RSA carries begins with the client's version, which a server has to compare: the mechanisms for
it show these two bytes of the base key, whatever they are. The mechanisms for other premaster secrets show nothing.
One that is generated is there to be wrapped for the server, and so extractable unless its template says otherwise.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from softee.names import CKA, CKK, CKM
from softee.pkcs11_ta.attributes.secret_bytes import SecretBytes
from softee.pkcs11_ta.attributes.values import Attributes, Given, Parts
from softee.pkcs11_ta.keys.view import KeyView, SizeRange
from softee.pkcs11_ta.mechanisms.functions import Derived, DerivingKeys, KeyGenerating
from softee.pkcs11_ta.mechanisms.params import invalid
from softee.pkcs11_ta.mechanisms.shapes.hash_functions import HashFunction, hash_in
from softee.pkcs11_ta.mechanisms.spec import AnyMechanism, MechanismSpec
from softee.pkcs11_ta.mechanisms.tls.prf import MASTER_SIZE, SECRETS, hash_of, prf, randoms_of
from softee.pkcs11_ta.objects.rules import add_expected

_MASTER_SIZES: Final = SizeRange(MASTER_SIZE, MASTER_SIZE)
_VERSION_SIZE: Final = 2
_VERSIONS: Final = frozenset({bytes((3, minor)) for minor in (1, 2, 3)})
"""TLS 1.0 to 1.2: the highest that a client offers."""


def _version(version: bytes) -> bytes:
    if version not in _VERSIONS:
        raise invalid("the version is none of TLS 1.0, 1.1 and 1.2, in two bytes")
    return version


def _premaster(version: bytes, _: Attributes) -> Parts:
    return {CKA.VALUE: SecretBytes(version + os.urandom(MASTER_SIZE - len(version)))}


@dataclass(frozen=True, slots=True)
class MasterParams:
    """CK_TLS12_MASTER_KEY_DERIVE_PARAMS, CK_TLS12_EXTENDED_MASTER_KEY_DERIVE_PARAMS."""

    hash: HashFunction
    label: bytes
    seed: bytes
    shows_version: bool

    def shown(self) -> int:
        """Return how many bytes of the premaster secret are shown."""
        return _VERSION_SIZE if self.shows_version else 0


def _master(client: bytes, server: bytes, shows_version: int, function: int) -> MasterParams:
    return MasterParams(hash_of(function), b"master secret", randoms_of(client, server), bool(shows_version))


def _extended(function: int, session_hash: bytes, shows_version: int) -> MasterParams:
    chosen = hash_of(function)
    if len(session_hash) != chosen.size:
        raise invalid(f"a session hash of {len(session_hash)} bytes, not {chosen.size}")
    return MasterParams(chosen, b"extended master secret", session_hash, bool(shows_version))


def _templates(_: MasterParams, given: Given) -> tuple[Given]:
    master: Attributes = {CKA.KEY_TYPE: CKK.GENERIC_SECRET, CKA.VALUE_LEN: MASTER_SIZE}
    add_expected(given, master, "a master secret")
    return (given,)


def _derive(base: KeyView, params: MasterParams) -> Derived:
    master: Parts = {CKA.VALUE: SecretBytes(prf(params.hash, base, params.label, params.seed, MASTER_SIZE))}
    return Derived((master,), bytes(base.secret()[: params.shown()]))


def _spec(mechanism: CKM, params: Callable[..., MasterParams], size: SizeRange | None) -> AnyMechanism:
    def checked(*members: object) -> MasterParams:
        decoded = params(*members)
        if decoded.shows_version and size is None:
            raise invalid("pVersion must be NULL: such a premaster secret has no version")
        return decoded

    return MechanismSpec(
        mechanism=mechanism,
        key_types=SECRETS,
        key_size=size,
        params=checked,
        hashes_in=hash_in,
        functions=(DerivingKeys(templates=_templates, derive=_derive, shown=MasterParams.shown),),
    )


SPECS: tuple[AnyMechanism, ...] = (
    MechanismSpec(
        mechanism=CKM.TLS_PRE_MASTER_KEY_GEN,
        key_types=SECRETS,
        key_size=_MASTER_SIZES,
        params=_version,
        functions=(KeyGenerating(generate=_premaster, length=MASTER_SIZE, defaults={CKA.EXTRACTABLE: True}),),
    ),
    _spec(CKM.TLS12_MASTER_KEY_DERIVE, _master, _MASTER_SIZES),
    _spec(CKM.TLS12_MASTER_KEY_DERIVE_DH, _master, None),
    _spec(CKM.TLS12_EXTENDED_MASTER_KEY_DERIVE, _extended, _MASTER_SIZES),
    _spec(CKM.TLS12_EXTENDED_MASTER_KEY_DERIVE_DH, _extended, None),
)
