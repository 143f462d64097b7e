# SPDX-License-Identifier: Apache-2.0
"""AES key wrap: NIST's known answers for KW and KWP, RFC 3394's, and Wycheproof's altered ciphertexts and paddings."""

import pytest

from softee.names import CKM, CKR
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from support import keys
from support import mechanism_runs as run
from vectors.reading import records, wycheproof

FOLDER = "keywrap/kwtestvectors"
NAMES = {CKM.AES_KEY_WRAP: "KW", CKM.AES_KEY_WRAP_KWP: "KWP"}
BAD = {CKR.ENCRYPTED_DATA_INVALID, CKR.ENCRYPTED_DATA_LEN_RANGE}
each = pytest.mark.parametrize("mechanism", NAMES, ids=lambda one: one.name)


def check_both_ways(mechanism: CKM, key: bytes, plain: bytes, wrapped: bytes) -> None:
    """As data, and as a key."""
    secret = keys.aes_key(key)
    assert run.encrypt(mechanism, secret, b"", plain) == wrapped
    assert run.decrypt(mechanism, secret, b"", wrapped) == plain
    assert run.wrap(mechanism, secret, b"", plain) == wrapped
    assert run.unwrap(mechanism, secret, b"", wrapped) == plain


def refused(mechanism: CKM, key: bytes, wrapped: bytes) -> None:
    with pytest.raises(Pkcs11Error) as caught:
        run.decrypt(mechanism, keys.aes_key(key), b"", wrapped)
    assert caught.value.rv in BAD
    with pytest.raises(Pkcs11Error) as caught:
        run.unwrap(mechanism, keys.aes_key(key), b"", wrapped)
    assert caught.value.rv in {CKR.WRAPPED_KEY_INVALID, CKR.WRAPPED_KEY_LEN_RANGE}


@each
@pytest.mark.parametrize("bits", [128, 192, 256])
def test_wrapping_of_nist(mechanism: CKM, bits: int) -> None:
    found = list(records(f"{FOLDER}/{NAMES[mechanism]}_AE_{bits}.txt", last="C"))
    assert len(found) == 500
    for record in found:
        check_both_ways(mechanism, *(bytes.fromhex(record[name]) for name in ("K", "P", "C")))


@each
@pytest.mark.parametrize("bits", [128, 192, 256])
def test_unwrapping_of_nist(mechanism: CKM, bits: int) -> None:
    """A record that ends without P was altered."""
    path = f"{FOLDER}/{NAMES[mechanism]}_AD_{bits}.txt"
    plain = {one["C"]: bytes.fromhex(one["P"]) for one in records(path, last="P")}
    bad = 0
    for record in records(path, last="C"):
        key, wrapped = (bytes.fromhex(record[name]) for name in ("K", "C"))
        if record["C"] in plain:
            check_both_ways(mechanism, key, plain[record["C"]], wrapped)
        else:
            refused(mechanism, key, wrapped)
            bad += 1
    assert bad == 100


RFC_3394 = (
    (128, 16, "1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5"),
    (192, 16, "96778b25ae6ca435f92b5b97c050aed2468ab8a17ad84e5d"),
    (256, 16, "64e8c3f9ce0f5ba263e9777905818a2a93c8191e7d6e8ae7"),
    (192, 24, "031d33264e15d33268f24ec260743edce1c6c7ddee725a936ba814915c6762d2"),
    (256, 24, "a8f9bc1612c68b3ff6e6f4fbe30e71e4769c8b80a32cb8958cd5d17d6b254da1"),
    (256, 32, "28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43bfb988b9b7a02dd21"),
)
"""Sections 4.1 to 4.6: size of the key, which counts up from 0, bytes of the data, ciphertext."""


@pytest.mark.parametrize(("bits", "size", "wrapped"), RFC_3394)
def test_key_wrap_of_rfc_3394(bits: int, size: int, wrapped: str) -> None:
    plain = (bytes.fromhex("00112233445566778899aabbccddeeff") + bytes(range(16)))[:size]
    check_both_ways(CKM.AES_KEY_WRAP, bytes(range(bits // 8)), plain, bytes.fromhex(wrapped))


RFC_5649_KEY = bytes.fromhex("5840df6e29b02af1ab493b705bf16ea1ae8338f4dcc176a8")


@pytest.mark.parametrize(
    ("plain", "wrapped"),
    [
        (
            "c37b7e6492584340bed12207808941155068f738",
            "138bdeaa9b8fa7fc61f97742e72248ee5ae6ae5360d1ae6a5f54f373fa543b6a",
        ),
        ("466f7250617369", "afbeb0f07dfbf5419200f2ccb50bb24f"),
    ],
)
def test_key_wrap_with_padding_of_rfc_5649(plain: str, wrapped: str) -> None:
    check_both_ways(CKM.AES_KEY_WRAP_KWP, RFC_5649_KEY, bytes.fromhex(plain), bytes.fromhex(wrapped))


@pytest.mark.parametrize(
    ("mechanism", "counts"),
    [
        (CKM.AES_KEY_WRAP, {"valid": 36, "acceptable": 3, "invalid": 126}),
        (CKM.AES_KEY_WRAP_KWP, {"valid": 77, "invalid": 177}),
    ],
    ids=lambda one: one.name if isinstance(one, CKM) else "",
)
def test_key_wrap_of_wycheproof(mechanism: CKM, counts: dict[str, int]) -> None:
    """What is acceptable there is the empty key, or one of 8 bytes, for which SP 800-38F has no wrapping."""
    found = dict.fromkeys(counts, 0)
    for _, test in wycheproof("aes_wrap" if mechanism is CKM.AES_KEY_WRAP else "aes_kwp"):
        key, plain, wrapped = (bytes.fromhex(test[name]) for name in ("key", "msg", "ct"))
        found[test["result"]] += 1
        if test["result"] == "valid":
            check_both_ways(mechanism, key, plain, wrapped)
        else:
            refused(mechanism, key, wrapped)
    assert found == counts


def test_a_key_padded_by_pkcs7_is_wrapped_as_rfc_3394_wraps_the_padded_bytes() -> None:
    """RFC 3394, 4.6, less the last bytes of its data, which are taken for no padding."""
    key = keys.aes_key(bytes(range(32)))
    plain = bytes.fromhex("00112233445566778899aabbccddeeff0001020304")
    for mechanism in (CKM.AES_KEY_WRAP_PKCS7, CKM.AES_KEY_WRAP_PAD):
        wrapped = run.encrypt(CKM.AES_KEY_WRAP, key, b"", plain + b"\3\3\3")
        assert run.encrypt(mechanism, key, b"", plain) == wrapped
        assert run.wrap(mechanism, key, b"", plain) == wrapped
        assert run.decrypt(mechanism, key, b"", wrapped) == plain
        refused(mechanism, bytes(range(32)), bytes.fromhex(RFC_3394[-1][2]))
