# SPDX-License-Identifier: Apache-2.0
"""HMAC (RFC 2202, RFC 4231, Wycheproof) and AES-CMAC (NIST SP 800-38B, Wycheproof), whole and truncated."""

import pytest

from softee.names import CKM, CKR
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.keys.view import KeyView
from support import keys
from support import mechanism_runs as run
from support.mechanism_runs import u32
from vectors.reading import records, wycheproof

HMACS = {
    "rfc-2202-md5.txt": (CKM.MD5_HMAC, CKM.MD5_HMAC_GENERAL),
    "rfc-2202-sha1.txt": (CKM.SHA_1_HMAC, CKM.SHA_1_HMAC_GENERAL),
    "rfc-4231-sha224.txt": (CKM.SHA224_HMAC, CKM.SHA224_HMAC_GENERAL),
    "rfc-4231-sha256.txt": (CKM.SHA256_HMAC, CKM.SHA256_HMAC_GENERAL),
    "rfc-4231-sha384.txt": (CKM.SHA384_HMAC, CKM.SHA384_HMAC_GENERAL),
    "rfc-4231-sha512.txt": (CKM.SHA512_HMAC, CKM.SHA512_HMAC_GENERAL),
}
WYCHEPROOF = {
    "hmac_sha256": (CKM.SHA256_HMAC, CKM.SHA256_HMAC_GENERAL),
    "hmac_sha512": (CKM.SHA512_HMAC, CKM.SHA512_HMAC_GENERAL),
    "hmac_sha3_256": (CKM.SHA3_256_HMAC, CKM.SHA3_256_HMAC_GENERAL),
    "aes_cmac": (CKM.AES_CMAC, CKM.AES_CMAC_GENERAL),
}


def check_whole_and_truncated(mechanisms: tuple[CKM, CKM], key: KeyView, message: bytes, mac: bytes) -> None:
    whole, general = mechanisms
    assert run.sign(whole, key, b"", [message]) == mac
    run.verify(whole, key, b"", [message], mac)
    for length in (1, len(mac) // 2, len(mac)):
        assert run.sign(general, key, u32(length), [message]) == mac[:length]
        run.verify(general, key, u32(length), [message], mac[:length])


@pytest.mark.parametrize("file", HMACS)
def test_hmac_of_the_rfcs(file: str) -> None:
    found = list(records(f"HMAC/{file}", last="MD"))
    assert len(found) >= 6
    for record in found:
        key = keys.secret_key(bytes.fromhex(record["Key"]))
        if not run.takes(HMACS[file][0], key):
            continue
        check_whole_and_truncated(HMACS[file], key, bytes.fromhex(record["Msg"]), bytes.fromhex(record["MD"]))


JEFE = {
    CKM.SHA512_224_HMAC: "4a530b31a79ebcce36916546317c45f247d83241dfb818fd37254bde",
    CKM.SHA512_256_HMAC: "6df7b24630d5ccb2ee335407081a87188c221489768fa2020513b2d593359456",
    CKM.SHA3_224_HMAC: "7fdb8dd88bd2f60d1b798634ad386811c2cfc85bfaf5d52bbace5e66",
    CKM.SHA3_256_HMAC: "c7d4072e788877ae3596bbb0da73b887c9171f93095b294ae857fbe2645e1ba5",
    CKM.SHA3_384_HMAC: "f1101f8cbf9766fd6764d2ed61903f21ca9b18f57cf3e1a2"
    "3ca13508a93243ce48c045dc007f26a21b3f5e0e9df4c20a",
    CKM.SHA3_512_HMAC: "5a4bfeab6166427c7a3647b747292b8384537cdb89afb3bf5665e4c5e709350b"
    "287baec921fd7ca0ee7a0c31d022a95e1fc92ba9d77df883960275beb4e62024",
    CKM.BLAKE2B_512_HMAC: "6ff884f8ddc2a6586b3c98a4cd6ebdf14ec10204b6710073eb5865ade37a2643"
    "b8807c1335d107ecdb9ffeaeb6828c4625ba172c66379efcd222c2de11727ab4",
}
"""Of RFC 4231's second test case."""


@pytest.mark.parametrize("mechanism", JEFE, ids=lambda mechanism: mechanism.name)
def test_hmac_of_newer_hash_functions(mechanism: CKM) -> None:
    """Shorter than OP-TEE's keys, which these mechanisms take."""
    mechanisms = (mechanism, CKM[f"{mechanism.name}_GENERAL"])
    key, message = keys.secret_key(b"Jefe"), b"what do ya want for nothing?"
    check_whole_and_truncated(mechanisms, key, message, bytes.fromhex(JEFE[mechanism]))


@pytest.mark.parametrize("bits", [128, 192, 256])
def test_cmac_of_nist(bits: int) -> None:
    found = list(records(f"CMAC/nist-800-38b-aes{bits}.txt", last="OUTPUT"))
    assert len(found) == 4
    for record in found:
        key, message = keys.aes_key(bytes.fromhex(record["KEY"])), bytes.fromhex(record["MESSAGE"])
        check_whole_and_truncated((CKM.AES_CMAC, CKM.AES_CMAC_GENERAL), key, message, bytes.fromhex(record["OUTPUT"]))


@pytest.mark.parametrize("name", WYCHEPROOF)
def test_macs_of_wycheproof(name: str) -> None:
    counts = {"valid": 0, "invalid": 0}
    for group, test in wycheproof(name):
        if name == "aes_cmac" and group["keySize"] not in {128, 192, 256}:
            continue  # keys that no AES has, which the token refuses before it comes to a mechanism
        key, message, tag = (bytes.fromhex(test[part]) for part in ("key", "msg", "tag"))
        arguments = (WYCHEPROOF[name][1], keys.secret_key(key) if "hmac" in name else keys.aes_key(key))
        if not run.takes(*arguments):
            continue
        counts[test["result"]] += 1
        if test["result"] == "valid":
            run.verify(*arguments, u32(len(tag)), [message], tag)
            assert run.sign(*arguments, u32(len(tag)), [message]) == tag
        else:
            with pytest.raises(Pkcs11Error) as caught:
                run.verify(*arguments, u32(len(tag)), [message], tag)
            assert caught.value.rv is CKR.SIGNATURE_INVALID, test["comment"]
    assert min(counts.values()) > 50
