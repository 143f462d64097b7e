# SPDX-License-Identifier: Apache-2.0
"""ChaCha20 and Poly1305: RFC 8439's known answers, the original's, Wycheproof's counters, tags and nonces."""

import pytest

from softee.names import CKK, CKM, CKR
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.keys.view import KeyView
from support import keys
from support import mechanism_runs as run
from support.mechanism_runs import aead_params, chacha20_params
from vectors.reading import records, wycheproof


def octets(record: dict[str, str], *names: str) -> list[bytes]:
    return [bytes.fromhex(record[name]) for name in names]


def chacha20_key(value: bytes) -> KeyView:
    return keys.secret_key(value, CKK.CHACHA20)


def check_both_ways(mechanism: CKM, key: KeyView, parameter: bytes, plain: bytes, encrypted: bytes) -> None:
    """Whole, and cut in two."""
    assert run.encrypt(mechanism, key, parameter, plain) == encrypted
    assert run.encrypt(mechanism, key, parameter, plain[:17], plain[17:]) == encrypted
    assert run.decrypt(mechanism, key, parameter, encrypted) == plain
    assert run.decrypt(mechanism, key, parameter, encrypted[:17], encrypted[17:]) == plain


def test_chacha20_of_rfc_8439() -> None:
    count = 0
    for record in records("ciphers/ChaCha20/rfc7539.txt", last="CIPHERTEXT"):
        key, nonce, plain, encrypted = octets(record, "KEY", "NONCE", "PLAINTEXT", "CIPHERTEXT")
        counter = int(record["INITIAL_BLOCK_COUNTER"]).to_bytes(4, "little")
        check_both_ways(CKM.CHACHA20, chacha20_key(key), chacha20_params(counter, nonce), plain, encrypted)
        count += 1
    assert count == 3


ORIGINAL = {
    ("00" * 32, "0000000000000000"): "76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7",
    ("00" * 31 + "01", "0000000000000000"): "4540f05a9f1fb296d7736e7b208e3c96eb4fe1834688d2604f450952ed432d41",
    ("00" * 32, "0000000000000001"): "de9cba7bf3d69ef5e786dc63973f653a0b49e015adbff7134fcb7df137821031",
    ("00" * 32, "0100000000000000"): "ef3fdfd6c61578fbf5cf35bd3dd33b8009631634d21e42ac33960bd138e50d32",
}
"""The first bytes by key and nonce of 64 bits, of draft-agl-tls-chacha20poly1305-04, section 7."""


@pytest.mark.parametrize("counter", [bytes(4), bytes(8)], ids=len)
def test_chacha20_with_the_original_s_nonces(counter: bytes) -> None:
    for (key, nonce), stream in ORIGINAL.items():
        parameter = chacha20_params(counter, bytes.fromhex(nonce))
        assert run.encrypt(CKM.CHACHA20, chacha20_key(bytes.fromhex(key)), parameter, bytes(32)).hex() == stream


def test_chacha20_counters_of_wycheproof() -> None:
    """Up to the counter's end and not beyond; XChaCha20, whose nonces have 192 bits, is not there."""
    counts = {"valid": 0, "invalid": 0, "XChaCha20": 0}
    for group, test in wycheproof("chacha20_counter"):
        key, nonce, counter, plain = octets(test, "key", "iv", "initialCounter", "msg")
        secret, parameter = chacha20_key(key), chacha20_params(counter, nonce)
        if group["algorithm"] == "XChaCha20":
            counts["XChaCha20"] += 1
            refusal = CKR.MECHANISM_PARAM_INVALID
        elif test["result"] == "valid":
            counts["valid"] += 1
            check_both_ways(CKM.CHACHA20, secret, parameter, plain, bytes.fromhex(test["ct"]))
            continue
        else:
            counts["invalid"] += 1
            refusal = CKR.DATA_LEN_RANGE
        with pytest.raises(Pkcs11Error) as caught:
            run.encrypt(CKM.CHACHA20, secret, parameter, plain)
        assert caught.value.rv is refusal, test["comment"]
    assert counts == {"valid": 11, "invalid": 3, "XChaCha20": 28}


def test_chacha20_poly1305_of_openssl() -> None:
    """RFC 8439's among them; the second one's tag is a wrong one."""
    found = list(records("ciphers/ChaCha20Poly1305/openssl.txt", last="Ciphertext"))
    assert len(found) == 5
    for record in found:
        key, nonce, aad, tag, plain, encrypted = octets(record, "Key", "IV", "AAD", "Tag", "Plaintext", "Ciphertext")
        secret, parameter = chacha20_key(key), aead_params(nonce, aad)
        if record["COUNT"] != "2":
            check_both_ways(CKM.CHACHA20_POLY1305, secret, parameter, plain, encrypted + tag)
            continue
        with pytest.raises(Pkcs11Error) as caught:
            run.decrypt(CKM.CHACHA20_POLY1305, secret, parameter, encrypted + tag)
        assert caught.value.rv is CKR.ENCRYPTED_DATA_INVALID


def test_chacha20_poly1305_of_wycheproof() -> None:
    counts = {"valid": 0, "invalid": 0}
    for _, test in wycheproof("chacha20_poly1305"):
        key, nonce, aad, plain, encrypted, tag = octets(test, "key", "iv", "aad", "msg", "ct", "tag")
        secret, parameter = chacha20_key(key), aead_params(nonce, aad)
        counts[test["result"]] += 1
        if test["result"] == "valid":
            check_both_ways(CKM.CHACHA20_POLY1305, secret, parameter, plain, encrypted + tag)
            continue
        with pytest.raises(Pkcs11Error) as caught:
            run.decrypt(CKM.CHACHA20_POLY1305, secret, parameter, encrypted + tag)
        of_nonce = "InvalidNonceSize" in test["flags"]
        assert caught.value.rv is (CKR.MECHANISM_PARAM_INVALID if of_nonce else CKR.ENCRYPTED_DATA_INVALID), test
    assert counts == {"valid": 256, "invalid": 69}


def test_poly1305_of_rfc_8439() -> None:
    count = 0
    for record in records("poly1305/rfc7539.txt", last="TAG"):
        key, message, tag = octets(record, "KEY", "MSG", "TAG")
        secret = keys.secret_key(key, CKK.POLY1305)
        assert run.sign(CKM.POLY1305, secret, b"", [message]) == tag
        run.verify(CKM.POLY1305, secret, b"", [message[:17], message[17:]], tag)
        with pytest.raises(Pkcs11Error) as caught:
            run.verify(CKM.POLY1305, secret, b"", [message], bytes([tag[0] ^ 1]) + tag[1:])
        assert caught.value.rv is CKR.SIGNATURE_INVALID
        count += 1
    assert count >= 11
