# SPDX-License-Identifier: Apache-2.0
"""Triple DES: NIST's known answers with keys of two and of three parts, and changed MACs."""

import pytest

from softee.names import CKK, CKM, CKR
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.keys.view import KeyView
from support import keys
from support import mechanism_runs as run
from support.mechanism_runs import u32
from vectors.reading import Record, records


def key_of(record: Record) -> KeyView:
    value = "".join(record.get(name, record.get("KEYs", "")) for name in ("KEY1", "KEY2", "KEY3"))
    return keys.secret_key(bytes.fromhex(value), CKK.DES3)


def check_both_ways(mechanism: CKM, key: KeyView, parameter: bytes, plain: bytes, encrypted: bytes) -> None:
    """Whole, and cut in two."""
    assert run.encrypt(mechanism, key, parameter, plain) == encrypted
    assert run.encrypt(mechanism, key, parameter, plain[:5], plain[5:]) == encrypted
    assert run.decrypt(mechanism, key, parameter, encrypted) == plain
    assert run.decrypt(mechanism, key, parameter, encrypted[:5], encrypted[5:]) == plain


def found(mode: str, parts: int) -> list[Record]:
    """Return NIST's messages of several blocks. Those with keys of one part are single DES, whose keys are refused."""
    path = f"ciphers/3DES/{mode}/T{mode}MMT{parts}.rsp"
    every = [one for one in records(path, last="CIPHERTEXT") if one["section"] == "ENCRYPT"]
    assert len(every) == 10
    return every


@pytest.mark.parametrize("parts", [2, 3])
def test_ecb_of_nist(parts: int) -> None:
    for record in found("ECB", parts):
        plain, encrypted = bytes.fromhex(record["PLAINTEXT"]), bytes.fromhex(record["CIPHERTEXT"])
        check_both_ways(CKM.DES3_ECB, key_of(record), b"", plain, encrypted)


@pytest.mark.parametrize("parts", [2, 3])
def test_cbc_of_nist(parts: int) -> None:
    for record in found("CBC", parts):
        iv, plain, encrypted = (bytes.fromhex(record[name]) for name in ("IV", "PLAINTEXT", "CIPHERTEXT"))
        key = key_of(record)
        check_both_ways(CKM.DES3_CBC, key, iv, plain, encrypted)
        padded = run.encrypt(CKM.DES3_CBC_PAD, key, iv, plain)
        assert padded[:-8] == encrypted
        assert run.decrypt(CKM.DES3_CBC_PAD, key, iv, padded) == plain


@pytest.mark.parametrize("parts", [2, 3])
def test_cbc_mac_is_the_last_block_of_cbc_of_nist(parts: int) -> None:
    """CBC with an initialization vector is CBC without one, of data whose first block was joined with it."""
    for record in found("CBC", parts):
        iv, plain, encrypted = (bytes.fromhex(record[name]) for name in ("IV", "PLAINTEXT", "CIPHERTEXT"))
        data = bytes(a ^ b for a, b in zip(plain[:8], iv, strict=True)) + plain[8:]
        key, mac = key_of(record), encrypted[-8:]
        assert run.sign(CKM.DES3_MAC, key, b"", [data]) == mac[:4]
        assert run.sign(CKM.DES3_MAC_GENERAL, key, u32(8), [data]) == mac
        with pytest.raises(Pkcs11Error) as caught:
            run.verify(CKM.DES3_MAC, key, b"", [data], bytes(4))
        assert caught.value.rv is CKR.SIGNATURE_INVALID


def test_cmac_of_nist() -> None:
    every = list(records("CMAC/nist-800-38b-3des.txt", last="OUTPUT"))
    assert len(every) == 8
    for record in every:
        key, message, mac = key_of(record), bytes.fromhex(record["MESSAGE"]), bytes.fromhex(record["OUTPUT"])
        assert run.sign(CKM.DES3_CMAC, key, b"", [message]) == mac
        run.verify(CKM.DES3_CMAC, key, b"", [message[:5], message[5:]], mac)
        run.verify(CKM.DES3_CMAC_GENERAL, key, u32(4), [message], mac[:4])
        for mechanism, parameter, changed in (
            (CKM.DES3_CMAC, b"", bytes([mac[0] ^ 1]) + mac[1:]),
            (CKM.DES3_CMAC_GENERAL, u32(4), mac[4:]),
        ):
            with pytest.raises(Pkcs11Error) as caught:
                run.verify(mechanism, key, parameter, [message], changed)
            assert caught.value.rv is CKR.SIGNATURE_INVALID
