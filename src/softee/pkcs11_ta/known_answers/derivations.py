# SPDX-License-Identifier: Apache-2.0
"""Known answers of what derives keys, and of what seals the store and stretches PINs."""

from typing import Final

from softee.names import CKA, CKD, CKK, CKM, Pbkd2Prf, Pbkd2Salt, PrfDataType
from softee.pkcs11_ta.keys.curves import curve_name, oid
from softee.pkcs11_ta.keys.dh_groups import BASE, PRIMES
from softee.pkcs11_ta.known_answers.answers import KnownAnswer, Sha256Of, derives, generates
from softee.pkcs11_ta.known_answers.keys import counted, on_curve, private, secret, u32

_hex = bytes.fromhex

_P256 = oid("1.2.840.10045.3.1.7")


DERIVATIONS: Final[tuple[KnownAnswer, ...]] = (
    derives(
        CKM.SP800_108_COUNTER_KDF,
        "NIST CAVS, KDFCTR",
        key=secret(CKK.GENERIC_SECRET, "dd1d91b7d90b2bd3138533ce92b272fbf8a369316aefe242e659cc0ae238afe0"),
        parameter=u32(CKM.SHA256_HMAC, 2, PrfDataType.SP800_108_ITERATION_VARIABLE)
        + counted(u32(0, 32).hex())
        + u32(PrfDataType.SP800_108_BYTE_ARRAY)
        + counted(
            "01322b96b30acd197979444e468e1c5c6859bf1b1cf951b7e725303e237e46b864a145fab25e517b08f8683d0315bb29"
            "11d80a0e8aba17f3b413faac"
        )
        + u32(0),
        secret=_hex("10621342bfb0fd40046c0e29f2cfdbf0"),
    ),
    generates(
        CKM.PKCS5_PBKD2,
        "RFC 7914, 11",
        parameter=u32(Pbkd2Salt.SALT_SPECIFIED)
        + counted("73616c74")
        + u32(1, Pbkd2Prf.PKCS5_PBKD2_HMAC_SHA256)
        + counted("")
        + counted("706173737764"),
        secret=_hex(
            "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc49ca9cccf179b645991664b39d77ef31"
            "7c71b845b1e30bd509112041d3a19783"
        ),
    ),
    derives(
        CKM.ECDH1_DERIVE,
        "Wycheproof, ecdh_secp256r1_ecpoint_test.json, 1",
        key=on_curve(CKK.EC, _P256, "0612465c89a023ab17855b0a6bcebfd3febb53aef84138647b5352e02c10c346"),
        parameter=u32(CKD.NULL, 0)
        + counted(
            "0462d5bd3372af75fe85a040715d0f502428e07046868b0bfdfa61d731afe44f26ac333a93a9e70a81cd5a95b5bf8d13"
            "990eb741c8c38872b4a07d275a014e30cf"
        ),
        secret=_hex("53020d908b0219328b658b525f26780e3ae12bcd952bb25a93bc0895e1714285"),
    ),
    derives(
        CKM.ECDH1_DERIVE,
        "RFC 7748, 5.2",
        key=on_curve(
            CKK.EC_MONTGOMERY,
            curve_name("curve448"),
            "3d262fddf9ec8e88495266fea19a34d28882acef045104d0d1aae121700a779c984c24f8cdd78fbff44943eba368f54b29259a4f1c600ad3",
        ),
        parameter=u32(CKD.NULL, 0)
        + counted(
            "06fce640fa3487bfda5f6cf2d5263f8aad88334cbd07437f020f08f9814dc031ddbdc38c19c6da2583fa5429db94ada1"
            "8aa7a7fb4ef8a086"
        ),
        secret=_hex(
            "ce3e4ff95a60dc6697da1db1d85e6afbdf79b50a2412d7546d5f239fe14fbaadeb445fc66a01b0779d98223961111e21"
            "766282f73dd96b6f"
        ),
    ),
    derives(
        CKM.DH_PKCS_DERIVE,
        "NIST ACVP, KAS-FFC-SSC, ffdhe2048",
        key=private(
            CKK.DH,
            {
                CKA.PRIME: PRIMES[3],
                CKA.BASE: BASE,
                CKA.VALUE: _hex(
                    "71380e69933d9b7f45f1ca918946ee38caf12dbaeae8ab169b205f2ebd9f438153791c5c768454bb280cd2cd9c737779"
                    "47c951562e68529fd321c333c00055b0f5feffd1b0a0a2ccc513e9741332ce9a38e645019395164162467e41c080e599"
                    "bd23f29df98ce5ba18858db705363a6a5a2f4ef77a205217546eaa29583531dadedcdd218729632c43a13540913fdfa1"
                    "08ca8f0cbbb0b958081b40ae20d6437193b87e210c8a2275a122e0eeb9e2b228ed16f069c5e590b7347312b285f8bbea"
                    "7910e7b7eeef7202539467d769b4a832da593c254ecee9b440a3a82bf7f2ee44b6905cda7fdfd6e352a2d5acd3924618"
                    "388040712d5bdbcbc5fe5a20048ef05c"
                ),
            },
        ),
        parameter=_hex(
            "d15b2174dc6b2d45f0d5ef1de4d909749501870632f1d41b6a483a57033c37872bd58c47d8405883ea956737eaefffa3"
            "66962a6082c72148a7ca521d9ebcb8f2e61b3ca1720e0b084c2931f061ebf61766471dc82018b1b1873f5ef9f14ba866"
            "5ac91eb1fcdf11a44425b3b4177f8ae4717a98e5b9d3f9570857a1d230c40eef15bd3e96f46830eeb995e6b814da2320"
            "5dd6a1408ad4892610d260813a2b4b9ea38ce8f8250c5db37b2026375eda1a8cba439f63d96008f625b56d08275e6e77"
            "3e9dee435b9d0a2e831d02cd03aa5d9ebaa7fc752c75b3179fa43d4ee89945dc2c44017c7c9abcd4a21003b982c4bd39"
            "8d2c228e4689704518056625517b50ad"
        ),
        secret=Sha256Of(256, "24fe9a9ef37e7fc7e0e5da2b09d23fd1ab2e3a0cd94bb5dda1702d1cde4434b6"),
    ),
)
