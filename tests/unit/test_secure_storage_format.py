# SPDX-License-Identifier: Apache-2.0
"""Format version 1 lasts: a recorded store opens, and a second reader, written from docs/storage-format.md, agrees."""

import json
import struct
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from softee.stores.memory import MemoryStore
from softee.tee.sealing import SealKey
from support.stores import APPLICATION, ROOT_KEY, open_storage

RECORDED = {
    bytes.fromhex(key): bytes.fromhex(value)
    for key, value in json.loads(Path(__file__).with_name("storage-format-1.json").read_text()).items()
}
USER_KEY = bytes(range(100, 132))
VAULT = b"slot-0"


def derive(secret: bytes, label: str, context: bytes = b"") -> bytes:
    return HKDF(SHA256(), 32, salt=None, info=label.encode() + b"\0" + context).derive(secret)


def store_key(vault: bytes, kind: int, number: int) -> bytes:
    return APPLICATION.bytes + bytes([len(vault)]) + vault + bytes([kind]) + number.to_bytes(4, "big")


def unseal(secret: bytes, vault: bytes, kind: int, number: int, version: int) -> bytes:
    record = RECORDED[store_key(vault, kind, number)]
    assert record[:6] == b"STEE" + bytes([1, kind])
    bound = b"STEE" + bytes([1, kind]) + APPLICATION.bytes + struct.pack("<IQ", number, version) + vault
    return AESGCMSIV(derive(secret, "softee/1/seal")).decrypt(record[6:18], record[18:], bound)


def test_the_recorded_store_opens() -> None:
    store = MemoryStore()
    store.commit(expected={}, puts=RECORDED)
    vault = open_storage(store).vault("slot-0")
    assert vault.head == b"the application's data"
    assert vault.find([vault.key.term(b"red")]) == [1, 128]
    assert vault.read(1, vault.key) == b"a public object"
    assert vault.read(128, SealKey(USER_KEY)) == b"a private object"
    assert vault.change().add(b"", vault.key, 0, []) == 130
    assert open_storage(store).vault("slot-1").find([]) == []


def test_a_reader_written_from_the_documentation_agrees() -> None:
    installation = unseal(derive(ROOT_KEY, "softee/1/installation", APPLICATION.bytes), b"", 1, 0, 0)
    assert installation[16:] == struct.pack("<II6sI6s", 2, 6, b"slot-0", 6, b"slot-1")
    application = derive(ROOT_KEY, "softee/1/application", installation[:16] + APPLICATION.bytes)
    vault = derive(application, "softee/1/vault", VAULT)
    structure, objects = derive(vault, "softee/1/structure"), derive(vault, "softee/1/objects")

    head = unseal(structure, VAULT, 2, 0, 0)
    size = len(b"the application's data")
    assert struct.unpack_from(f"<QII{size}sI", head) == (2, 130, size, b"the application's data", 2)
    rows = list(struct.iter_unpack("<IQ32s", head[20 + size :]))
    assert [row[:2] for row in rows] == [(0, 2), (1, 1)]

    entries = {}
    for page, epoch, page_hash in rows:
        assert sha256(RECORDED[store_key(VAULT, 3, page)]).digest() == page_hash
        plaintext = unseal(structure, VAULT, 3, page, epoch)
        while plaintext:
            number, version, tag, compartment, terms = struct.unpack_from("<IQ16sBB", plaintext)
            entries[number] = (version, compartment, plaintext[30 : 30 + 16 * terms])
            assert sha256(RECORDED[store_key(VAULT, 4, number)]).digest()[:16] == tag
            plaintext = plaintext[30 + 16 * terms :]
    assert {number: entry[:2] for number, entry in entries.items()} == {1: (2, 0), 128: (1, 1), 129: (1, 0)}
    assert entries[1][2] == SealKey(objects).term(b"red")
    assert unseal(objects, VAULT, 4, 1, 2) == b"a public object"
    assert unseal(USER_KEY, VAULT, 4, 128, 1) == b"a private object"


def test_nothing_else_is_in_the_recorded_store() -> None:
    kinds = [(b"", 1, 0), (VAULT, 2, 0), (VAULT, 3, 0), (VAULT, 3, 1), (b"slot-1", 2, 0)]
    assert RECORDED.keys() == {
        store_key(*place) for place in [*kinds, *((VAULT, 4, number) for number in (1, 128, 129))]
    }
