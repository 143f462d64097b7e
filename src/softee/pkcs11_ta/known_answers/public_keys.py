# SPDX-License-Identifier: Apache-2.0
"""Known answers of RSA, ECDSA, EdDSA, ML-DSA, SLH-DSA and ML-KEM."""

from typing import Final

from softee.names import CKA, CKG, CKK, CKM, HedgeType, MlDsaParameterSet, MlKemParameterSet, SlhDsaParameterSet
from softee.pkcs11_ta.keys.curves import curve_name, oid
from softee.pkcs11_ta.known_answers.answers import (
    KnownAnswer,
    Sha256Of,
    decapsulates,
    encrypts,
    signs,
    signs_for_itself,
    verifies,
)
from softee.pkcs11_ta.known_answers.keys import counted, on_curve, rsa, seeded, u32
from softee.pkcs11_ta.known_answers.rsa_example import RSA_KEY, SIGNED

_hex = bytes.fromhex

_P256, _P384 = oid("1.2.840.10045.3.1.7"), oid("1.3.132.0.34")

_RSA_OAEP: Final = rsa(
    "a8b3b284af8eb50b387034a860f146c4919f318763cd6c5598c8ae4811a1e0abc4c7e0b082d693a5e7fced675cf46685"
    "12772c0cbc64a742c6c630f533c8cc72f62ae833c40bf25842e984bb78bdbf97c0107d55bdb662f5c4e0fab9845cb514"
    "8ef7392dd3aaff93ae1e6b667bb3d4247616d4f5ba10d4cfd226de88d39f16fb",
    "010001",
    "53339cfdb79fc8466a655c7316aca85c55fd8f6dd898fdaf119517ef4f52e8fd8e258df93fee180fa0e4ab29693cd83b"
    "152a553d4ac4d1812b8b9fa5af0e7f55fe7304df41570926f3311f15c4d65a732c483116ee3d3d2d0af3549ad9bf7cbf"
    "b78ad884f84d5beb04724dc7369b31def37d0cf539e9cfcdd3de653729ead5d1",
    "d32737e7267ffe1341b2d5c0d150a81b586fb3132bed2f8d5262864a9cb9f30af38be448598d413a172efb802c21acf1"
    "c11c520c2f26a471dcad212eac7ca39d",
    "cc8853d1d54da630fac004f471f281c7b8982d8224a490edbeb33d3e3d5cc93c4765703d1dd791642f1f116a0dd852be"
    "2419b2af72bfe9a030e860b0288b5d77",
    "0e12bf1718e9cef5599ba1c3882fe8046a90874eefce8f2ccc20e4f2741fb0a33a3848aec9c9305fbecbd2d76819967d"
    "4671acc6431e4037968db37878e695c1",
    "95297b0f95a2fa67d00707d609dfd4fc05c89dafc2ef6d6ea55bec771ea333734d9251e79082ecda866efef13c459e1a"
    "631386b7e354c899f5f112ca85d71583",
    "4f456c502493bdc0ed2ab756a3a6ed4d67352a697d4216e93212b127a63d5411ce6fa98d5dbefd73263e372814274381"
    "8166ed7dd63687dd2a8ca1d2f4fbd8e1",
)
"""Of RSA Laboratories' first examples of RSAES-OAEP."""

PUBLIC_KEYS: Final[tuple[KnownAnswer, ...]] = (
    verifies(
        CKM.SHA1_RSA_PKCS_PSS,
        "RSA Laboratories, pss-vect.txt, 1.1",
        key=RSA_KEY,
        parameter=u32(CKM.SHA_1, CKG.MGF1_SHA1, 20),
        data=SIGNED,
        signature=_hex(
            "9074308fb598e9701b2294388e52f971faac2b60a5145af185df5287b5ed2887e57ce7fd44dc8634e407c8e0e4360bc2"
            "26f3ec227f9d9e54638e8d31f5051215df6ebb9c2f9579aa77598a38f914b5b9c1bd83c4e2f9f382a0d0aa3542ffee65"
            "984a601bc69eb28deb27dca12c82c2d4c3f66cd500f1ff2b994d8a4e30cbb33c"
        ),
    ),
    encrypts(
        CKM.RSA_PKCS_OAEP,
        "RSA Laboratories, oaep-vect.txt, 1.1",
        key=_RSA_OAEP,
        parameter=u32(CKM.SHA_1, CKG.MGF1_SHA1, 1, 0),
        plain=_hex("6628194e12073db03ba94cda9ef9532397d50dba79b987004afefe34"),
        encrypted=_hex(
            "354fe67b4a126d5d35fe36c777791a3f7ba13def484e2d3908aff722fad468fb21696de95d0be911c2d3174f8afcc201"
            "035f7b6d8e69402de5451618c21a535fa9d7bfc5b8dd9fc243f8cf927db31322d6e881eaa91a996170e657a05a266426"
            "d98c88003f8477c1227094a0d9fa1e8c4024309ce1ecccb5210035d47ac72e8a"
        ),
        differs=True,
    ),
    verifies(
        CKM.ECDSA_SHA384,
        "NIST CAVS, FIPS 186-3, SigGen.txt",
        key=on_curve(
            CKK.EC,
            _P384,
            "201b432d8df14324182d6261db3e4b3f46a8284482d52e370da41e6cbdf45ec2952f5db7ccbce3bc29449f4fb080ac97",
        ),
        data=_hex(
            "6b45d88037392e1371d9fd1cd174e9c1838d11c3d6133dc17e65fa0c485dcca9f52d41b60161246039e42ec784d49400"
            "bffdb51459f5de654091301a09378f93464d52118b48d44b30d781eb1dbed09da11fb4c818dbd442d161aba4b9edc79f"
            "05e4b7e401651395b53bd8b5bd3f2aaa6a00877fa9b45cadb8e648550b4c6cbe"
        ),
        signature=_hex(
            "50835a9251bad008106177ef004b091a1e4235cd0da84fff54542b0ed755c1d6f251609d14ecf18f9e1ddfe69b946e32"
            "0475f3d30c6463b646e8d3bf2455830314611cbde404be518b14464fdb195fdcc92eb222e61f426a4a592c00a6a89721"
        ),
    ),
    signs(
        CKM.EDDSA,
        "RFC 8032, 7.4, 1 octet",
        key=on_curve(
            CKK.EC_EDWARDS,
            curve_name("edwards448"),
            "c4eab05d357007c632f3dbb48489924d552b08fe0c353a0d4a1f00acda2c463afbea67c5e8d2877c5e3bc397a659949ef8021e954e0a12274e",
        ),
        parameter=u32(0, 0),
        data=_hex("03"),
        signature=_hex(
            "26b8f91727bd62897af15e41eb43c377efb9c610d48f2335cb0bd0087810f4352541b143c4b981b7e18f62de8ccdf633"
            "fc1bf037ab7cd779805e0dbcc0aae1cbcee1afb2e027df36bc04dcecbf154336c19f0af7e0a6472905e799f1953d2a0f"
            "f3348ab21aa4adafd1d234441cf807c03a00"
        ),
    ),
    signs(
        CKM.ML_DSA,
        "kat_MLDSA_44_det_pure.rsp, 0",
        key=seeded(
            CKK.ML_DSA,
            MlDsaParameterSet.ML_DSA_44,
            "f696484048ec21f96cf50a56d0759c448f3779752f0383d37449690694cf7a68",
        ),
        parameter=u32(HedgeType.DETERMINISTIC_REQUIRED) + counted("480c658c0cb3e040bde084345cef0df7"),
        data=_hex("6dbbc4375136df3b07f7c70e639e223e"),
        signature=Sha256Of(2420, "e8a1941380e7cadb3c8dfb31dd3f3986568d26e4bf2d975610e81df300267c37"),
    ),
    signs_for_itself(
        CKM.SLH_DSA,
        generated_by=CKM.SLH_DSA_KEY_PAIR_GEN,
        template={CKA.KEY_TYPE: int(CKK.SLH_DSA), CKA.PARAMETER_SET: SlhDsaParameterSet.SLH_DSA_SHA2_128F},
        parameter=u32(HedgeType.HEDGE_PREFERRED) + counted(""),
    ),
    decapsulates(
        CKM.ML_KEM,
        "kat_MLKEM_768.rsp, 0",
        key=seeded(
            CKK.ML_KEM,
            MlKemParameterSet.ML_KEM_768,
            "6dbbc4375136df3b07f7c70e639e223e177e7fd53b161b3f4d57791794f12624"
            "f696484048ec21f96cf50a56d0759c448f3779752f0383d37449690694cf7a68",
        ),
        ciphertext=_hex(
            "16a61ff84787fd4a5f19ca59b3657db3a106a7329e2d62747a2ef85149163109befff6bcb33df66230b8f6725ce719f5"
            "8f71196e895befc9754d9f042494648c88a6ed4c4cf13f2faf9f651de79dae077733cb235f9dce448977fd42d5486b7d"
            "fdf6d7bd9172b14247655d34f10524d469478d9a9639f34d2acde6e3c048d52b308b66245fe9a28cde7983b9d14c03b3"
            "7715fe3970cd35734771add7aa9b58cfb0adf8c613deafb2b31f6e5c8364d4334e93af8e4943fa947cc67667447cffd0"
            "36235afaea7f603cb2ea277b97dadf82ea746f6b27396dd08c85cff9304a2e5ce0571fde2e926716bc9f8e4d474b4e8f"
            "d34b0dc28376204ea306d30e9a6dd88250b79823e77319f2ef3a77704f409dde8beb6db1be4a9f25ae2e15939dedf1b1"
            "1a5aa51fcff04068b46d42fbbafd2498264cca4fb78b0f2ab162c7ef569875a13148b9a4b0b9da1787ca0a7033e3eca1"
            "3471dbcbbe15e34f2b5065b995fe221c2b7ac150334d14e68edc5e049663de362fae8d35e24c202c5fad2153cd044ea9"
            "62a388f030cdc5dec1c3423183b173c32b22f5800ae45e8e89c8ee4617ce24e60f278bfd1ea0f8fa92486b6f849127da"
            "99be7be4c661e2ba26669d6acf619a33056809683e24a2f29e33be7f5f9ac668697e59488e9b8685956cd87b7c47109d"
            "603202c201472ec829ea64922e4d0eadd4a4b5a8fb06e0f4bf25a59ced54557388dcd91b387cb6148597edf84a225958"
            "01851ca4b9e9e096fdfc96f2444ac9f1247a5e640787fca23e3eb21ec1059c42a65803441df01279013c448dfc3eedfc"
            "3355eee1f510086a115f854c36db797a85ede19a473a33e79a80f6f7f6467e1b0d866fe0e57a8abd379934a6a6a492f5"
            "f32594d43de2ec2eea81487981bb6394bfa6df5498d74c6db2202a6348a325fbc906b8e820bb00659a2ee12740b14b2e"
            "36f4c5dab411c0cd096c5e63ba4d48aa9e92b31f44dc97c0fef661bcf4db895f174613d9d5ed9e836657745ec9deec7a"
            "f273cec87ef0eaf805da1bc8401608810b8a86f952c6326d09fc8d1d7fd83b4e862e05058e877c056cc5465ec3192b03"
            "a4c33cc6b16558d2482d5f84518cbbc526aae6e8840317efb3a1982c3d1719ef15d10f8b077c5c68680be6d3d92e86aa"
            "a6eb378cf0559d493257147b55730f49a042325af066b4f9741b9fff5d47972d5acaf52b6bea4e9e354ef9448b62f6d2"
            "a1317675a922e14e31578d6cab5a09a71ab270d865151b8ab4c612b5fd5dcc97e45419a1cfb6b8b9aec60f62602098f9"
            "1f07c238186657941c7a18e4d7ee220f022d5fffd291853b9c063e561b7176f7a235ce45bc86ce4718086df9536c5a5f"
            "0abf04c0a84d82bdf69552ade3135433c10a1ba69d688969e6d9dce54d3b3aae3a7f2ab904e657e3fb05241fac110aa0"
            "7e62cc3991d7d0d6329b5ab9d69d7336c0d148588c9f0921325b85df5fd30db80a56a3724372153641961aa7e042bf26"
            "46ff46022c059d5794c3a4b7f90c410de71a5231dd9b83bbd0e6bdab1bf9e62f"
        ),
        secret=_hex("b408d5d115713f0a93047dbbea832e4340787686d59a9a2d106bd662ba0aa035"),
    ),
)
