# SPDX-License-Identifier: Apache-2.0
"""AES-CCM, GMAC, XTS, OFB, CFB and CBC-MAC: NIST's known answers, and Wycheproof's bad MACs and odd nonces."""

import pytest

from softee.names import CKK, CKM, CKR
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.keys.view import KeyView
from support import keys
from support import mechanism_runs as run
from support.mechanism_runs import ccm_params
from vectors.reading import Record, records, wycheproof

BITS = [128, 192, 256]


def octets(record: Record, *names: str) -> list[bytes]:
    return [bytes.fromhex(record[name]) for name in names]


def check_both_ways(mechanism: CKM, key: KeyView, parameter: bytes, plain: bytes, encrypted: bytes) -> None:
    """Whole, and cut in two."""
    assert run.encrypt(mechanism, key, parameter, plain) == encrypted
    assert run.encrypt(mechanism, key, parameter, plain[:17], plain[17:]) == encrypted
    assert run.decrypt(mechanism, key, parameter, encrypted) == plain
    assert run.decrypt(mechanism, key, parameter, encrypted[:17], encrypted[17:]) == plain


@pytest.mark.parametrize("bits", BITS)
@pytest.mark.parametrize("kind", ["GFSbox", "KeySbox", "VarKey", "VarTxt", "MMT"])
@pytest.mark.parametrize(
    ("name", "mechanism"),
    [("OFB/OFB", CKM.AES_OFB), ("CFB/CFB128", CKM.AES_CFB128), ("CFB/CFB8", CKM.AES_CFB8)],
)
def test_feedback_modes_of_nist(name: str, mechanism: CKM, kind: str, bits: int) -> None:
    every = records(f"ciphers/AES/{name}{kind}{bits}.rsp", last="CIPHERTEXT")
    found = [record for record in every if record["section"] == "ENCRYPT"]
    assert len(found) >= 4
    for record in found:
        key, iv, plain, encrypted = octets(record, "KEY", "IV", "PLAINTEXT", "CIPHERTEXT")
        check_both_ways(mechanism, keys.aes_key(key), iv, plain, encrypted)


@pytest.mark.parametrize("bits", BITS)
def test_cfb_with_segments_of_64_bits_is_what_nist_says_it_is(bits: int) -> None:
    """There are no published answers, so it is made of AES-ECB's (SP 800-38A, 6.3), whose answers are."""
    every = records(f"ciphers/AES/CFB/CFB128MMT{bits}.rsp", last="CIPHERTEXT")
    for record in every:
        key, iv, plain = octets(record, "KEY", "IV", "PLAINTEXT")
        secret, register, encrypted = keys.aes_key(key), iv, b""
        for at in range(0, len(plain), 8):
            stream = run.encrypt(CKM.AES_ECB, secret, b"", register)
            segment = bytes(a ^ b for a, b in zip(plain[at : at + 8], stream[:8], strict=True))
            register, encrypted = register[8:] + segment, encrypted + segment
        check_both_ways(CKM.AES_CFB64, secret, iv, plain, encrypted)
        check_both_ways(CKM.AES_CFB64, secret, iv, plain[:-3], encrypted[:-3])


@pytest.mark.parametrize("bits", BITS)
@pytest.mark.parametrize("kind", ["VADT", "VNT", "VPT", "VTT"])
def test_ccm_encryption_of_nist(kind: str, bits: int) -> None:
    count = 0
    for record in records(f"ciphers/AES/CCM/{kind}{bits}.rsp", last="CT"):
        sizes = {**record, **in_section(record)}
        key, nonce, aad, plain, sealed = octets(record, "Key", "Nonce", "Adata", "Payload", "CT")
        data, associated = plain[: int(sizes["Plen"])], aad[: int(sizes["Alen"])]
        parameter = ccm_params(len(data), nonce, associated, int(sizes["Tlen"]))
        check_both_ways(CKM.AES_CCM, keys.aes_key(key), parameter, data, sealed)
        count += 1
    assert count >= 70


@pytest.mark.parametrize("bits", BITS)
def test_ccm_decryption_of_nist(bits: int) -> None:
    counts = {"Pass": 0, "Fail": 0}
    for record in records(f"ciphers/AES/CCM/DVPT{bits}.rsp", last="Result"):
        sizes = in_section(record)
        key, nonce, aad, sealed = octets(record, "Key", "Nonce", "Adata", "CT")
        size = int(sizes["Plen"])
        parameter = ccm_params(size, nonce, aad[: int(sizes["Alen"])], int(sizes["Tlen"]))
        counts[record["Result"]] += 1
        if record["Result"] == "Fail":
            with pytest.raises(Pkcs11Error) as caught:
                run.decrypt(CKM.AES_CCM, keys.aes_key(key), parameter, sealed)
            assert caught.value.rv is CKR.ENCRYPTED_DATA_INVALID
        else:
            plain = run.decrypt(CKM.AES_CCM, keys.aes_key(key), parameter, sealed)
            assert run.encrypt(CKM.AES_CCM, keys.aes_key(key), parameter, plain) == sealed
            assert len(plain) == size
    assert sum(counts.values()) == 240
    assert counts["Fail"] > 100


def in_section(record: Record) -> Record:
    """Return the values in a heading: [Alen = 0, Plen = 24]."""
    pairs = (pair.split("=") for pair in record["section"].split(","))
    return {name.strip(): value.strip() for name, value in pairs}


def test_ccm_of_wycheproof() -> None:
    counts = {"valid": 0, "invalid": 0}
    for group, test in wycheproof("aes_ccm"):
        key, iv, aad, plain, encrypted, tag = (
            bytes.fromhex(test[name]) for name in ("key", "iv", "aad", "msg", "ct", "tag")
        )
        secret, parameter = keys.aes_key(key), ccm_params(len(encrypted), iv, aad, group["tagSize"] // 8)
        counts[test["result"]] += 1
        if test["result"] == "valid":
            check_both_ways(CKM.AES_CCM, secret, parameter, plain, encrypted + tag)
            continue
        with pytest.raises(Pkcs11Error) as caught:
            run.decrypt(CKM.AES_CCM, secret, parameter, encrypted + tag)
        of_parameter = {"InvalidNonceSize", "InvalidTagSize", "InsecureTagSize"} & set(test["flags"])
        expected = CKR.MECHANISM_PARAM_INVALID if of_parameter else CKR.ENCRYPTED_DATA_INVALID
        assert caught.value.rv is expected, test
    assert counts == {"valid": 405, "invalid": 147}


def test_gmac_of_wycheproof() -> None:
    counts = {"valid": 0, "invalid": 0}
    for _, test in wycheproof("aes_gmac"):
        key, iv, data, tag = (bytes.fromhex(test[name]) for name in ("key", "iv", "msg", "tag"))
        secret = keys.aes_key(key)
        counts[test["result"]] += 1
        if test["result"] == "valid":
            assert run.sign(CKM.AES_GMAC, secret, iv, [data]) == tag
            run.verify(CKM.AES_GMAC, secret, iv, [data[:7], data[7:]], tag)
            continue
        with pytest.raises(Pkcs11Error) as caught:
            run.verify(CKM.AES_GMAC, secret, iv, [data], tag)
        assert caught.value.rv is CKR.SIGNATURE_INVALID
    assert counts == {"valid": 90, "invalid": 324}


def xts_key(value: bytes) -> KeyView:
    return keys.secret_key(value, CKK.AES_XTS)


@pytest.mark.parametrize("bits", [128, 256])
def test_xts_of_nist(bits: int) -> None:
    """Those whose data units are whole bytes."""
    found = [
        record
        for record in records(f"ciphers/AES/XTS/tweak-128hexstr/XTSGenAES{bits}.rsp", last="CT")
        if record["section"] == "ENCRYPT" and int(record["DataUnitLen"]) % 8 == 0
    ]
    assert len(found) >= 300
    for record in found:
        key, tweak, plain, encrypted = octets(record, "Key", "i", "PT", "CT")
        check_both_ways(CKM.AES_XTS, xts_key(key), tweak, plain, encrypted)


def test_xts_of_wycheproof() -> None:
    """The standard has no keys of 48 bytes, nor has IEEE 1619."""
    counts = dict.fromkeys((32, 48, 64), 0)
    for _, test in wycheproof("aes_xts"):
        key, number, plain, encrypted = (bytes.fromhex(test[name]) for name in ("key", "iv", "msg", "ct"))
        counts[len(key)] += 1
        if len(key) == 48:
            with pytest.raises(Pkcs11Error) as caught:
                run.encrypt(CKM.AES_XTS, xts_key(key), bytes(16), plain)
            assert caught.value.rv in {CKR.KEY_SIZE_RANGE, CKR.ATTRIBUTE_VALUE_INVALID}
        else:
            check_both_ways(CKM.AES_XTS, xts_key(key), number.ljust(16, b"\0"), plain, encrypted)
    assert counts == {32: 41, 48: 41, 64: 41}


@pytest.mark.parametrize("bits", BITS)
def test_cbc_mac_is_the_last_block_of_cbc_of_nist(bits: int) -> None:
    """CBC with an initialization vector is CBC without one, of data whose first block was joined with it."""
    found = [
        one for one in records(f"ciphers/AES/CBC/CBCMMT{bits}.rsp", last="CIPHERTEXT") if one["section"] == "ENCRYPT"
    ]
    assert len(found) == 10
    for record in found:
        key, iv, plain, encrypted = octets(record, "KEY", "IV", "PLAINTEXT", "CIPHERTEXT")
        data = bytes(a ^ b for a, b in zip(plain[:16], iv, strict=True)) + plain[16:]
        mac, secret = encrypted[-16:][:8], keys.aes_key(key)
        assert run.sign(CKM.AES_MAC, secret, b"", [data]) == mac
        with pytest.raises(Pkcs11Error) as caught:
            run.verify(CKM.AES_MAC, secret, b"", [data], bytes(8))
        assert caught.value.rv is CKR.SIGNATURE_INVALID
