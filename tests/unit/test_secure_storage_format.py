# SPDX-License-Identifier: Apache-2.0
"""Formats last: a recorded store of each opens, and a second reader, written from docs/storage-format.md, agrees."""

import json
import struct
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from softee.stores.base import StoreError
from softee.stores.memory import MemoryStore
from softee.tee.installation import rewrap
from softee.tee.sealing import SealKey
from softee.tee.secure_storage import WrongRootKeyError
from support.stores import APPLICATION, ROOT_KEY, FailingStore, open_storage, snapshot

USER_KEY = bytes(range(100, 132))
VAULT = b"slot-0"


def derive(secret: bytes, label: str, context: bytes = b"") -> bytes:
    return HKDF(SHA256(), 32, salt=None, info=label.encode() + b"\0" + context).derive(secret)


def store_key(vault: bytes, kind: int, number: int) -> bytes:
    return APPLICATION.bytes + bytes([len(vault)]) + vault + bytes([kind]) + number.to_bytes(4, "big")


INSTALLATION = store_key(b"", 1, 0)


class Recorded:
    """A recorded store of a format, and the second reader."""

    def __init__(self, version: int) -> None:
        self.version = version
        texts = json.loads(Path(__file__).with_name(f"storage-format-{version}.json").read_text())
        self.records = {bytes.fromhex(key): bytes.fromhex(value) for key, value in texts.items()}

    def loaded(self) -> MemoryStore:
        store = MemoryStore()
        store.commit(expected={}, puts=self.records)
        return store

    def unseal(self, secret: bytes, vault: bytes, kind: int, number: int, version: int) -> bytes:
        record = self.records[store_key(vault, kind, number)]
        written = bytes([self.version if kind == 1 else 1, kind])
        assert record[:6] == b"STEE" + written
        bound = b"STEE" + written + APPLICATION.bytes + struct.pack("<IQ", number, version) + vault
        return AESGCMSIV(derive(secret, "softee/1/seal")).decrypt(record[6:18], record[18:], bound)

    def storage_secret(self) -> bytes:
        """Return the parent of the vaults' keys, and check what stands beside it."""
        plaintext = self.unseal(derive(ROOT_KEY, "softee/1/installation", APPLICATION.bytes), b"", 1, 0, 0)
        secret, rest = (b"", plaintext) if self.version == 1 else (plaintext[:32], plaintext[32:])
        assert rest[16:] == struct.pack("<II6sI6s", 2, 6, b"slot-0", 6, b"slot-1")
        return secret or derive(ROOT_KEY, "softee/1/application", rest[:16] + APPLICATION.bytes)


@pytest.fixture(params=[1, 2])
def recorded(request: pytest.FixtureRequest) -> Recorded:
    return Recorded(request.param)


def assert_opens(store: MemoryStore, root_key: bytes = ROOT_KEY) -> None:
    vault = open_storage(store, root_key).vault("slot-0")
    assert vault.head == b"the application's data"
    assert vault.find([vault.key.term(b"red")]) == [1, 128]
    assert vault.read(1, vault.key) == b"a public object"
    assert vault.read(128, SealKey(USER_KEY)) == b"a private object"
    assert vault.change().add(b"", vault.key, 0, []) == 130
    assert open_storage(store, root_key).vault("slot-1").find([]) == []


def test_the_recorded_store_opens(recorded: Recorded) -> None:
    assert_opens(recorded.loaded())


def test_a_reader_written_from_the_documentation_agrees(recorded: Recorded) -> None:
    vault = derive(recorded.storage_secret(), "softee/1/vault", VAULT)
    structure, objects = derive(vault, "softee/1/structure"), derive(vault, "softee/1/objects")

    head = recorded.unseal(structure, VAULT, 2, 0, 0)
    size = len(b"the application's data")
    assert struct.unpack_from(f"<QII{size}sI", head) == (2, 130, size, b"the application's data", 2)
    rows = list(struct.iter_unpack("<IQ32s", head[20 + size :]))
    assert [row[:2] for row in rows] == [(0, 2), (1, 1)]

    entries = {}
    for page, epoch, page_hash in rows:
        assert sha256(recorded.records[store_key(VAULT, 3, page)]).digest() == page_hash
        plaintext = recorded.unseal(structure, VAULT, 3, page, epoch)
        while plaintext:
            number, version, tag, compartment, terms = struct.unpack_from("<IQ16sBB", plaintext)
            entries[number] = (version, compartment, plaintext[30 : 30 + 16 * terms])
            assert sha256(recorded.records[store_key(VAULT, 4, number)]).digest()[:16] == tag
            plaintext = plaintext[30 + 16 * terms :]
    assert {number: entry[:2] for number, entry in entries.items()} == {1: (2, 0), 128: (1, 1), 129: (1, 0)}
    assert entries[1][2] == SealKey(objects).term(b"red")
    assert recorded.unseal(objects, VAULT, 4, 1, 2) == b"a public object"
    assert recorded.unseal(USER_KEY, VAULT, 4, 128, 1) == b"a private object"


def test_nothing_else_is_in_the_recorded_store(recorded: Recorded) -> None:
    kinds = [(b"", 1, 0), (VAULT, 2, 0), (VAULT, 3, 0), (VAULT, 3, 1), (b"slot-1", 2, 0)]
    assert recorded.records.keys() == {
        store_key(*place) for place in [*kinds, *((VAULT, 4, number) for number in (1, 128, 129))]
    }


def test_format_1_becomes_format_2_in_one_record_and_opens_as_before() -> None:
    store = Recorded(1).loaded()
    open_storage(store)
    changed = {key for key, record in snapshot(store).items() if record != Recorded(1).records[key]}
    assert changed == {INSTALLATION}
    assert snapshot(store)[INSTALLATION][4] == 2
    assert_opens(store)
    before = snapshot(store)
    open_storage(store)
    assert snapshot(store) == before


def test_format_1_gets_another_root_key_and_opens_as_before() -> None:
    store, new_key = Recorded(1).loaded(), bytes(range(32, 64))
    assert rewrap(store, [APPLICATION], ROOT_KEY, new_key) == [APPLICATION]
    assert snapshot(store)[INSTALLATION][4] == 2
    assert_opens(store, new_key)
    with pytest.raises(WrongRootKeyError):
        open_storage(store)


def test_format_1_that_cannot_be_written_anew_stays_whole() -> None:
    store = FailingStore(Recorded(1).loaded())
    store.failing = True
    with pytest.raises(StoreError):
        open_storage(store)
    assert snapshot(store) == Recorded(1).records
    store.failing = False
    open_storage(store)


def test_a_record_that_is_passed_off_as_one_of_an_older_format_does_not_open() -> None:
    record = bytearray(Recorded(2).records[INSTALLATION])
    record[4] = 1
    store = Recorded(2).loaded()
    store.commit(expected={}, puts={INSTALLATION: bytes(record)})
    with pytest.raises(WrongRootKeyError):
        open_storage(store)
