# SPDX-License-Identifier: Apache-2.0
"""Key management (PKCS#11 3.2, section 5.18)."""

from softee.names import CKR
from softee.pkcs11_ta.abi import messages as m
from softee.pkcs11_ta.abi.command import Command, Data, Output
from softee.pkcs11_ta.abi.returns import GENERATE, INIT, KEY_INIT, MAKE, NOT_ON_EVERY_TOKEN, OUTPUT

GENERATE_KEY = Command(
    33, "GENERATE_KEY", "C_GenerateKey", m.GenerateKey, GENERATE, output=Output.OUTPUT, output_size=4
)
DERIVE_KEY = Command(
    43,
    "DERIVE_KEY",
    "C_DeriveKey",
    m.FromKey,
    KEY_INIT | MAKE | NOT_ON_EVERY_TOKEN | {CKR.DATA_LEN_RANGE, CKR.PUBLIC_KEY_INVALID},
    output=Output.OUTPUT,
    output_size=4,
)
DERIVE_KEYS = Command(
    0x1020,
    "DERIVE_KEYS",
    "C_DeriveKey",
    m.FromKey,
    DERIVE_KEY.returns,
    output=Output.OUTPUT,
    output_layout="u32 handle of each key (0: not made), what the mechanism shows (initialization vectors, a version)",
)
GENERATE_KEY_PAIR = Command(
    50, "GENERATE_KEY_PAIR", "C_GenerateKeyPair", m.GenerateKeyPair, GENERATE, output=Output.OUTPUT, output_size=8
)
_WRAP = (
    INIT
    | OUTPUT
    | {
        CKR.KEY_HANDLE_INVALID,
        CKR.KEY_NOT_WRAPPABLE,
        CKR.KEY_SIZE_RANGE,
        CKR.KEY_UNEXTRACTABLE,
        CKR.WRAPPING_KEY_HANDLE_INVALID,
        CKR.WRAPPING_KEY_SIZE_RANGE,
        CKR.WRAPPING_KEY_TYPE_INCONSISTENT,
    }
)
WRAP_KEY = Command(51, "WRAP_KEY", "C_WrapKey", m.WrapKey, _WRAP, output=Output.STREAM)
_UNWRAP = GENERATE | {
    CKR.UNWRAPPING_KEY_HANDLE_INVALID,
    CKR.UNWRAPPING_KEY_SIZE_RANGE,
    CKR.UNWRAPPING_KEY_TYPE_INCONSISTENT,
    CKR.WRAPPED_KEY_INVALID,
    CKR.WRAPPED_KEY_LEN_RANGE,
}
UNWRAP_KEY = Command(
    52, "UNWRAP_KEY", "C_UnwrapKey", m.FromKey, _UNWRAP, data=Data.INPUT, output=Output.OUTPUT, output_size=4
)

ENCAPSULATE_KEY = Command(
    0x1024,
    "ENCAPSULATE_KEY",
    "C_EncapsulateKey",
    m.FromKey,
    GENERATE | OUTPUT | NOT_ON_EVERY_TOKEN | {CKR.KEY_HANDLE_INVALID, CKR.KEY_TYPE_INCONSISTENT},
    output=Output.STREAM,
    output_layout="u32 handle of the new key, the ciphertext",
)
DECAPSULATE_KEY = Command(
    0x1021,
    "DECAPSULATE_KEY",
    "C_DecapsulateKey",
    m.FromKey,
    _UNWRAP | NOT_ON_EVERY_TOKEN,
    data=Data.INPUT,
    output=Output.OUTPUT,
    output_size=4,
)

WRAP_KEY_AUTHENTICATED = Command(
    0x1022,
    "WRAP_KEY_AUTHENTICATED",
    "C_WrapKeyAuthenticated",
    m.WrapAuthenticated,
    _WRAP | NOT_ON_EVERY_TOKEN,
    output=Output.STREAM,
    output_layout="u32 size, nonce and tag, the wrapped key",
)
UNWRAP_KEY_AUTHENTICATED = Command(
    0x1023,
    "UNWRAP_KEY_AUTHENTICATED",
    "C_UnwrapKeyAuthenticated",
    m.UnwrapAuthenticated,
    _UNWRAP | NOT_ON_EVERY_TOKEN,
    data=Data.INPUT,
    output=Output.OUTPUT,
    output_size=4,
)

COMMANDS = (
    GENERATE_KEY,
    DERIVE_KEY,
    DERIVE_KEYS,
    GENERATE_KEY_PAIR,
    WRAP_KEY,
    UNWRAP_KEY,
    ENCAPSULATE_KEY,
    DECAPSULATE_KEY,
    WRAP_KEY_AUTHENTICATED,
    UNWRAP_KEY_AUTHENTICATED,
)
