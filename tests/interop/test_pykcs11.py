# SPDX-License-Identifier: Apache-2.0
"""PyKCS11 on the token: another wrapper's way through the same functions, checked against `cryptography`."""

import hashlib
from collections.abc import Iterator

import PyKCS11 as p  # noqa: N813 - its constants are its own
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from interop.tools import PIN, Programs, copied_module

MESSAGE = b"softee signs this message"
P256 = bytes.fromhex("06082a8648ce3d030107")


@pytest.fixture
def session(token: Programs, monkeypatch: pytest.MonkeyPatch) -> Iterator[p.Session]:
    """A logged-in session by a copy of the module."""
    monkeypatch.setenv("SOFTEE_SOCKET", str(token.socket))
    library = p.PyKCS11Lib()
    library.load(str(copied_module(token.module, token.directory)))
    opened = library.openSession(0, p.CKF_RW_SESSION)
    opened.login(PIN)
    yield opened
    opened.closeSession()
    library.unload()


def key_pair(session: p.Session, mechanism: int, public: list[tuple[int, object]]) -> tuple[object, object]:
    private = [(p.CKA_TOKEN, False), (p.CKA_SENSITIVE, True), (p.CKA_SIGN, True), (p.CKA_DECRYPT, True)]
    generated = session.generateKeyPair([(p.CKA_TOKEN, False), *public], private, p.Mechanism(mechanism, None))
    return generated[0], generated[1]


def rsa_pair(session: p.Session) -> tuple[rsa.RSAPublicKey, object]:
    sizes = [(p.CKA_MODULUS_BITS, 2048), (p.CKA_PUBLIC_EXPONENT, (1, 0, 1)), (p.CKA_ENCRYPT, True)]
    public, private = key_pair(session, p.CKM_RSA_PKCS_KEY_PAIR_GEN, sizes)
    modulus, exponent = session.getAttributeValue(public, [p.CKA_MODULUS, p.CKA_PUBLIC_EXPONENT])
    numbers = rsa.RSAPublicNumbers(int.from_bytes(bytes(exponent), "big"), int.from_bytes(bytes(modulus), "big"))
    return numbers.public_key(), private


def test_an_rsa_signature_verifies_outside(session: p.Session) -> None:
    public, private = rsa_pair(session)
    signature = bytes(session.sign(private, MESSAGE, p.Mechanism(p.CKM_SHA256_RSA_PKCS, None)))
    public.verify(signature, MESSAGE, padding.PKCS1v15(), hashes.SHA256())


def test_an_rsa_pss_signature_verifies_outside(session: p.Session) -> None:
    public, private = rsa_pair(session)
    mechanism = p.RSA_PSS_Mechanism(p.CKM_SHA384_RSA_PKCS_PSS, p.CKM_SHA384, p.CKG_MGF1_SHA384, 20)
    signature = bytes(session.sign(private, MESSAGE, mechanism))
    public.verify(signature, MESSAGE, padding.PSS(padding.MGF1(hashes.SHA384()), 20), hashes.SHA384())


def test_oaep_with_a_label_decrypts(session: p.Session) -> None:
    public, private = rsa_pair(session)
    encrypted = public.encrypt(MESSAGE, padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), b"label"))  # noqa: S303 - OAEP's default
    mechanism = p.RSAOAEPMechanism(p.CKM_SHA_1, p.CKG_MGF1_SHA1, b"label")
    assert bytes(session.decrypt(private, encrypted, mechanism)) == MESSAGE


def test_an_ecdsa_signature_verifies_outside(session: p.Session) -> None:
    public, private = key_pair(session, p.CKM_EC_KEY_PAIR_GEN, [(p.CKA_EC_PARAMS, tuple(P256)), (p.CKA_VERIFY, True)])
    (point,) = session.getAttributeValue(public, [p.CKA_EC_POINT])
    outside = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), bytes(point)[2:])
    raw = bytes(session.sign(private, MESSAGE, p.Mechanism(p.CKM_ECDSA_SHA256, None)))
    signature = utils.encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    outside.verify(signature, MESSAGE, ec.ECDSA(hashes.SHA256()))


def test_the_token_verifies_what_was_signed_outside(session: p.Session) -> None:
    outside = ec.generate_private_key(ec.SECP256R1())
    point = outside.public_key().public_numbers()
    encoded = b"\x04\x41\x04" + point.x.to_bytes(32, "big") + point.y.to_bytes(32, "big")
    key = session.createObject(
        [
            (p.CKA_CLASS, p.CKO_PUBLIC_KEY),
            (p.CKA_KEY_TYPE, p.CKK_EC),
            (p.CKA_TOKEN, False),
            (p.CKA_VERIFY, True),
            (p.CKA_EC_PARAMS, tuple(P256)),
            (p.CKA_EC_POINT, tuple(encoded)),
        ]
    )
    r, s = utils.decode_dss_signature(outside.sign(MESSAGE, ec.ECDSA(hashes.SHA256())))
    raw = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    mechanism = p.Mechanism(p.CKM_ECDSA_SHA256, None)
    assert session.verify(key, MESSAGE, raw, mechanism)
    assert not session.verify(key, MESSAGE + b"!", raw, mechanism)


def aes_key(session: p.Session, value: bytes, **usage: int) -> object:
    template = [
        (p.CKA_CLASS, p.CKO_SECRET_KEY),
        (p.CKA_KEY_TYPE, p.CKK_AES),
        (p.CKA_TOKEN, False),
        (p.CKA_VALUE, tuple(value)),
    ]
    return session.createObject(template + [(attribute, True) for attribute in usage.values()])


def test_aes_ctr_is_as_cryptography_computes_it(session: p.Session) -> None:
    value, block = bytes(range(32)), bytes(range(100, 116))
    key = aes_key(session, value, encrypt=p.CKA_ENCRYPT)
    mechanism = p.AES_CTR_Mechanism(128, block)
    encryptor = Cipher(algorithms.AES(value), modes.CTR(block)).encryptor()
    assert bytes(session.encrypt(key, MESSAGE, mechanism)) == encryptor.update(MESSAGE) + encryptor.finalize()


def test_a_key_is_wrapped_with_cbc(session: p.Session) -> None:
    outer, inner, iv = bytes(range(32)), bytes(range(50, 82)), bytes(16)
    wrapping = aes_key(session, outer, wrap=p.CKA_WRAP)
    wrapped = session.wrapKey(wrapping, aes_key(session, inner, out=p.CKA_EXTRACTABLE), p.Mechanism(p.CKM_AES_CBC, iv))
    encryptor = Cipher(algorithms.AES(outer), modes.CBC(iv)).encryptor()
    assert bytes(wrapped) == encryptor.update(inner) + encryptor.finalize()


@pytest.mark.parametrize("size", [1, 65_535, 65_536, 300_000])
def test_a_digest_of_any_size_is_hashlibs(session: p.Session, size: int) -> None:
    data = bytes(i % 251 for i in range(size))
    assert bytes(session.digest(data, p.Mechanism(p.CKM_SHA256, None))) == hashlib.sha256(data).digest()


def test_a_private_value_is_sensitive(session: p.Session) -> None:
    _, private = rsa_pair(session)
    assert session.getAttributeValue(private, [p.CKA_PRIVATE_EXPONENT, p.CKA_PRIME_1], allAsBinary=True) == [None, None]


def test_random_bytes_are_as_many_as_asked_for(session: p.Session) -> None:
    assert len(bytes(session.generateRandom(100_000))) == 100_000
