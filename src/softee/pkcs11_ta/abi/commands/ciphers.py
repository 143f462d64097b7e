# SPDX-License-Identifier: Apache-2.0
"""Encryption and decryption (PKCS#11 3.2, sections 5.8 and 5.10)."""

from softee.pkcs11_ta.abi import messages as m
from softee.pkcs11_ta.abi.command import Command, Data, Output
from softee.pkcs11_ta.abi.returns import DECRYPT, ENCRYPT, KEY_INIT

ENCRYPT_INIT = Command(17, "ENCRYPT_INIT", "C_EncryptInit", m.WithKey, KEY_INIT)
DECRYPT_INIT = Command(18, "DECRYPT_INIT", "C_DecryptInit", m.WithKey, KEY_INIT)
ENCRYPT_UPDATE = Command(
    19, "ENCRYPT_UPDATE", "C_EncryptUpdate", m.InSession, ENCRYPT, data=Data.INPUT, output=Output.STREAM
)
DECRYPT_UPDATE = Command(
    20, "DECRYPT_UPDATE", "C_DecryptUpdate", m.InSession, DECRYPT, data=Data.INPUT, output=Output.STREAM
)
ENCRYPT_FINAL = Command(21, "ENCRYPT_FINAL", "C_EncryptFinal", m.InSession, ENCRYPT, output=Output.STREAM)
DECRYPT_FINAL = Command(22, "DECRYPT_FINAL", "C_DecryptFinal", m.InSession, DECRYPT, output=Output.STREAM)
ENCRYPT_ONESHOT = Command(
    23, "ENCRYPT_ONESHOT", "C_Encrypt", m.InSession, ENCRYPT, data=Data.INPUT, output=Output.STREAM
)
DECRYPT_ONESHOT = Command(
    24, "DECRYPT_ONESHOT", "C_Decrypt", m.InSession, DECRYPT, data=Data.INPUT, output=Output.STREAM
)

COMMANDS = (
    ENCRYPT_INIT,
    DECRYPT_INIT,
    ENCRYPT_UPDATE,
    DECRYPT_UPDATE,
    ENCRYPT_FINAL,
    DECRYPT_FINAL,
    ENCRYPT_ONESHOT,
    DECRYPT_ONESHOT,
)
