# SPDX-License-Identifier: Apache-2.0
"""Tokens as SoftHSM2 stores them, written by the test: in files, and in a database per its schema.

Debian's SoftHSM2 is built without the SQLite back end, so its databases are these alone.
"""

import os
import sqlite3
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.hashes import SHA256, Hash
from cryptography.hazmat.primitives.padding import PKCS7

from softee.cli.softhsm.place import LABEL, USER_PIN
from softee.cli.softhsm.stored import Mechanisms, Nested, Stored

Attributes = dict[int, Stored]

KEY = bytes(range(32))
PIN = b"54321"

_SCHEMA = """
create table object (id integer primary key autoincrement);
create table attribute_text (value text, type integer, object_id integer references object(id) on delete cascade,
    id integer primary key autoincrement);
create table attribute_integer (value integer, type integer, object_id integer references object(id) on delete cascade,
    id integer primary key autoincrement);
create table attribute_binary (value blob, type integer, object_id integer references object(id) on delete cascade,
    id integer primary key autoincrement);
create table attribute_array (value blob, type integer, object_id integer references object(id) on delete cascade,
    id integer primary key autoincrement);
create table attribute_boolean (value boolean, type integer, object_id integer references object(id) on delete cascade,
    id integer primary key autoincrement);
create table attribute_datetime (value datetime, type integer, object_id integer references object(id)
    on delete cascade, id integer primary key autoincrement);
create table attribute_real (value real, type integer, object_id integer references object(id) on delete cascade,
    id integer primary key autoincrement);
"""


def encrypted(key: bytes, value: bytes) -> bytes:
    """Return bytes as a private object has them."""
    vector, padder = os.urandom(16), PKCS7(128).padder()
    encryptor = Cipher(AES256(key), CBC(vector)).encryptor()
    return vector + encryptor.update(padder.update(value) + padder.finalize()) + encryptor.finalize()


def locked(key: bytes, pin: bytes) -> bytes:
    """Return a token's key under a PIN."""
    salt = os.urandom(8)
    found = salt + pin
    for _ in range(1500 + salt[-1]):
        digest = Hash(SHA256())
        digest.update(found)
        found = digest.finalize()
    return salt + encrypted(found, b"RJR" + key)


def token_object(label: bytes = b"old", pin: bytes = PIN) -> Attributes:
    """Return what a token says of itself."""
    return {LABEL: label.ljust(32), USER_PIN: locked(KEY, pin)}


def private(attributes: Attributes) -> Attributes:
    """Return a private object as it is stored."""
    return {one: encrypted(KEY, value) if isinstance(value, bytes) else value for one, value in attributes.items()}


def encode(attributes: Attributes) -> bytes:
    """Return an object's file."""
    content = _ulong(1)
    for attribute, value in attributes.items():
        content += _ulong(attribute) + _encoded(value)
    return content


def _ulong(value: int) -> bytes:
    return value.to_bytes(8, "big")


def _encoded(value: Stored) -> bytes:
    match value:
        case bool():
            return _ulong(1) + (b"\xff" if value else b"\0")
        case int():
            return _ulong(2) + _ulong(value)
        case bytes():
            return _ulong(3) + _ulong(len(value)) + value
        case Nested(size):
            return _ulong(4) + _ulong(size) + bytes(size)
        case Mechanisms(numbers):
            return _ulong(5) + _ulong(len(numbers)) + b"".join(map(_ulong, numbers))


def write_files(folder: Path, token: Attributes, objects: Sequence[Attributes]) -> None:
    """Write a token's folder."""
    folder.mkdir(parents=True)
    (folder / "token.object").write_bytes(encode(token))
    for number, one in enumerate(objects):
        (folder / f"{number:08}.object").write_bytes(encode(one))


def write_database(folder: Path, token: Attributes, objects: Sequence[Attributes]) -> None:
    """Write a token's folder with its database."""
    folder.mkdir(parents=True)
    with closing(sqlite3.connect(folder / "sqlite3.db")) as database:
        database.executescript(_SCHEMA)
        for number, one in enumerate((token, *objects), 1):
            database.execute("INSERT INTO object DEFAULT VALUES")
            for attribute, value in one.items():
                table, stored = _row(value)
                query = f"INSERT INTO {table} (value, type, object_id) VALUES (?, ?, ?)"  # noqa: S608
                database.execute(query, (stored, attribute, number))
        database.commit()


def _row(value: Stored) -> tuple[str, object]:
    match value:
        case bool():
            return "attribute_boolean", int(value)
        case int():
            return "attribute_integer", value - (1 << 64) if value >> 63 else value
        case bytes():
            return "attribute_binary", value
        case Nested(size):
            return "attribute_array", bytes(size)
        case Mechanisms(numbers):
            return "attribute_binary", b"".join(number.to_bytes(8, sys.byteorder) for number in numbers)
