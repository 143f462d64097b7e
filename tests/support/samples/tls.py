# SPDX-License-Identifier: Apache-2.0
"""TLS 1.2's keys, and the parameters that their mechanisms take."""

from softee.names import CKK, CKM
from softee.pkcs11_ta.keys.view import KeyView
from softee.pkcs11_ta.mechanisms.tls.prf import MASTER_SIZE, RANDOM_SIZE
from support import keys
from support.mechanism_runs import counted, u32
from support.samples.sample import MechanismSample, ObjectSample

CLIENT, SERVER = bytes(range(RANDOM_SIZE)), bytes(range(100, 100 + RANDOM_SIZE))
TLS_1_2 = bytes((3, 3))


def _premaster() -> KeyView:
    return keys.secret_key(TLS_1_2 + bytes(range(2, MASTER_SIZE)), CKK.GENERIC_SECRET)


def _shared() -> KeyView:
    return keys.secret_key(bytes(range(32)), CKK.GENERIC_SECRET)


def master(
    client: bytes = CLIENT, server: bytes = SERVER, *, version: bool = False, function: int = CKM.SHA256
) -> bytes:
    """Return CK_TLS12_MASTER_KEY_DERIVE_PARAMS as it travels."""
    return counted(client) + counted(server) + u32(version, function)


def extended(session_hash: bytes, *, version: bool = False, function: int = CKM.SHA256) -> bytes:
    """Return CK_TLS12_EXTENDED_MASTER_KEY_DERIVE_PARAMS as it travels."""
    return u32(function) + counted(session_hash) + u32(version)


def key_block(
    mac_bits: int,
    key_bits: int,
    iv_bits: int,
    client: bytes = CLIENT,
    server: bytes = SERVER,
    *,
    export: bool = False,
    function: int = CKM.SHA256,
) -> bytes:
    """Return CK_TLS12_KEY_MAT_PARAMS as it travels."""
    return u32(mac_bits, key_bits, iv_bits, export) + counted(client) + counted(server) + u32(function)


def exporter(
    label: bytes, client: bytes = CLIENT, server: bytes = SERVER, context: bytes = b"", *, function: int = CKM.SHA256
) -> bytes:
    """Return CK_TLS_KDF_PARAMS as it travels."""
    return u32(function) + counted(label) + counted(client) + counted(server) + counted(context)


def finished(side: int, size: int = 12, *, function: int = CKM.SHA256) -> bytes:
    """Return CK_TLS_MAC_PARAMS as it travels."""
    return u32(function, size, side)


_BLOCKS = (
    MechanismSample(_premaster, key_block(160, 256, 128)),
    MechanismSample(_premaster, key_block(0, 128, 32, function=CKM.SHA384)),
    MechanismSample(_premaster, key_block(256, 0, 0)),
)
_EXPORTED = MechanismSample(_premaster, exporter(b"EXPERIMENTAL", context=b"context"))
_MACS = (MechanismSample(_premaster, finished(1)), MechanismSample(_premaster, finished(2, 48, function=CKM.SHA512)))

MECHANISMS = {
    CKM.TLS_PRE_MASTER_KEY_GEN: MechanismSample(parameter=TLS_1_2),
    CKM.TLS12_MASTER_KEY_DERIVE: (
        MechanismSample(_premaster, master(version=True)),
        MechanismSample(_premaster, master(function=CKM.SHA384)),
    ),
    CKM.TLS12_MASTER_KEY_DERIVE_DH: MechanismSample(_shared, master()),
    CKM.TLS12_EXTENDED_MASTER_KEY_DERIVE: MechanismSample(_premaster, extended(bytes(32), version=True)),
    CKM.TLS12_EXTENDED_MASTER_KEY_DERIVE_DH: MechanismSample(_shared, extended(bytes(64), function=CKM.SHA512)),
    CKM.TLS12_KEY_AND_MAC_DERIVE: _BLOCKS,
    CKM.TLS12_KEY_SAFE_DERIVE: _BLOCKS,
    CKM.TLS_KDF: _EXPORTED,
    CKM.TLS12_KDF: _EXPORTED,
    CKM.TLS_MAC: _MACS,
    CKM.TLS12_MAC: _MACS,
}

OBJECTS: dict[str, ObjectSample] = {}
