# SPDX-License-Identifier: Apache-2.0
"""What few programs call, through the shared object: two operations at once, saved ones, recovery, waiting."""

import ctypes
import hashlib
from concurrent.futures import ThreadPoolExecutor

import pytest
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from softee.names import CKA, CKK, CKM, CKO, CKR
from support.cryptoki import CryptokiError, Mechanism, Module, Session, Value

KEY, IV = bytes(range(16)), bytes(16)
PARTS = (b"a part that fills more than a block", b"", b"x", bytes(100))
WHOLE = b"".join(PARTS)
SHA256, CBC_PAD, MAC = Mechanism(CKM.SHA256), Mechanism(CKM.AES_CBC_PAD, IV), Mechanism(CKM.SHA256_HMAC)
ENCRYPTOR = Cipher(algorithms.AES(KEY), modes.CBC(IV)).encryptor()
PADDING = 16 - len(WHOLE) % 16
ENCRYPTED = ENCRYPTOR.update(WHOLE + bytes([PADDING]) * PADDING) + ENCRYPTOR.finalize()


def secret_key(session: Session, key_type: CKK, *uses: CKA) -> int:
    open_key: dict[CKA, Value] = {CKA.SENSITIVE: False, CKA.EXTRACTABLE: True, CKA.VALUE: KEY * 2}
    if key_type is CKK.AES:
        open_key[CKA.VALUE] = KEY
    kind: dict[CKA, Value] = {CKA.CLASS: CKO.SECRET_KEY, CKA.KEY_TYPE: key_type, CKA.TOKEN: False}
    return session.create({**kind, **open_key, **dict.fromkeys(uses, True)})


def refused(function: object, *arguments: object) -> int:
    assert callable(function)
    with pytest.raises(CryptokiError) as caught:
        function(*arguments)
    return caught.value.rv


def test_a_part_is_digested_and_encrypted_and_back(session: Session) -> None:
    key = secret_key(session, CKK.AES, CKA.ENCRYPT, CKA.DECRYPT)
    session.begin("C_Digest", SHA256)
    session.begin("C_Encrypt", CBC_PAD, key)
    assert session.size("C_DigestEncryptUpdate", PARTS[0]) == 32
    encrypted = b"".join(session.update("C_DigestEncryptUpdate", part) for part in PARTS)
    assert encrypted + session.finish("C_EncryptFinal") == ENCRYPTED
    assert session.finish("C_DigestFinal") == hashlib.sha256(WHOLE).digest()
    session.begin("C_Digest", SHA256)
    session.begin("C_Decrypt", CBC_PAD, key)
    decrypted = b"".join(session.update("C_DecryptDigestUpdate", ENCRYPTED[at : at + 40]) for at in range(0, 200, 40))
    last = session.finish("C_DecryptFinal")
    assert decrypted + last == WHOLE
    assert session.finish("C_DigestFinal") == hashlib.sha256(decrypted).digest(), (
        "the last part is the caller's to digest"
    )


def test_a_part_is_signed_and_encrypted_and_back(session: Session) -> None:
    key = secret_key(session, CKK.AES, CKA.ENCRYPT, CKA.DECRYPT)
    mac_key = secret_key(session, CKK.GENERIC_SECRET, CKA.SIGN, CKA.VERIFY)
    session.begin("C_Sign", MAC, mac_key)
    session.begin("C_Encrypt", CBC_PAD, key)
    encrypted = b"".join(session.update("C_SignEncryptUpdate", part) for part in PARTS)
    assert encrypted + session.finish("C_EncryptFinal") == ENCRYPTED
    signature = session.finish("C_SignFinal")
    assert signature == session.sign(MAC, mac_key, WHOLE)
    for right, expected in ((WHOLE, None), (WHOLE[:-1], CKR.SIGNATURE_INVALID)):
        ciphertext = session.encrypt(CBC_PAD, key, right)
        session.begin("C_Verify", MAC, mac_key)
        session.begin("C_Decrypt", CBC_PAD, key)
        session.update("C_DecryptVerifyUpdate", ciphertext)
        session.take("C_VerifyUpdate", session.finish("C_DecryptFinal"))
        if expected is None:
            session.take("C_VerifyFinal", signature)
        else:
            assert refused(session.take, "C_VerifyFinal", signature) == expected


def test_without_the_second_operation_nothing_is_encrypted_either(session: Session) -> None:
    key = secret_key(session, CKK.AES, CKA.ENCRYPT)
    session.begin("C_Encrypt", CBC_PAD, key)
    assert refused(session.update, "C_DigestEncryptUpdate", WHOLE) == CKR.OPERATION_NOT_INITIALIZED
    assert refused(session.finish, "C_EncryptFinal") == CKR.OPERATION_NOT_INITIALIZED


def test_a_digest_goes_on_from_where_it_was_saved(session: Session) -> None:
    session.begin("C_Digest", SHA256)
    assert refused(session.restore, b"no state") == CKR.SAVED_STATE_INVALID
    session.take("C_DigestUpdate", b"a")
    state = session.finish("C_GetOperationState")
    session.take("C_DigestUpdate", b"b")
    assert session.finish("C_DigestFinal") == hashlib.sha256(b"ab").digest()
    session.restore(state)
    session.take("C_DigestUpdate", b"c")
    assert session.finish("C_DigestFinal") == hashlib.sha256(b"ac").digest()


def private_numbers(key: rsa.RSAPrivateKey) -> dict[CKA, bytes]:
    numbers = key.private_numbers()
    public = numbers.public_numbers
    parts = {
        CKA.MODULUS: public.n,
        CKA.PUBLIC_EXPONENT: public.e,
        CKA.PRIVATE_EXPONENT: numbers.d,
        CKA.PRIME_1: numbers.p,
        CKA.PRIME_2: numbers.q,
    }
    return {part: value.to_bytes((value.bit_length() + 7) // 8, "big") for part, value in parts.items()}


def test_a_signature_with_recovery_is_the_same_outside(session: Session) -> None:
    key = rsa.generate_private_key(65537, 2048)
    own = private_numbers(key)
    private = session.create({CKA.CLASS: CKO.PRIVATE_KEY, CKA.KEY_TYPE: CKK.RSA, CKA.TOKEN: False, **own})
    signature = session.run("C_SignRecover", Mechanism(CKM.RSA_PKCS), private, b"data")
    assert key.public_key().recover_data_from_signature(signature, padding.PKCS1v15(), None) == b"data"
    known = {part: own[part] for part in (CKA.MODULUS, CKA.PUBLIC_EXPONENT)}
    public = session.create({CKA.CLASS: CKO.PUBLIC_KEY, CKA.KEY_TYPE: CKK.RSA, CKA.TOKEN: False, **known})
    assert session.run("C_VerifyRecover", Mechanism(CKM.RSA_PKCS), public, signature) == b"data"


def test_whoever_waits_for_a_slot_event_is_told_of_the_end(loaded: Module) -> None:
    slot = ctypes.byref(ctypes.c_ulong())
    assert refused(loaded.call, "C_WaitForSlotEvent", ctypes.c_ulong(1), slot, None) == CKR.NO_EVENT
    with ThreadPoolExecutor() as threads:
        waiting = threads.submit(refused, loaded.call, "C_WaitForSlotEvent", ctypes.c_ulong(0), slot, None)
        loaded.close()
        assert waiting.result(20) == CKR.CRYPTOKI_NOT_INITIALIZED
