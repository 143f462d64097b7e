# SPDX-License-Identifier: Apache-2.0
"""SoftHSM2's tokens are read from files and from databases alike; what is hostile or damaged is told and not taken."""

import os
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from pathlib import Path

import pytest

from softee.cli.failure import CliError
from softee.cli.softhsm import database as softhsm_database
from softee.cli.softhsm import files as softhsm_files
from softee.cli.softhsm.files import decode_object
from softee.cli.softhsm.place import label_of, the_token, token_folder
from softee.cli.softhsm.secrets import decrypted, unlocked
from softee.cli.softhsm.stored import MOST_ATTRIBUTES, BadStoreError, Mechanisms, Nested, StoredObject
from softee.cli.softhsm.templates import NotTakenError, opened, template_of
from softee.names import CKA, CKK, CKM, CKO
from softee.pkcs11_ta.attributes.secret_bytes import SecretBytes
from softee.wire.codec import WireError
from support.softhsm import (
    KEY,
    PIN,
    Attributes,
    encode,
    encrypted,
    locked,
    private,
    token_object,
    write_database,
    write_files,
)

AES: Attributes = {
    CKA.CLASS: int(CKO.SECRET_KEY),
    CKA.KEY_TYPE: int(CKK.AES),
    CKA.TOKEN: True,
    CKA.PRIVATE: True,
    CKA.LABEL: b"aes",
    CKA.ID: b"",
    CKA.VALUE: bytes(16),
    CKA.VALUE_LEN: 16,
    CKA.CHECK_VALUE: b"abc",
    CKA.SENSITIVE: True,
    CKA.EXTRACTABLE: False,
    CKA.LOCAL: True,
    CKA.NEVER_EXTRACTABLE: False,
    CKA.KEY_GEN_MECHANISM: (1 << 64) - 1,
    CKA.TRUSTED: False,
    CKA.WRAP_TEMPLATE: Nested(0),
    CKA.ALLOWED_MECHANISMS: Mechanisms(()),
}
DATA: Attributes = {CKA.CLASS: int(CKO.DATA), CKA.TOKEN: True, CKA.PRIVATE: False, CKA.VALUE: b"public"}

Write = Callable[[Path, Attributes, Sequence[Attributes]], None]
WRITERS = pytest.mark.parametrize("write", [write_files, write_database])


def token_key() -> SecretBytes:
    return SecretBytes(KEY)


@WRITERS
def test_a_token_is_read_the_same_from_files_and_from_a_database(tmp_path: Path, write: Write) -> None:
    write(tmp_path / "tokens" / "one", token_object(), [private(AES), DATA])
    for folder in (tmp_path / "tokens", tmp_path / "tokens" / "one"):
        token = the_token(folder, "old")
        assert label_of(token) == "old"
        blob = token.about.attributes[0x8000534D]
        assert isinstance(blob, bytes)
        assert unlocked(blob, bytearray(PIN)) == token_key()
        assert unlocked(blob, bytearray(b"wrong")) is None
        assert [dict(opened(one, token_key())) for one in token.objects] == [AES, DATA]


def test_an_object_becomes_what_another_token_makes_the_same_of() -> None:
    taken = template_of(AES | {CKA.ALLOWED_MECHANISMS: Mechanisms((CKM.AES_CBC,))})
    assert taken.template == {
        CKA.CLASS: int(CKO.SECRET_KEY),
        CKA.KEY_TYPE: int(CKK.AES),
        CKA.TOKEN: True,
        CKA.PRIVATE: True,
        CKA.LABEL: b"aes",
        CKA.VALUE: bytes(16),
        CKA.SENSITIVE: True,
        CKA.EXTRACTABLE: False,
        CKA.ALLOWED_MECHANISMS: int(CKM.AES_CBC).to_bytes(8, "little"),
    }
    assert taken.left_out == ["CKA_LOCAL"]
    assert template_of(AES | {CKA.TRUSTED: True, 0x80001234: b"vendor's"}).left_out == [
        "CKA_LOCAL",
        "CKA_TRUSTED",
        "attribute 0x80001234",
    ]


def test_what_would_lose_its_protection_or_is_unknown_is_not_taken() -> None:
    with pytest.raises(NotTakenError, match="its CKA_WRAP_TEMPLATE would be lost, which protects it"):
        template_of(AES | {CKA.WRAP_TEMPLATE: Nested(17)})
    nothing: Attributes = {}
    for attributes in (nothing, AES | {CKA.KEY_TYPE: int(CKK.DSA)}, AES | {CKA.CLASS: 99}, AES | {CKA.CLASS: True}):
        with pytest.raises(NotTakenError, match="softee's tokens have no such object"):
            template_of(attributes)


def test_nothing_secret_is_shown_of_what_was_read() -> None:
    stored = StoredObject("name", private(AES))
    assert "attributes" not in repr(stored)
    found = opened(StoredObject("name", private(AES | {CKA.VALUE: b"a secret value.."})), token_key())
    assert "a secret value" not in repr(found)
    assert "a secret value" not in repr(template_of(found))


def test_what_does_not_decrypt_is_damage_of_that_object_alone(tmp_path: Path) -> None:
    bad = private(AES) | {CKA.LABEL: b"shorter than a block"}
    write_files(tmp_path / "one", token_object(), [bad, DATA])
    one, other = the_token(tmp_path, None).objects
    with pytest.raises(NotTakenError, match=r"00000000\.object is damaged: an encrypted value does not decrypt"):
        opened(one, token_key())
    assert opened(other, token_key()) == DATA


@WRITERS
def test_attack_too_many_objects_are_refused(tmp_path: Path, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "one", token_object(), [DATA, AES])
    for module in (softhsm_files, softhsm_database):
        monkeypatch.setattr(module, "MOST_OBJECTS", 1)
    with pytest.raises((BadStoreError, CliError), match="more than 1 objects"):
        the_token(tmp_path, None)


def test_attack_a_file_that_is_too_large_or_gone_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_files(tmp_path / "one", token_object(), [DATA])
    with pytest.raises(BadStoreError, match=r"token\.object cannot be read"):
        softhsm_files.read_folder(tmp_path)
    monkeypatch.setattr(softhsm_files, "LARGEST", 8)
    with pytest.raises(BadStoreError, match="has more than 8 bytes"):
        softhsm_files.read_folder(tmp_path / "one")


@WRITERS
def test_a_damaged_object_is_told_and_the_others_are_read(tmp_path: Path, write: Write) -> None:
    write(tmp_path / "one", token_object(), [DATA, AES])
    if write is write_files:
        (tmp_path / "one" / "00000000.object").write_bytes(encode(DATA)[:-1])
    else:
        with closing(sqlite3.connect(tmp_path / "one" / "sqlite3.db")) as database:
            database.execute("UPDATE attribute_binary SET value = 'text' WHERE object_id = 2")
            database.commit()
    bad, good = the_token(tmp_path, None).objects
    with pytest.raises(NotTakenError, match="is damaged"):
        opened(bad, token_key())
    assert good.attributes == AES


def test_which_token_is_meant_must_be_said_where_there_are_several(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_files(tmp_path / name, token_object(name.encode()), [])
    with pytest.raises(CliError, match="has 2 such tokens; give --from LABEL"):
        the_token(tmp_path, None)
    assert label_of(the_token(tmp_path, "two")) == "two"
    with pytest.raises(CliError, match="has no such token"):
        the_token(tmp_path, "three")
    with pytest.raises(CliError, match="cannot be read: No such file"):
        the_token(tmp_path / "none", None)
    (tmp_path / "one" / "token.object").write_bytes(b"")
    with pytest.raises(CliError, match=r"token cannot be read: token.object is damaged"):
        the_token(tmp_path, None)


def test_the_folder_is_the_one_that_the_configuration_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "softhsm2.conf"
    file.write_text(f"# a comment\nobjectstore.backend = file\ndirectories.tokendir = {tmp_path}/tokens\n")
    monkeypatch.setenv("SOFTHSM2_CONF", str(file))
    assert token_folder() == tmp_path / "tokens"
    file.write_text("directories.tokendir =\n")
    with pytest.raises(CliError, match=r"names no directories.tokendir"):
        token_folder()
    monkeypatch.delenv("SOFTHSM2_CONF")
    monkeypatch.setenv("HOME", str(tmp_path))
    own = tmp_path / ".config" / "softhsm2" / "softhsm2.conf"
    own.parent.mkdir(parents=True)
    own.write_text("directories.tokendir = /own\n")
    assert token_folder() == Path("/own")


def test_a_pin_s_record_of_another_size_is_damage() -> None:
    for size in (0, 71, 73):
        with pytest.raises(BadStoreError, match=f"has {size} bytes"):
            unlocked(bytes(size), bytearray(PIN))
    assert decrypted(token_key(), b"") == b""
    assert decrypted(token_key(), encrypted(KEY, b"value")) == b"value"
    for value in (b"x", bytes(16), bytes(31), bytes(48)):
        with pytest.raises(BadStoreError):
            decrypted(token_key(), value)


def test_attack_every_bit_of_a_pin_s_record_counts() -> None:
    blob = locked(KEY, PIN)
    for place in range(len(blob)):
        changed = bytearray(blob)
        changed[place] ^= 1
        assert unlocked(bytes(changed), bytearray(PIN)) != token_key() or 8 <= place < 11 or place >= len(blob) - 32


def test_attack_a_file_cut_off_anywhere_is_refused() -> None:
    whole = encode(AES | {CKA.ALLOWED_MECHANISMS: Mechanisms((1, 2))})
    refused = 0
    for end in range(len(whole)):
        try:
            assert len(decode_object(whole[:end])) < len(AES), "less is there, up to an attribute's end"
        except WireError:
            refused += 1
    assert refused == len(whole) - len(AES)


def test_attack_sizes_and_counts_that_are_not_there_cost_nothing() -> None:
    head = bytes(8) + bytes(8)
    for kind in (3, 4, 5):
        for count in (1, 1 << 32, (1 << 64) - 1):
            with pytest.raises(WireError):
                decode_object(head + kind.to_bytes(8, "big") + count.to_bytes(8, "big"))
    with pytest.raises(WireError, match="an attribute of kind 6"):
        decode_object(head + (6).to_bytes(8, "big"))
    one = bytes(8) + (1).to_bytes(8, "big") + b"\0"
    with pytest.raises(WireError, match="twice"):
        decode_object(bytes(8) + one + one)
    many: Attributes = dict.fromkeys(range(MOST_ATTRIBUTES + 1), True)
    with pytest.raises(WireError, match="too many"):
        decode_object(encode(many))


HOSTILE = {
    "a view in a table's place": "DROP TABLE attribute_binary; CREATE VIEW attribute_binary AS SELECT 1 AS value, 2 AS"
    " type, 3 AS object_id, 4 AS id",
    "a table is missing": "DROP TABLE object",
    "a table without a column": "DROP TABLE attribute_binary; CREATE TABLE attribute_binary (value blob, type integer)",
    "a virtual table": "DROP TABLE attribute_binary; CREATE VIRTUAL TABLE attribute_binary"
    " USING fts5(value, type, object_id)",
    "the token is missing": "DELETE FROM object WHERE id = 1",
    "a type is text": "UPDATE attribute_binary SET type = 'text' WHERE object_id = 1",
    "a value is text": "UPDATE attribute_binary SET value = 'text' WHERE object_id = 1",
    "a value is too long": "UPDATE attribute_binary SET value = zeroblob(40000000) WHERE object_id = 1",
    "an attribute stands there twice": "INSERT INTO attribute_binary (value, type, object_id)"
    " SELECT value, type, object_id FROM attribute_binary WHERE object_id = 1",
}


@pytest.mark.parametrize("what", HOSTILE)
def test_attack_a_database_that_is_not_softhsm_s_is_refused(tmp_path: Path, what: str) -> None:
    write_database(tmp_path / "one", token_object(), [DATA])
    with closing(sqlite3.connect(tmp_path / "one" / "sqlite3.db")) as database:
        database.executescript(HOSTILE[what])
    with pytest.raises(CliError, match="SoftHSM2's token cannot be read"):
        the_token(tmp_path, None)


@pytest.mark.parametrize("table", ["boolean", "integer", "array", "binary"])
def test_attack_values_of_another_type_are_damage(tmp_path: Path, table: str) -> None:
    write_database(tmp_path / "one", token_object(), [AES])
    with closing(sqlite3.connect(tmp_path / "one" / "sqlite3.db")) as database:
        database.execute(f"UPDATE attribute_{table} SET value = 1.5 WHERE object_id = 2")  # noqa: S608
        database.commit()
    (damaged,) = the_token(tmp_path, None).objects
    assert damaged.damage


def test_attack_every_byte_of_a_database_may_be_another_one(tmp_path: Path) -> None:
    write_database(tmp_path / "one", token_object(), [AES])
    file = tmp_path / "one" / "sqlite3.db"
    whole = file.read_bytes()
    for place in [*range(200), *range(200, len(whole), 97)]:
        file.write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
        with suppress(CliError):
            the_token(tmp_path, None)


def test_attack_a_pipe_in_a_file_s_place_is_not_waited_for(tmp_path: Path) -> None:
    write_files(tmp_path / "one", token_object(), [DATA])
    os.mkfifo(tmp_path / "one" / "ffffffff.object")
    assert len(the_token(tmp_path, None).objects) == 1
    (tmp_path / "two").mkdir()
    os.mkfifo(tmp_path / "two" / "sqlite3.db")
    os.mkfifo(tmp_path / "two" / "token.object")
    assert label_of(the_token(tmp_path, None)) == "old"


def test_nothing_is_written_to_what_is_read(tmp_path: Path) -> None:
    for write in (write_files, write_database):
        folder = tmp_path / write.__name__
        write(folder, token_object(), [AES])
        before = {file.name: (file.read_bytes(), file.stat().st_mtime_ns) for file in folder.iterdir()}
        the_token(folder, None)
        assert {file.name: (file.read_bytes(), file.stat().st_mtime_ns) for file in folder.iterdir()} == before
