# SPDX-License-Identifier: Apache-2.0
"""python-pkcs11 on the token, with `cryptography` as the independent check of every result."""

import hashlib
import os
import secrets
from collections.abc import Iterator
from typing import Any

import pkcs11
import pytest
from cryptography.hazmat.primitives import cmac, hashes, hmac
from cryptography.hazmat.primitives.asymmetric import ec, mldsa, mlkem, padding, rsa, utils
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7
from cryptography.hazmat.primitives.serialization import load_der_public_key
from pkcs11 import Attribute, KeyType, Mechanism, ObjectClass
from pkcs11.mechanisms import MLDSAParameterSet, MLKEMParameterSet
from pkcs11.util.ec import encode_ec_public_key, encode_named_curve_parameters

from interop.tools import LABEL, PIN, Programs

Session = Any
Key = Any
"""python-pkcs11 gives keys their functions at run time, where no type checker sees them."""

MESSAGE = b"softee signs this message" * 10
IV = bytes(range(16))


@pytest.fixture
def session(token: Programs, monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    monkeypatch.setenv("SOFTEE_SOCKET", str(token.socket))
    library = pkcs11.lib(str(token.module))
    with library.get_token(token_label=LABEL).open(rw=True, user_pin=PIN) as opened:
        yield opened


def known_aes_key(session: Session, value: bytes, **usage: bool) -> Key:
    return session.create_object(
        {
            Attribute.CLASS: ObjectClass.SECRET_KEY,
            Attribute.KEY_TYPE: KeyType.AES,
            Attribute.VALUE: value,
            Attribute.TOKEN: False,
            **{Attribute[name.upper()]: allowed for name, allowed in usage.items()},
        }
    )


@pytest.mark.parametrize("size", [16, 24, 32])
@pytest.mark.parametrize(
    ("mechanism", "mode", "padded"),
    [
        (Mechanism.AES_ECB, modes.ECB(), False),  # noqa: S305 - the mechanism under test
        (Mechanism.AES_CBC, modes.CBC(IV), False),
        (Mechanism.AES_CBC_PAD, modes.CBC(IV), True),
    ],
    ids=["ECB", "CBC", "CBC-PAD"],
)
def test_aes_encrypts_and_decrypts_as_cryptography_does(
    session: Session, size: int, mechanism: Mechanism, mode: modes.CBC | modes.ECB, *, padded: bool
) -> None:
    parameter = mode.initialization_vector if isinstance(mode, modes.CBC) else None
    value = secrets.token_bytes(size)
    key = known_aes_key(session, value, encrypt=True, decrypt=True)
    text = MESSAGE[:45] if padded else MESSAGE[:48]
    given = PKCS7(128).padder()
    expected_input = given.update(text) + given.finalize() if padded else text
    encryptor = Cipher(algorithms.AES(value), mode).encryptor()
    encrypted = bytes(key.encrypt(text, mechanism=mechanism, mechanism_param=parameter))
    assert encrypted == encryptor.update(expected_input) + encryptor.finalize()
    assert bytes(key.decrypt(encrypted, mechanism=mechanism, mechanism_param=parameter)) == text


@pytest.mark.parametrize("mechanism", [Mechanism.AES_CBC, Mechanism.AES_CBC_PAD])
def test_aes_in_pieces_gives_the_same_bytes(session: Session, mechanism: Mechanism) -> None:
    """python-pkcs11 asks for the size before each piece, which may be 0, and before the end, which may be empty."""
    key = known_aes_key(session, secrets.token_bytes(32), encrypt=True, decrypt=True)
    text = MESSAGE[:240]
    whole = bytes(key.encrypt(text, mechanism=mechanism, mechanism_param=IV))
    pieces = [text[start : start + 7] for start in range(0, len(text), 7)]
    cut = b"".join(key.encrypt(iter(pieces), mechanism=mechanism, mechanism_param=IV))
    assert cut == whole


def test_aes_cmac_is_as_cryptography_computes_it(session: Session) -> None:
    value = secrets.token_bytes(16)
    key = known_aes_key(session, value, sign=True, verify=True)
    expected = cmac.CMAC(algorithms.AES(value))
    expected.update(MESSAGE)
    code = expected.finalize()
    assert bytes(key.sign(MESSAGE, mechanism=Mechanism.AES_CMAC)) == code
    assert key.verify(MESSAGE, code, mechanism=Mechanism.AES_CMAC)
    assert not key.verify(MESSAGE + b"!", code, mechanism=Mechanism.AES_CMAC)


def test_hmac_is_as_cryptography_computes_it(session: Session) -> None:
    value = secrets.token_bytes(32)
    key = session.create_object(
        {
            Attribute.CLASS: ObjectClass.SECRET_KEY,
            Attribute.KEY_TYPE: KeyType.GENERIC_SECRET,
            Attribute.VALUE: value,
            Attribute.TOKEN: False,
            Attribute.SIGN: True,
            Attribute.VERIFY: True,
        }
    )
    expected = hmac.HMAC(value, hashes.SHA256())
    expected.update(MESSAGE)
    assert bytes(key.sign(MESSAGE, mechanism=Mechanism.SHA256_HMAC)) == expected.finalize()


@pytest.mark.parametrize("name", ["SHA1", "SHA224", "SHA256", "SHA384", "SHA512"])
def test_digests_are_hashlibs(session: Session, name: str) -> None:
    mechanism = Mechanism.SHA_1 if name == "SHA1" else Mechanism[name]
    digest = session.digest(MESSAGE, mechanism=mechanism)
    assert bytes(digest) == hashlib.new(name, MESSAGE).digest()


@pytest.fixture
def rsa_pair(session: Session) -> tuple[Key, rsa.RSAPublicKey]:
    public, private = session.generate_keypair(KeyType.RSA, 2048, store=False)
    return private, _rsa_public(public)


def _rsa_public(key: Key) -> rsa.RSAPublicKey:
    exponent = int.from_bytes(key[Attribute.PUBLIC_EXPONENT], "big")
    return rsa.RSAPublicNumbers(exponent, int.from_bytes(key[Attribute.MODULUS], "big")).public_key()


def test_rsa_pkcs1_signatures_verify(rsa_pair: tuple[Key, rsa.RSAPublicKey]) -> None:
    private, public = rsa_pair
    for mechanism, algorithm in (
        (Mechanism.SHA1_RSA_PKCS, hashes.SHA1()),  # noqa: S303 - the mechanism under test
        (Mechanism.SHA256_RSA_PKCS, hashes.SHA256()),
        (Mechanism.SHA384_RSA_PKCS, hashes.SHA384()),
        (Mechanism.SHA512_RSA_PKCS, hashes.SHA512()),
    ):
        public.verify(bytes(private.sign(MESSAGE, mechanism=mechanism)), MESSAGE, padding.PKCS1v15(), algorithm)


def test_rsa_pss_signatures_verify(rsa_pair: tuple[Key, rsa.RSAPublicKey]) -> None:
    private, public = rsa_pair
    parameter = (Mechanism.SHA256, pkcs11.MGF.SHA256, 32)
    signature = private.sign(MESSAGE, mechanism=Mechanism.SHA256_RSA_PKCS_PSS, mechanism_param=parameter)
    public.verify(bytes(signature), MESSAGE, padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256())


def test_rsa_decrypts_what_was_encrypted_outside(rsa_pair: tuple[Key, rsa.RSAPublicKey]) -> None:
    private, public = rsa_pair
    pkcs1 = public.encrypt(b"outside", padding.PKCS1v15())
    assert bytes(private.decrypt(pkcs1, mechanism=Mechanism.RSA_PKCS)) == b"outside"
    oaep = public.encrypt(b"outside", padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None))
    parameter = (Mechanism.SHA256, pkcs11.MGF.SHA256, None)
    decrypted = private.decrypt(oaep, mechanism=Mechanism.RSA_PKCS_OAEP, mechanism_param=parameter)
    assert bytes(decrypted) == b"outside"


@pytest.mark.parametrize("curve", ["secp256r1", "secp384r1", "secp521r1"])
def test_ecdsa_signatures_verify_both_ways(session: Session, curve: str) -> None:
    parameters = session.create_domain_parameters(
        KeyType.EC, {Attribute.EC_PARAMS: encode_named_curve_parameters(curve)}, local=True
    )
    public, private = parameters.generate_keypair(store=False)
    outside = load_der_public_key(encode_ec_public_key(public))
    assert isinstance(outside, ec.EllipticCurvePublicKey)
    digest = hashlib.sha256(MESSAGE).digest()
    raw = bytes(private.sign(digest, mechanism=Mechanism.ECDSA))
    r, s = (int.from_bytes(half, "big") for half in (raw[: len(raw) // 2], raw[len(raw) // 2 :]))
    outside.verify(utils.encode_dss_signature(r, s), MESSAGE, ec.ECDSA(hashes.SHA256()))
    assert public.verify(digest, raw, mechanism=Mechanism.ECDSA)
    assert not public.verify(digest, bytes(reversed(raw)), mechanism=Mechanism.ECDSA)


def test_an_aes_key_wraps_and_unwraps(session: Session) -> None:
    outer, inner = secrets.token_bytes(32), secrets.token_bytes(16)
    wrapping = known_aes_key(session, outer, wrap=True, unwrap=True)
    wrapped = wrapping.wrap_key(
        known_aes_key(session, inner, extractable=True), mechanism=Mechanism.AES_ECB, mechanism_param=None
    )
    encryptor = Cipher(algorithms.AES(outer), modes.ECB()).encryptor()  # noqa: S305 - the mechanism under test
    assert bytes(wrapped) == encryptor.update(inner) + encryptor.finalize()
    again = wrapping.unwrap_key(
        ObjectClass.SECRET_KEY,
        KeyType.AES,
        wrapped,
        mechanism=Mechanism.AES_ECB,
        template={Attribute.SENSITIVE: False, Attribute.EXTRACTABLE: True, Attribute.TOKEN: False},
    )
    assert bytes(again[Attribute.VALUE]) == inner


def test_a_sensitive_value_cannot_be_read(session: Session) -> None:
    key = session.generate_key(KeyType.AES, 256, store=False, template={Attribute.SENSITIVE: True})
    with pytest.raises(pkcs11.exceptions.AttributeSensitive):
        key[Attribute.VALUE]


def test_large_data_travels_whole(session: Session) -> None:
    """A megabyte goes in a memory file; its digest is the same."""
    data = os.urandom(1 << 20)
    assert bytes(session.digest(data, mechanism=Mechanism.SHA256)) == hashlib.sha256(data).digest()


def test_ml_dsa_signatures_verify_and_no_others(session: Session) -> None:
    asked = {Attribute.PARAMETER_SET: MLDSAParameterSet.ML_DSA_65}
    public, private = session.generate_keypair(KeyType.ML_DSA, public_template=asked)
    signature = private.sign(MESSAGE)
    mldsa.MLDSA65PublicKey.from_public_bytes(public[Attribute.VALUE]).verify(signature, MESSAGE)
    assert public.verify(MESSAGE, signature)
    assert not public.verify(MESSAGE[:-1], signature)
    assert private[Attribute.NEVER_EXTRACTABLE]


@pytest.fixture
def kem_pair(session: Session) -> tuple[Key, Key]:
    asked = {Attribute.PARAMETER_SET: MLKEMParameterSet.ML_KEM_768}
    public, private = session.generate_keypair(KeyType.ML_KEM, public_template=asked)
    return public, private


def test_ml_kem_shares_a_secret_with_who_encapsulates_outside(kem_pair: tuple[Key, Key]) -> None:
    """By C_DecapsulateKey, which the library finds in the interface for 3.2 alone."""
    public, private = kem_pair
    secret, sealed = mlkem.MLKEM768PublicKey.from_public_bytes(public[Attribute.VALUE]).encapsulate()
    key = private.decapsulate_key(sealed, KeyType.AES, key_length=256)
    expected = Cipher(algorithms.AES(secret), modes.CBC(IV)).encryptor().update(bytes(32))
    assert key.encrypt(bytes(32), mechanism=Mechanism.AES_CBC, mechanism_param=IV) == expected
    with pytest.raises(pkcs11.AttributeSensitive):
        key[Attribute.VALUE]
    shown = {Attribute.SENSITIVE: False, Attribute.EXTRACTABLE: True}
    assert private.decapsulate_key(sealed, KeyType.GENERIC_SECRET, template=shown)[Attribute.VALUE] == secret


def test_ml_kem_shares_a_secret_with_itself_and_another_for_another_ciphertext(kem_pair: tuple[Key, Key]) -> None:
    public, private = kem_pair
    shown = {Attribute.SENSITIVE: False, Attribute.EXTRACTABLE: True}
    sealed, shared = public.encapsulate_key(KeyType.GENERIC_SECRET, template=shown)
    opened = private.decapsulate_key(sealed, KeyType.GENERIC_SECRET, template=shown)
    assert opened[Attribute.VALUE] == shared[Attribute.VALUE]
    changed = private.decapsulate_key(sealed[:-1] + bytes([sealed[-1] ^ 1]), KeyType.GENERIC_SECRET, template=shown)
    assert changed[Attribute.VALUE] != shared[Attribute.VALUE], "FIPS 203 rejects it without a word"
