# SPDX-License-Identifier: Apache-2.0
"""Much data in one call: 64 MiB in and out, values of 16 MiB, and what more than that is answered."""

import ctypes
import hashlib
import hmac

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from softee.names import CKA, CKK, CKM, CKO, CKR
from support.cryptoki import AttributeRow, CryptokiError, Mechanism, Session, Structure

KEY = bytes(range(32))
IV = b"twelve bytes"
MIB = 1 << 20
MUCH = bytes(range(256)) * (64 * MIB // 256)
TAG = 16


@pytest.fixture
def aes(session: Session) -> int:
    """Return the handle of KEY."""
    uses = {CKA.ENCRYPT: True, CKA.DECRYPT: True}
    return session.create({CKA.CLASS: CKO.SECRET_KEY, CKA.KEY_TYPE: CKK.AES, CKA.VALUE: KEY, **uses})


def gcm() -> Mechanism:
    return Mechanism(CKM.AES_GCM, Structure("CK_GCM_PARAMS", pIv=IV, ulIvLen=len(IV), ulTagBits=8 * TAG))


def act(session: Session, function: str, data: bytes, room: int) -> bytes:
    """Return what a function that has begun makes of data."""
    output, size = ctypes.create_string_buffer(room), ctypes.c_ulong(room)
    session.call(function, data, ctypes.c_ulong(len(data)), output, ctypes.byref(size))
    return output.raw[: size.value]


def value(session: Session, handle: int, room: int) -> bytes:
    """Return CKA_VALUE, for which there is so much room."""
    output = ctypes.create_string_buffer(room)
    row = AttributeRow(CKA.VALUE, ctypes.addressof(output), room)
    session.call("C_GetAttributeValue", ctypes.c_ulong(handle), ctypes.byref(row), ctypes.c_ulong(1))
    return output.raw[: row.size]


def test_64_mib_are_encrypted_and_decrypted_in_one_call(session: Session, aes: int) -> None:
    session.begin("C_Encrypt", gcm(), aes)
    sealed = act(session, "C_Encrypt", MUCH, len(MUCH) + TAG)
    assert AESGCM(KEY).decrypt(IV, sealed, None) == MUCH
    session.begin("C_Decrypt", gcm(), aes)
    assert act(session, "C_Decrypt", sealed, len(MUCH)) == MUCH


def test_64_mib_are_digested_and_authenticated_in_one_call(session: Session) -> None:
    session.begin("C_Digest", Mechanism(CKM.SHA256))
    assert act(session, "C_Digest", MUCH, 32) == hashlib.sha256(MUCH).digest()
    key = session.create({CKA.CLASS: CKO.SECRET_KEY, CKA.KEY_TYPE: CKK.SHA256_HMAC, CKA.VALUE: KEY, CKA.SIGN: True})
    session.begin("C_Sign", Mechanism(CKM.SHA256_HMAC), key)
    assert act(session, "C_Sign", MUCH, 32) == hmac.digest(KEY, MUCH, "sha256")


def test_more_than_an_answer_holds_is_told_and_the_session_goes_on(session: Session, aes: int) -> None:
    session.begin("C_Encrypt", gcm(), aes)
    with pytest.raises(CryptokiError) as refused:
        act(session, "C_Encrypt", MUCH + bytes(MIB), len(MUCH) + 2 * MIB)
    assert refused.value.rv == CKR.DEVICE_MEMORY
    session.begin("C_Encrypt", gcm(), aes)
    assert len(act(session, "C_Encrypt", b"data", 100)) == 4 + TAG


def test_a_data_object_of_16_mib_comes_back(session: Session) -> None:
    content = MUCH[: 16 * MIB]
    handle = session.create({CKA.CLASS: CKO.DATA, CKA.TOKEN: True, CKA.LABEL: b"much", CKA.VALUE: content})
    try:
        assert value(session, handle, len(content)) == content
    finally:
        session.destroy(handle)


def test_a_larger_data_object_is_refused(session: Session) -> None:
    with pytest.raises(CryptokiError) as refused:
        session.create({CKA.CLASS: CKO.DATA, CKA.TOKEN: True, CKA.VALUE: MUCH[: 18 * MIB]})
    assert refused.value.rv == CKR.DEVICE_MEMORY


def test_a_value_for_which_there_is_far_too_much_room_is_given(session: Session) -> None:
    handle = session.create({CKA.CLASS: CKO.DATA, CKA.VALUE: b"little"})
    assert value(session, handle, 16 * MIB) == b"little"
