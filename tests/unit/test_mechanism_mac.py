# SPDX-License-Identifier: Apache-2.0
"""HMAC and CMAC: one generic secret for several, keys of any size, and truncated MACs compared at their size only."""

import hashlib
import hmac

import pytest

from softee.names import CKM
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.mechanisms.table import MECHANISMS
from softee.pkcs11_ta.token.profiles import OPTEE
from support import keys
from support import mechanism_runs as run
from support.mechanism_runs import u32

SECRET = keys.secret_key(bytes(range(64)))
HMACS = {
    CKM.MD5_HMAC: "md5",
    CKM.SHA_1_HMAC: "sha1",
    CKM.SHA224_HMAC: "sha224",
    CKM.SHA256_HMAC: "sha256",
    CKM.SHA384_HMAC: "sha384",
    CKM.SHA512_HMAC: "sha512",
    CKM.SHA512_224_HMAC: "sha512_224",
    CKM.SHA512_256_HMAC: "sha512_256",
    CKM.SHA3_224_HMAC: "sha3_224",
    CKM.SHA3_256_HMAC: "sha3_256",
    CKM.SHA3_384_HMAC: "sha3_384",
    CKM.SHA3_512_HMAC: "sha3_512",
    CKM.BLAKE2B_512_HMAC: "blake2b",
}


def test_one_generic_secret_serves_several_hmacs_one_after_the_other() -> None:
    """It panics OP-TEE's application."""
    for _ in range(2):
        for mechanism, name in HMACS.items():
            assert run.sign(mechanism, SECRET, b"", [b"data"]) == hmac.digest(SECRET.secret(), b"data", name)


@pytest.mark.parametrize("size", [1, 64, 65, 128, 129, 512])
@pytest.mark.parametrize("mechanism", HMACS, ids=lambda mechanism: mechanism.name)
def test_longer_keys_are_hashed_first_as_rfc_2104_says(mechanism: CKM, size: int) -> None:
    key = keys.secret_key(b"\x5a" * size)
    assert run.sign(mechanism, key, b"", [b"data"]) == hmac.digest(key.secret(), b"data", HMACS[mechanism])


@pytest.mark.parametrize(("mechanism", "size"), [(CKM[f"BLAKE2B_{8 * size}_HMAC"], size) for size in (20, 32, 48, 64)])
def test_hmac_with_short_blake2b_is_rfc_2104_s_over_blocks_of_128_bytes(mechanism: CKM, size: int) -> None:
    def digest(data: bytes) -> bytes:
        return hashlib.blake2b(data, digest_size=size).digest()

    for value in (b"k", bytes(range(128)), bytes(range(129))):
        block = (digest(value) if len(value) > 128 else value).ljust(128, b"\0")
        inner, outer = (bytes(byte ^ mask for byte in block) for mask in (0x36, 0x5C))
        expected = digest(outer + digest(inner + b"data"))
        assert run.sign(mechanism, keys.secret_key(value), b"", [b"da", b"ta"]) == expected


def test_newer_hmacs_take_keys_of_one_byte_and_optee_s_do_not() -> None:
    shortest = {spec.key_size.low for m, spec in MECHANISMS.items() if m in HMACS and spec.key_size}
    assert shortest == {1, 8, 10, 14, 24, 32}
    newer = [spec for m, spec in MECHANISMS.items() if "_HMAC" in m.name and m not in OPTEE.mechanisms]
    assert all(spec.key_size is not None and 1 in spec.key_size for spec in newer)


def test_whole_mac_is_not_a_truncated_one() -> None:
    whole = run.sign(CKM.SHA256_HMAC, SECRET, b"", [b"data"])
    with pytest.raises(Pkcs11Error, match="SIGNATURE_LEN_RANGE: signature of 16 bytes where the key makes 32"):
        run.verify(CKM.SHA256_HMAC, SECRET, b"", [b"data"], whole[:16])
    with pytest.raises(Pkcs11Error, match="SIGNATURE_LEN_RANGE: signature of 32 bytes where the key makes 16"):
        run.verify(CKM.SHA256_HMAC_GENERAL, SECRET, u32(16), [b"data"], whole)


def test_short_signature_cannot_make_a_long_mac_easy_to_guess() -> None:
    """OP-TEE compares as many bytes as the caller sends; here the parameter decides."""
    whole = run.sign(CKM.SHA256_HMAC, SECRET, b"", [b"data"])
    with pytest.raises(Pkcs11Error, match="SIGNATURE_LEN_RANGE"):
        run.verify(CKM.SHA256_HMAC_GENERAL, SECRET, u32(32), [b"data"], whole[:1])


def test_cmac_of_a_hostile_length_is_refused_at_its_parameter() -> None:
    with pytest.raises(Pkcs11Error, match="SIGNATURE_LEN_RANGE: a MAC of 17 bytes"):
        run.sign(CKM.AES_CMAC_GENERAL, keys.aes_key(bytes(16)), u32(17), [b"data"])
