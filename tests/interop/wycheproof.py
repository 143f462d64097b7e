# SPDX-License-Identifier: Apache-2.0
"""What Wycheproof's files ask of a token: for each kind of file, how a test of it is put to PKCS#11."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from interop.wycheproof_keys import (
    ED448,
    ED25519,
    P256,
    P384,
    X448,
    X25519,
    Group,
    ec_public,
    edwards_public,
    ml_dsa_65_public,
    ml_kem_768_private,
    rsa_private,
    rsa_public,
)
from softee.names import CKA, CKD, CKG, CKK, CKM, CKO, HkdfSalt, Pbkd2Prf, Pbkd2Salt
from support.cryptoki import CryptokiError, Mechanism, Session, Structure, Template

Test = dict[str, Any]
Put = Callable[[Session, Group, Test], None]
"""Puts one test to a token: raises CryptokiError where the token refuses, AssertionError where it answers otherwise."""

_OPEN: Template = {CKA.TOKEN: False, CKA.SENSITIVE: False, CKA.EXTRACTABLE: True}
_ALL: Template = dict.fromkeys((CKA.ENCRYPT, CKA.DECRYPT, CKA.SIGN, CKA.VERIFY, CKA.WRAP, CKA.UNWRAP, CKA.DERIVE), True)
_ULONG_SIZE = 8


def octets(test: Mapping[str, str], *names: str) -> list[bytes]:
    """Return members that are written in hexadecimal."""
    return [bytes.fromhex(test[name]) for name in names]


@contextmanager
def _made(session: Session, handle: int) -> Iterator[int]:
    """Destroy an object after its use: the next tests have their own."""
    try:
        yield handle
    finally:
        session.destroy(handle)


def _secret(session: Session, key_type: CKK, value: bytes) -> int:
    own: Template = {CKA.CLASS: CKO.SECRET_KEY, CKA.KEY_TYPE: key_type, CKA.VALUE: value}
    return session.create({**own, **_OPEN, **_ALL})


def _derived(session: Session, mechanism: Mechanism, base: int, size: int | None) -> bytes:
    """Return the value of a generic secret that is derived."""
    own: Template = {CKA.CLASS: CKO.SECRET_KEY, CKA.KEY_TYPE: CKK.GENERIC_SECRET}
    length: Template = {} if size is None else {CKA.VALUE_LEN: size}
    with _made(session, session.derive(mechanism, base, {**own, **_OPEN, **length})) as handle:
        return session.value(handle, CKA.VALUE)


def encrypts(key_type: CKK, mechanism: Callable[[Group, Test], Mechanism]) -> Put:
    """Encrypt what is valid, and decrypt everything; a tag, where there is one, follows the ciphertext."""

    def put(session: Session, group: Group, test: Test) -> None:
        key, plain, sealed, tag = octets({"tag": "", **test}, "key", "msg", "ct", "tag")
        with _made(session, _secret(session, key_type, key)) as handle:
            by = mechanism(group, test)
            assert session.decrypt(by, handle, sealed + tag) == plain
            if test["result"] == "valid":
                assert session.encrypt(by, handle, plain) == sealed + tag

    return put


def wraps(mechanism: CKM) -> Put:
    """Wrap and unwrap a generic secret."""

    def put(session: Session, _: Group, test: Test) -> None:
        key, plain, wrapped = octets(test, "key", "msg", "ct")
        by = Mechanism(mechanism)
        generic: Template = {CKA.CLASS: CKO.SECRET_KEY, CKA.KEY_TYPE: CKK.GENERIC_SECRET, **_OPEN}
        with (
            _made(session, _secret(session, CKK.AES, key)) as handle,
            _made(session, session.unwrap(by, handle, wrapped, generic)) as wanted,
        ):
            assert session.value(wanted, CKA.VALUE) == plain
            assert session.wrap(by, handle, wanted) == wrapped

    return put


def authenticates(key_type: CKK, whole: CKM, general: CKM, size: int) -> Put:
    """Make what is valid, and verify everything: a whole MAC, or by the GENERAL mechanism a part of one."""

    def put(session: Session, group: Group, test: Test) -> None:
        key, data, tag = octets(test, "key", "msg", "tag")
        wanted = group["tagSize"] // 8
        by = Mechanism(whole) if wanted == size else Mechanism(general, wanted.to_bytes(_ULONG_SIZE, "little"))
        with _made(session, _secret(session, key_type, key)) as handle:
            session.verify(by, handle, data, tag)
            if test["result"] == "valid":
                assert session.sign(by, handle, data) == tag

    return put


def authenticates_with_iv(session: Session, _: Group, test: Test) -> None:
    """Make and verify an AES-GMAC."""
    key, iv, data, tag = octets(test, "key", "iv", "msg", "tag")
    by = Mechanism(CKM.AES_GMAC, iv)
    with _made(session, _secret(session, CKK.AES, key)) as handle:
        session.verify(by, handle, data, tag)
        if test["result"] == "valid":
            assert session.sign(by, handle, data) == tag


def gcm(_: Group, test: Test) -> Mechanism:
    """CK_GCM_PARAMS."""
    iv, aad, tag = octets(test, "iv", "aad", "tag")
    sizes = {"ulIvLen": len(iv), "ulIvBits": 8 * len(iv), "ulAADLen": len(aad), "ulTagBits": 8 * len(tag)}
    return Mechanism(CKM.AES_GCM, Structure("CK_GCM_PARAMS", pIv=iv, pAAD=aad, **sizes))


def ccm(_: Group, test: Test) -> Mechanism:
    """CK_CCM_PARAMS."""
    nonce, aad, plain, tag = octets(test, "iv", "aad", "msg", "tag")
    sizes = {"ulDataLen": len(plain), "ulNonceLen": len(nonce), "ulAADLen": len(aad), "ulMACLen": len(tag)}
    return Mechanism(CKM.AES_CCM, Structure("CK_CCM_PARAMS", pNonce=nonce, pAAD=aad, **sizes))


def chacha20_poly1305(_: Group, test: Test) -> Mechanism:
    """CK_SALSA20_CHACHA20_POLY1305_PARAMS."""
    nonce, aad = octets(test, "iv", "aad")
    sizes = {"ulNonceLen": len(nonce), "ulAADLen": len(aad)}
    parameter = Structure("CK_SALSA20_CHACHA20_POLY1305_PARAMS", pNonce=nonce, pAAD=aad, **sizes)
    return Mechanism(CKM.CHACHA20_POLY1305, parameter)


def with_iv(mechanism: CKM) -> Callable[[Group, Test], Mechanism]:
    """Return what passes the initialization vector as the parameter."""
    return lambda _, test: Mechanism(mechanism, bytes.fromhex(test["iv"]))


def xts(_: Group, test: Test) -> Mechanism:
    """Pass the tweak, which Wycheproof writes without the zeros at its end."""
    return Mechanism(CKM.AES_XTS, bytes.fromhex(test["iv"]).ljust(16, b"\0"))


def exchanges(key_type: CKK, ec_params: bytes) -> Put:
    """Derive the shared secret of a private key, as bytes or as a number, and a public one."""

    def put(session: Session, _: Group, test: Test) -> None:
        (public,) = octets(test, "public")
        private = bytes.fromhex(test["private"].zfill(len(test["private"]) + len(test["private"]) % 2))
        if key_type is CKK.EC:
            private = private.lstrip(b"\0").rjust(32, b"\0")
        own: Template = {CKA.CLASS: CKO.PRIVATE_KEY, CKA.KEY_TYPE: key_type, CKA.EC_PARAMS: ec_params}
        parameter = Structure("CK_ECDH1_DERIVE_PARAMS", kdf=CKD.NULL, pPublicData=public, ulPublicDataLen=len(public))
        key = session.create({**own, CKA.VALUE: private, CKA.DERIVE: True, **_OPEN})
        with _made(session, key) as handle:
            assert _derived(session, Mechanism(CKM.ECDH1_DERIVE, parameter), handle, None).hex() == test["shared"]

    return put


def verifies(mechanism: Mechanism, public: Callable[[Group], Template]) -> Put:
    """Verify a signature by a public key."""

    def put(session: Session, group: Group, test: Test) -> None:
        data, signature = octets(test, "msg", "sig")
        with _made(session, session.create({CKA.TOKEN: False, CKA.VERIFY: True, **public(group)})) as handle:
            session.verify(mechanism, handle, data, signature)

    return put


def verifies_with_context(session: Session, group: Group, test: Test) -> None:
    """Verify an ML-DSA-65 signature, which may have a context."""
    data, signature, context = octets({"ctx": "", **test}, "msg", "sig", "ctx")
    parameter = Structure("CK_SIGN_ADDITIONAL_CONTEXT", pContext=context, ulContextLen=len(context))
    with _made(session, session.create({CKA.TOKEN: False, CKA.VERIFY: True, **ml_dsa_65_public(group)})) as handle:
        session.verify(Mechanism(CKM.ML_DSA, parameter), handle, data, signature)


def decapsulates(session: Session, _: Group, test: Test) -> None:
    """Make an ML-KEM-768 key of its seed, and the secret of a ciphertext."""
    seed, ciphertext = octets(test, "seed", "c")
    generic: Template = {CKA.CLASS: CKO.SECRET_KEY, CKA.KEY_TYPE: CKK.GENERIC_SECRET, **_OPEN}
    by = Mechanism(CKM.ML_KEM)
    with (
        _made(session, session.create({**ml_kem_768_private(seed), CKA.DECAPSULATE: True, **_OPEN})) as handle,
        _made(session, session.decapsulate(by, handle, ciphertext, generic)) as secret,
    ):
        assert session.value(secret, CKA.VALUE).hex() == test["K"]


def signs_by_hash(session: Session, group: Group, test: Test) -> None:
    """Sign with RSA PKCS #1 v1.5, by the group's hash function."""
    data, signature = octets(test, "msg", "sig")
    with _made(session, session.create(rsa_private(group))) as handle:
        assert session.sign(Mechanism(_RSA_PKCS[group["sha"]]), handle, data) == signature


_RSA_PKCS: Final = {
    "SHA-1": CKM.SHA1_RSA_PKCS,
    "SHA-224": CKM.SHA224_RSA_PKCS,
    "SHA-256": CKM.SHA256_RSA_PKCS,
    "SHA-384": CKM.SHA384_RSA_PKCS,
    "SHA-512": CKM.SHA512_RSA_PKCS,
    "SHA-512/224": CKM.SHA512_224,
    "SHA-512/256": CKM.SHA512_256,
}


def decrypts_pkcs1(session: Session, group: Group, test: Test) -> None:
    """Decrypt with RSA PKCS #1 v1.5, where a wrong padding may show in the message alone."""
    plain, sealed = octets(test, "msg", "ct")
    with _made(session, session.create(rsa_private(group))) as handle:
        opened = session.decrypt(Mechanism(CKM.RSA_PKCS), handle, sealed)
    if test["result"] == "invalid":
        assert opened != plain
        raise CryptokiError("C_Decrypt, by what it returns", 0)
    assert opened == plain


def decrypts_oaep(session: Session, group: Group, test: Test) -> None:
    """Decrypt with RSA OAEP, SHA-256 in both places."""
    plain, sealed, label = octets(test, "msg", "ct", "label")
    parameter = Structure(
        "CK_RSA_PKCS_OAEP_PARAMS",
        hashAlg=CKM.SHA256,
        mgf=CKG.MGF1_SHA256,
        source=1,
        pSourceData=label,
        ulSourceDataLen=len(label),
    )
    with _made(session, session.create(rsa_private(group))) as handle:
        assert session.decrypt(Mechanism(CKM.RSA_PKCS_OAEP, parameter), handle, sealed) == plain


def derives_hkdf(session: Session, _: Group, test: Test) -> None:
    """Derive with HKDF, extracting and expanding."""
    secret, salt, info, wanted = octets(test, "ikm", "salt", "info", "okm")
    parameter = Structure(
        "CK_HKDF_PARAMS",
        bExtract=1,
        bExpand=1,
        prfHashMechanism=CKM.SHA256,
        ulSaltType=HkdfSalt.HKDF_SALT_DATA if salt else HkdfSalt.HKDF_SALT_NULL,
        pSalt=salt,
        ulSaltLen=len(salt),
        pInfo=info,
        ulInfoLen=len(info),
    )
    with _made(session, _secret(session, CKK.HKDF, secret)) as handle:
        assert _derived(session, Mechanism(CKM.HKDF_DERIVE, parameter), handle, test["size"]) == wanted


def derives_pbkdf2(session: Session, _: Group, test: Test) -> None:
    """Make a key of a password."""
    password, salt, wanted = octets(test, "password", "salt", "dk")
    parameter = Structure(
        "CK_PKCS5_PBKD2_PARAMS2",
        saltSource=Pbkd2Salt.SALT_SPECIFIED,
        pSaltSourceData=salt,
        ulSaltSourceDataLen=len(salt),
        iterations=test["iterationCount"],
        prf=Pbkd2Prf.PKCS5_PBKD2_HMAC_SHA256,
        pPassword=password,
        ulPasswordLen=len(password),
    )
    own: Template = {CKA.CLASS: CKO.SECRET_KEY, CKA.KEY_TYPE: CKK.GENERIC_SECRET, CKA.VALUE_LEN: test["dkLen"]}
    made = session.generate(Mechanism(CKM.PKCS5_PBKD2, parameter), {**own, **_OPEN})
    with _made(session, made) as handle:
        assert session.value(handle, CKA.VALUE) == wanted


PSS = Structure("CK_RSA_PKCS_PSS_PARAMS", hashAlg=CKM.SHA256, mgf=CKG.MGF1_SHA256, sLen=32)

FILES: Final[Mapping[str, Put]] = {
    "aes_cbc_pkcs5": encrypts(CKK.AES, with_iv(CKM.AES_CBC_PAD)),
    "aes_ccm": encrypts(CKK.AES, ccm),
    "aes_cmac": authenticates(CKK.AES, CKM.AES_CMAC, CKM.AES_CMAC_GENERAL, 16),
    "aes_gcm": encrypts(CKK.AES, gcm),
    "aes_gmac": authenticates_with_iv,
    "aes_kwp": wraps(CKM.AES_KEY_WRAP_KWP),
    "aes_wrap": wraps(CKM.AES_KEY_WRAP),
    "aes_xts": encrypts(CKK.AES_XTS, xts),
    "chacha20_poly1305": encrypts(CKK.CHACHA20, chacha20_poly1305),
    "ecdh_secp256r1_ecpoint": exchanges(CKK.EC, P256),
    "ecdsa_secp256r1_sha256_p1363": verifies(Mechanism(CKM.ECDSA_SHA256), ec_public(P256)),
    "ecdsa_secp384r1_sha384_p1363": verifies(Mechanism(CKM.ECDSA_SHA384), ec_public(P384)),
    "ed25519": verifies(Mechanism(CKM.EDDSA), edwards_public(ED25519)),
    "ed448": verifies(Mechanism(CKM.EDDSA), edwards_public(ED448)),
    "hkdf_sha256": derives_hkdf,
    "hmac_sha256": authenticates(CKK.GENERIC_SECRET, CKM.SHA256_HMAC, CKM.SHA256_HMAC_GENERAL, 32),
    "hmac_sha3_256": authenticates(CKK.GENERIC_SECRET, CKM.SHA3_256_HMAC, CKM.SHA3_256_HMAC_GENERAL, 32),
    "hmac_sha512": authenticates(CKK.GENERIC_SECRET, CKM.SHA512_HMAC, CKM.SHA512_HMAC_GENERAL, 64),
    "mldsa_65_verify": verifies_with_context,
    "mlkem_768": decapsulates,
    "pbkdf2_hmacsha256": derives_pbkdf2,
    "rsa_oaep_2048_sha256_mgf1sha256": decrypts_oaep,
    "rsa_pkcs1_2048": decrypts_pkcs1,
    "rsa_pkcs1_2048_sig_gen": signs_by_hash,
    "rsa_pss_2048_sha256_mgf1_32": verifies(Mechanism(CKM.SHA256_RSA_PKCS_PSS, PSS), rsa_public),
    "rsa_signature_2048_sha256": verifies(Mechanism(CKM.SHA256_RSA_PKCS), rsa_public),
    "x25519": exchanges(CKK.EC_MONTGOMERY, X25519),
    "x448": exchanges(CKK.EC_MONTGOMERY, X448),
}
"""By name, without ``_test.json``."""
