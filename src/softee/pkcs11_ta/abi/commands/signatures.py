# SPDX-License-Identifier: Apache-2.0
"""Signatures and MACs, and their verification (PKCS#11 3.2, sections 5.13 and 5.15)."""

from softee.names import CKR
from softee.pkcs11_ta.abi import messages as m
from softee.pkcs11_ta.abi.command import Command, Data, Output
from softee.pkcs11_ta.abi.returns import KEY_INIT, NOT_ON_EVERY_TOKEN, OUTPUT, SIGN, SIGNATURE, STEP

SIGN_INIT = Command(25, "SIGN_INIT", "C_SignInit", m.WithKey, KEY_INIT | {CKR.SIGNATURE_LEN_RANGE})
VERIFY_INIT = Command(26, "VERIFY_INIT", "C_VerifyInit", m.WithKey, KEY_INIT | {CKR.SIGNATURE_LEN_RANGE})
SIGN_UPDATE = Command(27, "SIGN_UPDATE", "C_SignUpdate", m.InSession, SIGN, data=Data.INPUT)
VERIFY_UPDATE = Command(28, "VERIFY_UPDATE", "C_VerifyUpdate", m.InSession, SIGN, data=Data.INPUT)
SIGN_FINAL = Command(29, "SIGN_FINAL", "C_SignFinal", m.InSession, SIGN | OUTPUT, output=Output.STREAM)
VERIFY_FINAL = Command(30, "VERIFY_FINAL", "C_VerifyFinal", m.InSession, SIGN | SIGNATURE, output=Output.INPUT)
SIGN_ONESHOT = Command(31, "SIGN_ONESHOT", "C_Sign", m.InSession, SIGN | OUTPUT, data=Data.INPUT, output=Output.STREAM)
VERIFY_ONESHOT = Command(
    32, "VERIFY_ONESHOT", "C_Verify", m.InSession, SIGN | SIGNATURE, data=Data.INPUT, output=Output.INPUT
)

SIGN_RECOVER_INIT = Command(0x1010, "SIGN_RECOVER_INIT", "C_SignRecoverInit", m.WithKey, KEY_INIT | NOT_ON_EVERY_TOKEN)
SIGN_RECOVER = Command(
    0x1011,
    "SIGN_RECOVER",
    "C_SignRecover",
    m.InSession,
    SIGN | OUTPUT | NOT_ON_EVERY_TOKEN,
    data=Data.INPUT,
    output=Output.STREAM,
)
VERIFY_RECOVER_INIT = Command(
    0x1012, "VERIFY_RECOVER_INIT", "C_VerifyRecoverInit", m.WithKey, KEY_INIT | NOT_ON_EVERY_TOKEN
)
VERIFY_RECOVER = Command(
    0x1013,
    "VERIFY_RECOVER",
    "C_VerifyRecover",
    m.InSession,
    STEP | SIGNATURE | OUTPUT | NOT_ON_EVERY_TOKEN,
    data=Data.INPUT,
    output=Output.STREAM,
)

_VERIFY_SIGNATURE = SIGN | SIGNATURE | NOT_ON_EVERY_TOKEN
VERIFY_SIGNATURE_INIT = Command(
    0x1044,
    "VERIFY_SIGNATURE_INIT",
    "C_VerifySignatureInit",
    m.WithKey,
    KEY_INIT | NOT_ON_EVERY_TOKEN | {CKR.SIGNATURE_LEN_RANGE},
    data=Data.INPUT,
)
VERIFY_SIGNATURE = Command(
    0x1045, "VERIFY_SIGNATURE", "C_VerifySignature", m.InSession, _VERIFY_SIGNATURE, data=Data.INPUT
)
VERIFY_SIGNATURE_UPDATE = Command(
    0x1046,
    "VERIFY_SIGNATURE_UPDATE",
    "C_VerifySignatureUpdate",
    m.InSession,
    SIGN | NOT_ON_EVERY_TOKEN,
    data=Data.INPUT,
)
VERIFY_SIGNATURE_FINAL = Command(
    0x1047, "VERIFY_SIGNATURE_FINAL", "C_VerifySignatureFinal", m.InSession, _VERIFY_SIGNATURE
)

COMMANDS = (
    SIGN_INIT,
    VERIFY_INIT,
    SIGN_UPDATE,
    VERIFY_UPDATE,
    SIGN_FINAL,
    VERIFY_FINAL,
    SIGN_ONESHOT,
    VERIFY_ONESHOT,
    SIGN_RECOVER_INIT,
    SIGN_RECOVER,
    VERIFY_RECOVER_INIT,
    VERIFY_RECOVER,
    VERIFY_SIGNATURE_INIT,
    VERIFY_SIGNATURE,
    VERIFY_SIGNATURE_UPDATE,
    VERIFY_SIGNATURE_FINAL,
)
