# SPDX-License-Identifier: Apache-2.0
"""Digests: NIST CAVS short and long messages, RFC 1321, RFC 7693 and BLAKE2's own."""

import hashlib

import pytest

from softee.names import CKM
from support import mechanism_runs as run
from vectors.reading import records

FILES = {
    CKM.MD5: ["MD5/rfc-1321.txt"],
    CKM.SHA_1: ["SHA1/SHA1ShortMsg.rsp", "SHA1/SHA1LongMsg.rsp"],
    CKM.SHA224: ["SHA2/SHA224ShortMsg.rsp", "SHA2/SHA224LongMsg.rsp"],
    CKM.SHA256: ["SHA2/SHA256ShortMsg.rsp", "SHA2/SHA256LongMsg.rsp"],
    CKM.SHA384: ["SHA2/SHA384ShortMsg.rsp", "SHA2/SHA384LongMsg.rsp"],
    CKM.SHA512: ["SHA2/SHA512ShortMsg.rsp", "SHA2/SHA512LongMsg.rsp"],
    CKM.SHA512_224: ["SHA2/SHA512_224ShortMsg.rsp", "SHA2/SHA512_224LongMsg.rsp"],
    CKM.SHA512_256: ["SHA2/SHA512_256ShortMsg.rsp", "SHA2/SHA512_256LongMsg.rsp"],
    CKM.SHA3_224: ["SHA3/SHA3_224ShortMsg.rsp", "SHA3/SHA3_224LongMsg.rsp"],
    CKM.SHA3_256: ["SHA3/SHA3_256ShortMsg.rsp", "SHA3/SHA3_256LongMsg.rsp"],
    CKM.SHA3_384: ["SHA3/SHA3_384ShortMsg.rsp", "SHA3/SHA3_384LongMsg.rsp"],
    CKM.SHA3_512: ["SHA3/SHA3_512ShortMsg.rsp", "SHA3/SHA3_512LongMsg.rsp"],
    CKM.BLAKE2B_512: ["blake2/blake2b.txt"],
}
BLAKE2B = (CKM.BLAKE2B_160, CKM.BLAKE2B_256, CKM.BLAKE2B_384, CKM.BLAKE2B_512)
SIZES = (20, 32, 48, 64)


@pytest.mark.parametrize("mechanism", FILES, ids=lambda mechanism: mechanism.name)
def test_digests(mechanism: CKM) -> None:
    count = 0
    for path in FILES[mechanism]:
        for record in records(f"hashes/{path}", last="MD"):
            message = bytes.fromhex(record["Msg"])[: int(record["Len"]) // 8]
            assert run.digest(mechanism, [message]).hex() == record["MD"]
            assert run.digest(mechanism, [message[:3], message[3:]]).hex() == record["MD"]
            count += 1
    assert count >= 7


def sequence(size: int) -> bytes:
    """Return the input of RFC 7693's self-test, which is made as a sequence of Fibonacci's."""
    last, this = 0xDEAD4BAD * size % 2**32, 1
    made = bytearray()
    for _ in range(size):
        last, this = this, (last + this) % 2**32
        made.append(this >> 24)
    return bytes(made)


def test_blake2b_of_every_size_by_the_self_test_of_rfc_7693() -> None:
    """Appendix E digests digests of each size, half of them with keys, which are Python's own."""
    everything = hashlib.blake2b(digest_size=32)
    for mechanism, size in zip(BLAKE2B, SIZES, strict=True):
        for length in (0, 3, 128, 129, 255, 1024):
            message = sequence(length)
            everything.update(run.digest(mechanism, [message[:2], message[2:]]))
            everything.update(hashlib.blake2b(message, digest_size=size, key=sequence(size)).digest())
    assert everything.hexdigest() == "c23a7800d98123bd10f506c61e29da5603d763b8bbad2e737f5e765a7bccd475"


@pytest.mark.parametrize(
    ("mechanism", "expected"),
    [
        (CKM.BLAKE2B_160, "384264f676f39536840523f284921cdc68b6846b"),
        (CKM.BLAKE2B_256, "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319"),
        (
            CKM.BLAKE2B_384,
            "6f56a82c8e7ef526dfe182eb5212f7db9df1317e57815dbda46083fc30f54ee6c66ba83be64b302d7cba6ce15bb556f4",
        ),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_blake2b_of_abc(mechanism: CKM, expected: str) -> None:
    assert run.digest(mechanism, [b"abc"]).hex() == expected
