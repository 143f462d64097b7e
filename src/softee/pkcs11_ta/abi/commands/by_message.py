# SPDX-License-Identifier: Apache-2.0
"""Encryption, decryption, signatures and their verification message by message (PKCS#11 3.2, 5.9, 5.11, 5.14, 5.16).

What encryption and decryption give begins with the bytes that go where the message's parameter points, after their
number; those that the caller gets come behind.
"""

from softee.names import CKR
from softee.pkcs11_ta.abi import messages as m
from softee.pkcs11_ta.abi.command import Command, Data, Output
from softee.pkcs11_ta.abi.returns import (
    DECRYPT_BY_MESSAGE,
    ENCRYPT_BY_MESSAGE,
    MESSAGE_BEGIN,
    MESSAGE_INIT,
    NOT_ON_EVERY_TOKEN,
    OUTPUT,
    SIGN,
    SIGNATURE,
    STEP,
)

_FINAL = STEP | NOT_ON_EVERY_TOKEN
_SIGN = SIGN | OUTPUT | NOT_ON_EVERY_TOKEN
_VERIFY = SIGN | SIGNATURE | NOT_ON_EVERY_TOKEN

MESSAGE_ENCRYPT_INIT = Command(0x1030, "MESSAGE_ENCRYPT_INIT", "C_MessageEncryptInit", m.WithKey, MESSAGE_INIT)
ENCRYPT_MESSAGE = Command(
    0x1031,
    "ENCRYPT_MESSAGE",
    "C_EncryptMessage",
    m.OnMessage,
    ENCRYPT_BY_MESSAGE,
    data=Data.INPUT,
    output=Output.STREAM,
    output_layout="u32 size, nonce and tag, the encrypted message",
)
ENCRYPT_MESSAGE_BEGIN = Command(
    0x1032,
    "ENCRYPT_MESSAGE_BEGIN",
    "C_EncryptMessageBegin",
    m.OnMessage,
    MESSAGE_BEGIN | OUTPUT,
    output=Output.STREAM,
    output_layout="u32 size, nonce",
)
ENCRYPT_MESSAGE_NEXT = Command(
    0x1033,
    "ENCRYPT_MESSAGE_NEXT",
    "C_EncryptMessageNext",
    m.PartOfMessage,
    ENCRYPT_BY_MESSAGE,
    data=Data.INPUT,
    output=Output.STREAM,
    output_layout="u32 size, tag (with the last part), the encrypted part",
)
MESSAGE_ENCRYPT_FINAL = Command(0x1034, "MESSAGE_ENCRYPT_FINAL", "C_MessageEncryptFinal", m.InSession, _FINAL)

MESSAGE_DECRYPT_INIT = Command(0x1035, "MESSAGE_DECRYPT_INIT", "C_MessageDecryptInit", m.WithKey, MESSAGE_INIT)
DECRYPT_MESSAGE = Command(
    0x1036,
    "DECRYPT_MESSAGE",
    "C_DecryptMessage",
    m.SealedMessage,
    DECRYPT_BY_MESSAGE,
    data=Data.INPUT,
    output=Output.STREAM,
    output_layout="u32 0, the message",
)
DECRYPT_MESSAGE_BEGIN = Command(0x1037, "DECRYPT_MESSAGE_BEGIN", "C_DecryptMessageBegin", m.OnMessage, MESSAGE_BEGIN)
DECRYPT_MESSAGE_NEXT = Command(
    0x1038,
    "DECRYPT_MESSAGE_NEXT",
    "C_DecryptMessageNext",
    m.SealedPart,
    DECRYPT_BY_MESSAGE,
    data=Data.INPUT,
    output=Output.STREAM,
    output_layout="u32 0, the message (with the last part)",
)
MESSAGE_DECRYPT_FINAL = Command(0x1039, "MESSAGE_DECRYPT_FINAL", "C_MessageDecryptFinal", m.InSession, _FINAL)

MESSAGE_SIGN_INIT = Command(
    0x103A, "MESSAGE_SIGN_INIT", "C_MessageSignInit", m.WithKey, MESSAGE_INIT | {CKR.SIGNATURE_LEN_RANGE}
)
SIGN_MESSAGE = Command(
    0x103B, "SIGN_MESSAGE", "C_SignMessage", m.InSession, _SIGN, data=Data.INPUT, output=Output.STREAM
)
SIGN_MESSAGE_BEGIN = Command(0x103C, "SIGN_MESSAGE_BEGIN", "C_SignMessageBegin", m.InSession, _FINAL)
SIGN_MESSAGE_NEXT = Command(
    0x103D,
    "SIGN_MESSAGE_NEXT",
    "C_SignMessageNext",
    m.PartOfMessage,
    _SIGN,
    data=Data.INPUT,
    output=Output.STREAM,
)
MESSAGE_SIGN_FINAL = Command(0x103E, "MESSAGE_SIGN_FINAL", "C_MessageSignFinal", m.InSession, _FINAL)

MESSAGE_VERIFY_INIT = Command(
    0x103F, "MESSAGE_VERIFY_INIT", "C_MessageVerifyInit", m.WithKey, MESSAGE_INIT | {CKR.SIGNATURE_LEN_RANGE}
)
VERIFY_MESSAGE = Command(
    0x1040, "VERIFY_MESSAGE", "C_VerifyMessage", m.InSession, _VERIFY, data=Data.INPUT, output=Output.INPUT
)
VERIFY_MESSAGE_BEGIN = Command(0x1041, "VERIFY_MESSAGE_BEGIN", "C_VerifyMessageBegin", m.InSession, _FINAL)
VERIFY_MESSAGE_NEXT = Command(
    0x1042,
    "VERIFY_MESSAGE_NEXT",
    "C_VerifyMessageNext",
    m.PartOfMessage,
    _VERIFY,
    data=Data.INPUT,
    output=Output.INPUT,
)
MESSAGE_VERIFY_FINAL = Command(0x1043, "MESSAGE_VERIFY_FINAL", "C_MessageVerifyFinal", m.InSession, _FINAL)

COMMANDS = (
    MESSAGE_ENCRYPT_INIT,
    ENCRYPT_MESSAGE,
    ENCRYPT_MESSAGE_BEGIN,
    ENCRYPT_MESSAGE_NEXT,
    MESSAGE_ENCRYPT_FINAL,
    MESSAGE_DECRYPT_INIT,
    DECRYPT_MESSAGE,
    DECRYPT_MESSAGE_BEGIN,
    DECRYPT_MESSAGE_NEXT,
    MESSAGE_DECRYPT_FINAL,
    MESSAGE_SIGN_INIT,
    SIGN_MESSAGE,
    SIGN_MESSAGE_BEGIN,
    SIGN_MESSAGE_NEXT,
    MESSAGE_SIGN_FINAL,
    MESSAGE_VERIFY_INIT,
    VERIFY_MESSAGE,
    VERIFY_MESSAGE_BEGIN,
    VERIFY_MESSAGE_NEXT,
    MESSAGE_VERIFY_FINAL,
)
