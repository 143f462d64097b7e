# SPDX-License-Identifier: Apache-2.0
"""The mechanisms that the token can have, by family. To add one, write a module in its family's folder.

The order is C_GetMechanismList's, which follows OP-TEE's.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from softee.names import CKM
from softee.pkcs11_ta.keys import slh_dsa_library
from softee.pkcs11_ta.mechanisms import (
    aes,
    chacha20,
    derivation,
    des3,
    dh,
    ec,
    hash_based,
    hashes,
    lattice,
    rsa,
    secret,
    tls,
)
from softee.pkcs11_ta.mechanisms.spec import AnyMechanism

_FAMILIES = (rsa, ec, dh, lattice, hash_based, hashes, secret, aes, chacha20, des3, derivation, tls)


def build_table(specs: Iterable[AnyMechanism]) -> Mapping[CKM, AnyMechanism]:
    """Return ``specs`` by type, in their order, read-only. Raises RuntimeError where two describe one mechanism."""
    table: dict[CKM, AnyMechanism] = {}
    for spec in specs:
        if spec.mechanism in table:
            raise RuntimeError(f"CKM_{spec.mechanism.name} is described twice")
        table[spec.mechanism] = spec
    return MappingProxyType(table)


MECHANISMS = build_table(spec for family in _FAMILIES for spec in family.SPECS)

MISSING: Mapping[CKM, str] = {
    spec.mechanism: slh_dsa_library.EXTRA for spec in hash_based.SPECS if not slh_dsa_library.AVAILABLE
}
"""Those that need an extra of the package which is not installed."""
