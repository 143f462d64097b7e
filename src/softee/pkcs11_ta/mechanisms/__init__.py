# SPDX-License-Identifier: Apache-2.0
"""The mechanisms that the token has. To add one, write a module with ``SPECS`` and list it here.

The order is C_GetMechanismList's, which follows OP-TEE's.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from softee.names import CKM
from softee.pkcs11_ta.mechanisms import (
    aes_block,
    aes_cmac,
    aes_ctr,
    aes_cts,
    aes_keygen,
    digest,
    ec_keygen,
    ecdsa,
    hmac,
    rsa_keygen,
    rsa_oaep,
    rsa_pkcs1,
    rsa_pss,
)
from softee.pkcs11_ta.mechanisms.spec import AnyMechanism

_MODULES = (
    rsa_pss,
    rsa_oaep,
    rsa_pkcs1,
    rsa_keygen,
    ecdsa,
    ec_keygen,
    hmac,
    digest,
    aes_keygen,
    aes_cmac,
    aes_cts,
    aes_ctr,
    aes_block,
)


def build_table(specs: Iterable[AnyMechanism]) -> Mapping[CKM, AnyMechanism]:
    """Return ``specs`` by type, in their order, read-only. Raises RuntimeError where two describe one mechanism."""
    table: dict[CKM, AnyMechanism] = {}
    for spec in specs:
        if spec.type in table:
            raise RuntimeError(f"CKM_{spec.type.name} is described twice")
        table[spec.type] = spec
    return MappingProxyType(table)


MECHANISMS = build_table(spec for module in _MODULES for spec in module.SPECS)
