# SPDX-License-Identifier: Apache-2.0
"""Message digests (PKCS#11 3.2, section 5.12)."""

from softee.names import CKR
from softee.pkcs11_ta.abi import messages as m
from softee.pkcs11_ta.abi.command import Command, Data, Output
from softee.pkcs11_ta.abi.returns import INIT, OUTPUT, STEP

DIGEST_INIT = Command(45, "DIGEST_INIT", "C_DigestInit", m.WithMechanism, INIT)
DIGEST_KEY = Command(
    46,
    "DIGEST_KEY",
    "C_DigestKey",
    m.OnObject,
    STEP | {CKR.KEY_HANDLE_INVALID, CKR.KEY_INDIGESTIBLE, CKR.KEY_SIZE_RANGE},
)
DIGEST_UPDATE = Command(47, "DIGEST_UPDATE", "C_DigestUpdate", m.InSession, STEP, data=Data.INPUT)
DIGEST_FINAL = Command(48, "DIGEST_FINAL", "C_DigestFinal", m.InSession, STEP | OUTPUT, output=Output.STREAM)
DIGEST_ONESHOT = Command(
    49, "DIGEST_ONESHOT", "C_Digest", m.InSession, STEP | OUTPUT, data=Data.INPUT, output=Output.STREAM
)

COMMANDS = (DIGEST_INIT, DIGEST_KEY, DIGEST_UPDATE, DIGEST_FINAL, DIGEST_ONESHOT)
