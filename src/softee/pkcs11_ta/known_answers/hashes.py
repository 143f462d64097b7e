# SPDX-License-Identifier: Apache-2.0
"""Known answers of hash functions, and of HMAC with them."""

from typing import Final

from softee.names import CKK, CKM
from softee.pkcs11_ta.known_answers.answers import KnownAnswer, digests, signs
from softee.pkcs11_ta.known_answers.keys import secret

_hex = bytes.fromhex

_JEFE: Final = secret(CKK.GENERIC_SECRET, b"Jefe".hex())
_ASKED: Final = b"what do ya want for nothing?"

HASHES: Final[tuple[KnownAnswer, ...]] = (
    digests(
        CKM.SHA_1,
        "NIST CAVS, SHA1ShortMsg.rsp",
        data=_hex("df4bd2"),
        digest=_hex("bf36ed5d74727dfd5d7854ec6b1d49468d8ee8aa"),
    ),
    digests(
        CKM.SHA224,
        "NIST CAVS, SHA224ShortMsg.rsp",
        data=_hex("51ca3d"),
        digest=_hex("2c8959023515476e38388abb43599a29876b4b33d56adc06032de3a2"),
    ),
    digests(
        CKM.SHA384,
        "NIST CAVS, SHA384ShortMsg.rsp",
        data=_hex("1fa4d5"),
        digest=_hex("e4ca4663dff189541cd026dcc056626419028774666f5b379b99f4887c7237bdbd3bea46d5388be0efc2d4b7989ab2c4"),
    ),
    digests(
        CKM.SHA512,
        "NIST CAVS, SHA512ShortMsg.rsp",
        data=_hex("0a55db"),
        digest=_hex(
            "7952585e5330cb247d72bae696fc8a6b0f7d0804577e347d99bc1b11e52f384985a428449382306a89261ae143c2f3fb"
            "613804ab20b42dc097e5bf4a96ef919b"
        ),
    ),
    digests(
        CKM.SHA512_224,
        "NIST CAVS, SHA512_224ShortMsg.rsp",
        data=_hex("497604"),
        digest=_hex("a9c345d58a959af20a42c84e28523ba47e3bf8fad8e8c3f32b7a72ae"),
    ),
    digests(
        CKM.SHA512_256,
        "NIST CAVS, SHA512_256ShortMsg.rsp",
        data=_hex("6f63b4"),
        digest=_hex("a9e2427cec314b2814aaba87039485fc8d3ade992fa1d9acbb7f6769460a7317"),
    ),
    digests(
        CKM.SHA3_224,
        "NIST CAVS, SHA3_224ShortMsg.rsp",
        data=_hex("bf5831"),
        digest=_hex("1bb36bebde5f3cb6d8e4672acf6eec8728f31a54dacc2560da2a00cc"),
    ),
    digests(
        CKM.SHA3_256,
        "NIST CAVS, SHA3_256ShortMsg.rsp",
        data=_hex("b053fa"),
        digest=_hex("9d0ff086cd0ec06a682c51c094dc73abdc492004292344bd41b82a60498ccfdb"),
    ),
    digests(
        CKM.SHA3_384,
        "NIST CAVS, SHA3_384ShortMsg.rsp",
        data=_hex("6ab7d6"),
        digest=_hex("ea12d6d32d69ad2154a57e0e1be481a45add739ee7dd6e2a27e544b6c8b5ad122654bbf95134d567987156295d5e57db"),
    ),
    digests(
        CKM.SHA3_512,
        "NIST CAVS, SHA3_512ShortMsg.rsp",
        data=_hex("37d518"),
        digest=_hex(
            "4aa96b1547e6402c0eee781acaa660797efe26ec00b4f2e0aec4a6d10688dd64cbd7f12b3b6c7f802e2096c041208b92"
            "89aec380d1a748fdfcd4128553d781e3"
        ),
    ),
    digests(
        CKM.BLAKE2B_512,
        "RFC 7693, appendix A",
        data=_hex("616263"),
        digest=_hex(
            "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d17d87c5392aab792dc252d5de4533cc95"
            "18d38aa8dbf1925ab92386edd4009923"
        ),
    ),
    digests(
        CKM.MD5,
        "RFC 1321, appendix A.5",
        data=_hex("616263"),
        digest=_hex("900150983cd24fb0d6963f7d28e17f72"),
    ),
    signs(
        CKM.MD5_HMAC,
        "RFC 2202, 2",
        key=_JEFE,
        data=_ASKED,
        signature=_hex("750c783e6ab0b503eaa86e310a5db738"),
    ),
    signs(
        CKM.SHA_1_HMAC,
        "RFC 2202, 3",
        key=_JEFE,
        data=_ASKED,
        signature=_hex("effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"),
    ),
    signs(
        CKM.SHA224_HMAC,
        "RFC 4231, 4.3",
        key=_JEFE,
        data=_ASKED,
        signature=_hex("a30e01098bc6dbbf45690f3a7e9e6d0f8bbea2a39e6148008fd05e44"),
    ),
    signs(
        CKM.SHA384_HMAC,
        "RFC 4231, 4.3",
        key=_JEFE,
        data=_ASKED,
        signature=_hex(
            "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649"
        ),
    ),
    signs(
        CKM.SHA512_HMAC,
        "RFC 4231, 4.3",
        key=_JEFE,
        data=_ASKED,
        signature=_hex(
            "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fd"
            "caeab1a34d4a6b4b636e070a38bce737"
        ),
    ),
)
