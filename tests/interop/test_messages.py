# SPDX-License-Identifier: Apache-2.0
"""What PKCS#11 3.x adds, through the shared object: messages, keys wrapped as messages, signatures that come first."""

import ctypes

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESCCM, AESGCM

from softee.names import CKA, CKK, CKM, CKO, CKR, GeneratorFunction, MechanismFlag, MessageFlag
from support.cryptoki import CryptokiError, Mechanism, Session, Structure, Template, Value

KEY, AAD, DATA = bytes(range(32)), b"associated", b"what is to be encrypted" * 100
END = int(MessageFlag.END_OF_MESSAGE)
ULONG = ctypes.c_ulong


def secret_key(session: Session, value: bytes = KEY, **uses: bool) -> int:
    named: dict[CKA, Value] = {CKA[name]: on for name, on in uses.items()}
    kind: dict[CKA, Value] = {CKA.CLASS: CKO.SECRET_KEY, CKA.KEY_TYPE: CKK.AES, CKA.VALUE: value}
    return session.create({**kind, **named})


def parameter(mechanism: CKM, nonce: bytes = bytes(12), tag: bytes = bytes(16)) -> Structure:
    """The parameter of a message whose nonce the token makes, where it makes any."""
    if mechanism is CKM.AES_GCM:
        return Structure(
            "CK_GCM_MESSAGE_PARAMS",
            pIv=nonce,
            ulIvLen=12,
            ivGenerator=GeneratorFunction.GENERATE,
            pTag=tag,
            ulTagBits=128,
        )
    return Structure(
        "CK_CCM_MESSAGE_PARAMS",
        ulDataLen=len(DATA),
        pNonce=nonce,
        ulNonceLen=12,
        nonceGenerator=GeneratorFunction.GENERATE,
        pMAC=tag,
        ulMACLen=16,
    )


def of_message(structure: Structure) -> tuple[object, object]:
    return structure.memory, ULONG(len(structure.memory))


def given(structure: Structure, mechanism: CKM) -> tuple[bytes, bytes]:
    """The nonce and the tag that the structure points to now."""
    names = ("pIv", "pTag") if mechanism is CKM.AES_GCM else ("pNonce", "pMAC")
    return structure.pointed(names[0]), structure.pointed(names[1])


mechanisms = pytest.mark.parametrize("mechanism", [CKM.AES_GCM, CKM.AES_CCM], ids=lambda mechanism: mechanism.name)


@mechanisms
def test_messages_go_there_and_back_whole_and_in_parts(session: Session, mechanism: CKM) -> None:
    key = secret_key(session, ENCRYPT=True, DECRYPT=True)
    library = AESGCM(KEY) if mechanism is CKM.AES_GCM else AESCCM(KEY)
    for name in ("C_MessageEncryptInit", "C_MessageDecryptInit"):
        session.call(name, ctypes.byref(Mechanism(mechanism).value), ULONG(key))
    nonces = set()
    for part_size in (len(DATA), 100):
        message, room, size = parameter(mechanism), ctypes.create_string_buffer(len(DATA)), ULONG(len(DATA))
        encrypted = b""
        if part_size == len(DATA):
            sizes = (ULONG(len(DATA)), room, ctypes.byref(size))
            session.call("C_EncryptMessage", *of_message(message), AAD, ULONG(len(AAD)), DATA, *sizes)
            encrypted = room.raw
        else:
            session.call("C_EncryptMessageBegin", *of_message(message), AAD, ULONG(len(AAD)))
            for at in range(0, len(DATA), part_size):
                size.value, part = len(DATA), DATA[at : at + part_size]
                flags = ULONG(END if at + part_size >= len(DATA) else 0)
                sizes = (ULONG(len(part)), room, ctypes.byref(size))
                session.call("C_EncryptMessageNext", *of_message(message), part, *sizes, flags)
                encrypted += room.raw[: size.value]
        nonce, tag = given(message, mechanism)
        nonces.add(nonce)
        assert library.decrypt(nonce, encrypted + tag, AAD) == DATA
        size.value = len(DATA)
        sizes = (ULONG(len(DATA)), room, ctypes.byref(size))
        back = parameter(mechanism, nonce, tag)
        session.call("C_DecryptMessage", *of_message(back), AAD, ULONG(len(AAD)), encrypted, *sizes)
        assert room.raw == DATA
        with pytest.raises(CryptokiError) as caught:
            session.call("C_DecryptMessage", *of_message(back), b"", ULONG(0), encrypted, *sizes)
        assert caught.value.rv == CKR.AEAD_DECRYPT_FAILED
    assert len(nonces) == 2
    for name in ("C_MessageEncryptFinal", "C_MessageDecryptFinal"):
        session.call(name)


@mechanisms
def test_a_key_is_wrapped_as_a_message_and_comes_back(session: Session, mechanism: CKM) -> None:
    wrapper, value = secret_key(session, WRAP=True, UNWRAP=True), bytes(range(16))
    target = secret_key(session, value, EXTRACTABLE=True)
    message = parameter(mechanism)
    if mechanism is CKM.AES_CCM:
        ctypes.memmove(message.memory, len(value).to_bytes(8, "little"), 8)
    by = Mechanism(mechanism, message)
    room, size = ctypes.create_string_buffer(64), ULONG(64)
    keys = (ctypes.byref(by.value), ULONG(wrapper), ULONG(target))
    session.call("C_WrapKeyAuthenticated", *keys, AAD, ULONG(len(AAD)), None, ctypes.byref(size))
    assert size.value == len(value)
    session.call("C_WrapKeyAuthenticated", *keys, AAD, ULONG(len(AAD)), room, ctypes.byref(size))
    nonce, tag = given(message, mechanism)
    library = AESGCM(KEY) if mechanism is CKM.AES_GCM else AESCCM(KEY)
    assert library.decrypt(nonce, room.raw[: size.value] + tag, AAD) == value


def mac_key(session: Session) -> int:
    own: Template = {CKA.CLASS: CKO.SECRET_KEY, CKA.KEY_TYPE: CKK.GENERIC_SECRET, CKA.VALUE: KEY}
    return session.create({**own, CKA.SIGN: True, CKA.VERIFY: True})


def test_a_signature_comes_before_its_data(session: Session) -> None:
    key = mac_key(session)
    by = Mechanism(CKM.SHA256_HMAC)
    signature = session.sign(by, key, DATA)
    init = (ctypes.byref(by.value), ULONG(key), signature, ULONG(len(signature)))
    session.call("C_VerifySignatureInit", *init)
    session.call("C_VerifySignature", DATA, ULONG(len(DATA)))
    session.call("C_VerifySignatureInit", *init)
    session.call("C_SessionCancel", ULONG(MechanismFlag.VERIFY))
    with pytest.raises(CryptokiError) as caught:
        session.call("C_VerifySignatureFinal")
    assert caught.value.rv == CKR.OPERATION_NOT_INITIALIZED


def test_messages_are_signed_one_after_the_other(session: Session) -> None:
    key = mac_key(session)
    by = Mechanism(CKM.SHA256_HMAC)
    expected = session.sign(by, key, DATA)
    session.call("C_MessageSignInit", ctypes.byref(by.value), ULONG(key))
    for _ in range(2):
        room, size = ctypes.create_string_buffer(32), ULONG(32)
        session.call("C_SignMessage", None, ULONG(0), DATA, ULONG(len(DATA)), room, ctypes.byref(size))
        assert room.raw == expected
    session.call("C_MessageSignFinal")
