# SPDX-License-Identifier: Apache-2.0
"""Known answers of AES in its modes, ChaCha20, Poly1305 and Triple DES."""

from typing import Final

from softee.names import CKK, CKM
from softee.pkcs11_ta.known_answers.answers import KnownAnswer, encrypts, signs, wraps
from softee.pkcs11_ta.known_answers.keys import counted, secret, u32

_hex = bytes.fromhex

CIPHERS: Final[tuple[KnownAnswer, ...]] = (
    encrypts(
        CKM.AES_ECB,
        "NIST CAVS, ECBMMT256.rsp",
        key=secret(CKK.AES, "7a52e4d342aa07255a7e7c34266cf7302abe2d4dd7ec4468a46187ee61825ffa"),
        plain=_hex("7e771c6ee4b26db89050e982ba7e9803c8da34606434dd85d2910e538076d001"),
        encrypted=_hex("a91d8b2ddf37520bc469470ad0dd6394923143ce55386beb1f9c4bd51584658e"),
    ),
    encrypts(
        CKM.AES_CTR,
        "RFC 3686, 6, test vector 7",
        key=secret(CKK.AES, "776beff2851db06f4c8a0542c8696f6c6a81af1eec96b4d37fc1d689e6c1c104"),
        parameter=u32(32) + _hex("00000060db5672c97aa8f0b200000001"),
        plain=_hex("53696e676c6520626c6f636b206d7367"),
        encrypted=_hex("145ad01dbf824ec7560863dc71e3e0c0"),
    ),
    encrypts(
        CKM.AES_CCM,
        "Wycheproof, aes_ccm_test.json, 168",
        key=secret(CKK.AES, "b907a45075513fe8a8019edee3f2591487b2a030b03c6e1d771c862571d2ea1e"),
        parameter=u32(16) + counted("118a6964c2d3e380071f5266") + counted("034585621af8d7ff") + u32(16),
        plain=_hex("55a465644f5b650928cbee7c063214d6"),
        encrypted=_hex("ab01f92db4f210bdb5edaf0a1bd19eba621630c505d24e3b29294977d8ffa4b4"),
    ),
    encrypts(
        CKM.AES_XTS,
        "Wycheproof, aes_xts_test.json, 17",
        key=secret(CKK.AES_XTS, "1af5eb284c6e8436fc0a5a00fc6de6cb2e4c9d2b18e5ae7998bc33d5c1f16b2f"),
        parameter=_hex("f4084b71244f7bce0000000000000000"),
        plain=_hex("5c9aee9635980fd4bfb4c2e9f442ac0886be07e92e1db70ce069bc94c84b188f"),
        encrypted=_hex("019c1d75d04dfaa2bdd458f627c9201f61e2725c97cbdb990b33b0bdcdf387f1"),
    ),
    encrypts(
        CKM.AES_CTS,
        "RFC 3962, appendix B",
        key=secret(CKK.AES, "636869636b656e207465726979616b69"),
        parameter=bytes(16),
        plain=b"I would like the ",
        encrypted=_hex("c6353568f2bf8cb4d8a580362da7ff7f97"),
    ),
    encrypts(
        CKM.AES_OFB,
        "NIST CAVS, OFBMMT128.rsp",
        key=secret(CKK.AES, "c9f4ce21b4c7daaa4f93e292dc605bc5"),
        parameter=_hex("5e5a8cf2808c720e01c1ed92d470a45d"),
        plain=_hex("8e19c5cacd015a662e7f40cdecadbf79a68081c06d9544b41c2dd248e77633b4"),
        encrypted=_hex("885dc48add7ee6a1839bc5c5e03beae071301ecf91a0111520cde0d3a112f5d2"),
    ),
    encrypts(
        CKM.AES_CFB128,
        "NIST CAVS, CFB128MMT128.rsp",
        key=secret(CKK.AES, "701ccc4c0e36e512ce077f5af6ccb957"),
        parameter=_hex("5337ddeaf89a00dd4d58d860de968469"),
        plain=_hex("cc1172f2f80866d0768b25f70fcf6361aab7c627c8488f97525d7d88949beeea"),
        encrypted=_hex("cdcf093bb7840df225683b58a479b00d5de5553a7e85eae4b70bf46dc729dd31"),
    ),
    encrypts(
        CKM.AES_CFB8,
        "NIST CAVS, CFB8MMT128.rsp",
        key=secret(CKK.AES, "0d8f3dc3edee60db658bb97faf46fba3"),
        parameter=_hex("e481fdc42e606b96a383c0a1a5520ebb"),
        plain=_hex("aacd"),
        encrypted=_hex("5066"),
    ),
    signs(
        CKM.AES_CMAC,
        "NIST SP 800-38B, D.3",
        key=secret(CKK.AES, "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4"),
        data=_hex("6bc1bee22e409f96e93d7e117393172a"),
        signature=_hex("28a7023f452e8f82bd4bf28d8c37c35c"),
    ),
    signs(
        CKM.AES_GMAC,
        "Wycheproof, aes_gmac_test.json, 278",
        key=secret(CKK.AES, "31e39f0079a182c9b2ba38b8bcc48518a2dff1df885285fc0542f83b255a520c"),
        parameter=_hex("2cc7459fa6a53f8c9af14154"),
        data=_hex("45"),
        signature=_hex("1ee076f708e64cc55c71d8633ec29231"),
    ),
    wraps(
        CKM.AES_KEY_WRAP,
        "NIST CAVS, KW_AE_256.txt",
        key=secret(CKK.AES, "f59782f1dceb0544a8da06b34969b9212b55ce6dcbdd0975a33f4b3f88b538da"),
        value=_hex("73d33060b5f9f2eb5785c0703ddfa704"),
        wrapped=_hex("2e63946ea3c090902fa1558375fdb2907742ac74e39403fc"),
    ),
    wraps(
        CKM.AES_KEY_WRAP_KWP,
        "NIST CAVS, KWP_AE_256.txt",
        key=secret(CKK.AES, "95da2700ca6fd9a52554ee2a8df1386f5b94a1a60ed8a4aef60a8d61ab5f225a"),
        value=_hex("d1"),
        wrapped=_hex("06ba7ae6f3248cfdcf267507fa001bc4"),
    ),
    encrypts(
        CKM.CHACHA20,
        "RFC 8439, appendix A.2",
        key=secret(CKK.CHACHA20, "0000000000000000000000000000000000000000000000000000000000000000"),
        parameter=counted("00000000") + counted("000000000000000000000000"),
        plain=_hex(
            "000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
            "00000000000000000000000000000000"
        ),
        encrypted=_hex(
            "76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7da41597c5157488d7724e03fb8d84a37"
            "6a43b8f41518a11cc387b669b2ee6586"
        ),
    ),
    encrypts(
        CKM.CHACHA20_POLY1305,
        "Wycheproof, chacha20_poly1305_test.json, 35",
        key=secret(CKK.CHACHA20, "b907a45075513fe8a8019edee3f2591487b2a030b03c6e1d771c862571d2ea1e"),
        parameter=counted("118a6964c2d3e380071f5266") + counted("034585621af8d7ff"),
        plain=_hex("55a465644f5b650928cbee7c063214d6"),
        encrypted=_hex("e4b113cb775945f3d3a8ae9ec141c00c7c43f16ce096d0dc27c95849dc383b7d"),
    ),
    signs(
        CKM.POLY1305,
        "RFC 8439, appendix A.3",
        key=secret(CKK.POLY1305, "0200000000000000000000000000000000000000000000000000000000000000"),
        data=_hex("ffffffffffffffffffffffffffffffff"),
        signature=_hex("03000000000000000000000000000000"),
    ),
    encrypts(
        CKM.DES3_CBC,
        "NIST CAVS, TCBCMMT3.rsp",
        key=secret(CKK.DES3, "b5cb1504802326c73df186e3e352a20de643b0d63ee30e37"),
        parameter=_hex("43f791134c5647ba"),
        plain=_hex("dcc153cef81d6f24"),
        encrypted=_hex("92538bd8af18d3ba"),
    ),
)
