# SPDX-License-Identifier: Apache-2.0
"""Known answers that are computed at each start: of what opens the store, checks PINs, and is used most.

All together they take a few milliseconds, and no library that loads late.
"""

from typing import Final

from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from softee.names import CKD, CKK, CKM, HkdfSalt
from softee.pkcs11_ta.keys.curves import curve_name, oid
from softee.pkcs11_ta.known_answers.answers import KnownAnswer, computes, derives, digests, encrypts, signs, verifies
from softee.pkcs11_ta.known_answers.keys import counted, on_curve, secret, u32
from softee.pkcs11_ta.known_answers.rsa_example import RSA_KEY, SIGNED

_hex = bytes.fromhex

_P256 = oid("1.2.840.10045.3.1.7")


def _seal() -> bytes:
    cipher = AESGCMSIV(_hex("0100000000000000000000000000000000000000000000000000000000000000"))
    return cipher.encrypt(_hex("030000000000000000000000"), _hex("02000000000000000000000000000000"), _hex("01"))


def _stretch() -> bytes:
    argon = Argon2id(salt=b"\2" * 16, length=32, iterations=3, lanes=4, memory_cost=32, ad=b"\4" * 12, secret=b"\3" * 8)
    return argon.derive(b"\1" * 32)


AT_START: Final[tuple[KnownAnswer, ...]] = (
    digests(
        CKM.SHA256,
        "NIST CAVS, SHA256ShortMsg.rsp",
        data=_hex("b4190e"),
        digest=_hex("dff2e73091f6c05e528896c4c831b9448653dc2ff043528f6769437bc7b975c2"),
    ),
    signs(
        CKM.SHA256_HMAC,
        "RFC 4231, 4.3",
        key=secret(CKK.GENERIC_SECRET, b"Jefe".hex()),
        data=b"what do ya want for nothing?",
        signature=_hex("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
    ),
    encrypts(
        CKM.AES_CBC,
        "NIST CAVS, CBCMMT256.rsp",
        key=secret(CKK.AES, "dce26c6b4cfb286510da4eecd2cffe6cdf430f33db9b5f77b460679bd49d13ae"),
        parameter=_hex("fdeaa134c8d7379d457175fd1a57d3fc"),
        plain=_hex("50e9eee1ac528009e8cbcd356975881f957254b13f91d7c6662d10312052eb00"),
        encrypted=_hex("2fa0df722a9fd3b64cb18fb2b3db55ff2267422757289413f8f657507412a64c"),
    ),
    encrypts(
        CKM.AES_GCM,
        "NIST CAVS, gcmEncryptExtIV256.rsp",
        key=secret(CKK.AES, "83688deb4af8007f9b713b47cfa6c73e35ea7a3aa4ecdb414dded03bf7a0fd3a"),
        parameter=counted("0b459724904e010a46901cf3") + counted("794a14ccd178c8ebfd1379dc704c5e208f9d8424") + u32(128),
        plain=_hex("33d893a2114ce06fc15d55e454cf90c3"),
        encrypted=_hex("cc66bee423e3fcd4c0865715e95866960fb291bd3dba94a1dfd8b286cfb97ac5"),
    ),
    signs(
        CKM.SHA1_RSA_PKCS,
        "RSA Laboratories, pkcs1v15sign-vectors.txt, 1.1",
        key=RSA_KEY,
        data=SIGNED,
        signature=_hex(
            "6bc3a06656842930a247e30d5864b4d819236ba7c68965862ad7dbc4e24af28e86bb531f03358be5fb74777c6086f850"
            "caef893f0d6fcc2d0c91ec013693b4ea00b80cd49aac4ecb5f8911afe539ada4a8f3823d1d13e472d1490547c659c761"
            "7f3d24087ddb6f2b72096167fc097cab18e9a458fcb634cdce8ee35894c484d7"
        ),
    ),
    verifies(
        CKM.ECDSA_SHA256,
        "NIST CAVS, FIPS 186-3, SigGen.txt",
        key=on_curve(CKK.EC, _P256, "519b423d715f8b581f4fa8ee59f4771a5b44c8130b4e3eacca54a56dda72b464"),
        data=_hex(
            "5905238877c77421f73e43ee3da6f2d9e2ccad5fc942dcec0cbd25482935faaf416983fe165b1a045ee2bcd2e6dca3bd"
            "f46c4310a7461f9a37960ca672d3feb5473e253605fb1ddfd28065b53cb5858a8ad28175bf9bd386a5e471ea7a65c17c"
            "c934a9d791e91491eb3754d03799790fe2d308d16146d5c9b0d0debd97d79ce8"
        ),
        signature=_hex(
            "f3ac8061b514795b8843e3d6629527ed2afd6b1f6a555a7acabb5e6f79c8c2ac8bf77819ca05a6b2786c76262bf7371c"
            "ef97b218e96f175a3ccdda2acc058903"
        ),
    ),
    signs(
        CKM.EDDSA,
        "RFC 8032, 7.1, test 2",
        key=on_curve(
            CKK.EC_EDWARDS,
            curve_name("edwards25519"),
            "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        ),
        parameter=u32(0, 0),
        data=_hex("72"),
        signature=_hex(
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c"
            "387b2eaeb4302aeeb00d291612bb0c00"
        ),
    ),
    computes(
        "AES-256-GCM-SIV (the store)",
        "RFC 8452, appendix C.2",
        _seal,
        _hex("c91545823cc24f17dbb0e9e807d5ec17b292d28ff61189e8e49f3875ef91aff7"),
    ),
    computes(
        "Argon2id (PINs)",
        "RFC 9106, 5.3",
        _stretch,
        _hex("0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659"),
    ),
    derives(
        CKM.HKDF_DERIVE,
        "RFC 5869, A.1",
        key=secret(CKK.GENERIC_SECRET, "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b"),
        parameter=u32(1, 1, CKM.SHA256, HkdfSalt.HKDF_SALT_DATA)
        + counted("000102030405060708090a0b0c")
        + u32(0)
        + counted("f0f1f2f3f4f5f6f7f8f9"),
        secret=_hex("3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"),
    ),
    derives(
        CKM.ECDH1_DERIVE,
        "RFC 7748, 5.2",
        key=on_curve(
            CKK.EC_MONTGOMERY,
            curve_name("curve25519"),
            "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
        ),
        parameter=u32(CKD.NULL, 0) + counted("e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c"),
        secret=_hex("c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552"),
    ),
)
