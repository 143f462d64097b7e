# SPDX-License-Identifier: Apache-2.0
"""Signatures and MACs, and their verification (PKCS#11 3.2, sections 5.13 and 5.15)."""

from softee.names import CKR
from softee.pkcs11_ta.abi import messages as m
from softee.pkcs11_ta.abi.command import Command, Data, Output
from softee.pkcs11_ta.abi.returns import KEY_INIT, OUTPUT, SIGN, SIGNATURE

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

COMMANDS = (SIGN_INIT, VERIFY_INIT, SIGN_UPDATE, VERIFY_UPDATE, SIGN_FINAL, VERIFY_FINAL, SIGN_ONESHOT, VERIFY_ONESHOT)
