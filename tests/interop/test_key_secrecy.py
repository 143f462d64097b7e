# SPDX-License-Identifier: Apache-2.0
"""Invariant 1: a private key's value never leaves the secure world, so it is nowhere in the application's memory."""

import mmap
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest

from interop.tools import PIN, Programs
from softee.names import CKA, CKK, CKO, CKU, PKCS11_APPLICATION, LoginMethod
from softee.pkcs11_ta.application import Pkcs11Application, vaults
from softee.pkcs11_ta.session.authentication import Authenticator
from softee.stores.sqlite import SqliteStore
from softee.tee.application import ClientIdentity
from softee.tee.secure_storage import SecureStorage
from support.secure_world import RunningDaemon
from support.token_world import NOW

RSA_VALUES = (
    CKA.PRIVATE_EXPONENT, CKA.PRIME_1, CKA.PRIME_2, CKA.EXPONENT_1, CKA.EXPONENT_2, CKA.COEFFICIENT,
)  # fmt: skip
CLIENT = Path(__file__).with_name("memory_client.py")


def private_values(state: Path, root_key: Path) -> dict[str, bytes]:
    """Read the values inside the secure world: open the stored token with the root key and the PIN."""
    store = SqliteStore(state / "softee.db")
    storage = SecureStorage(store, root_key.read_bytes(), PKCS11_APPLICATION, vaults(3))
    application = Pkcs11Application(storage, clock=lambda: NOW)
    token = application.slots.token(0)
    session = application.client(ClientIdentity(1, 0, 0, LoginMethod.PUBLIC, UUID(int=0))).open(token, read_write=False)
    Authenticator(application.pins).login(session, CKU.USER, bytearray(PIN.encode()))
    values: dict[str, bytes] = {}
    for handle in token.objects.find({CKA.CLASS: CKO.PRIVATE_KEY}, private=True):
        attributes = token.objects.get(handle, private=True).attributes
        is_rsa = attributes[CKA.KEY_TYPE] == CKK.RSA
        wanted = RSA_VALUES if is_rsa else (CKA.VALUE,)
        for attribute in wanted:
            value = attributes[attribute]
            assert isinstance(value, bytes | bytearray)
            values[f"{'RSA' if is_rsa else 'EC'} {attribute.name}"] = bytes(value)
    store.close()
    return values


def both_orders(value: bytes) -> Iterator[bytes]:
    """Yield a value as it may stand in memory: big and little endian, without leading zeros."""
    value = value.lstrip(b"\0")
    yield value
    yield value[::-1]


@pytest.fixture
def memory(programs: Programs, daemon: RunningDaemon) -> Iterator[tuple[mmap.mmap, bytes]]:
    """The memory of an application that has generated and used keys, and a value that it planted there."""
    programs.init_token()
    file = programs.directory / "memory"
    planted = bytes.fromhex(programs.run(sys.executable, CLIENT, programs.module, PIN, file).strip())
    daemon.stop()
    with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as content:
        yield content, planted


def test_private_values_are_nowhere_in_the_applications_memory(
    memory: tuple[mmap.mmap, bytes], daemon: RunningDaemon
) -> None:
    content, planted = memory
    values = private_values(daemon.state, daemon.root_key)
    assert len(values) == len(RSA_VALUES) + 1
    assert content.find(planted) >= 0, "the search finds nothing at all"
    for name, value in values.items():
        assert len(value) >= 31
        for shape in both_orders(value):
            assert content.find(shape) < 0, f"the application has {name}"
            assert content.find(shape[: len(shape) // 2]) < 0, f"the application has half of {name}"
