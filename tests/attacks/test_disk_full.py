# SPDX-License-Identifier: Apache-2.0
"""A real disk that takes no more: every change is refused whole, what was there stays, and room lets it go on."""

import os
import resource
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from softee.names import CKA, CKM, CKR, CKU
from softee.stores.reserve import Reserve, ReservingStore
from softee.stores.sqlite import SqliteStore
from support.commands import c
from support.object_calls import create, get, search, wire
from support.token_world import P256, SO_PIN, USER_PIN, Caller, make_application, template


@contextmanager
def full_disk(directory: Path) -> Iterator[None]:
    """Let no file of this process grow beyond the largest one of the store, which is its log."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    largest = max(path.stat().st_size for path in directory.iterdir())
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def pair_of_both(caller: Caller, session: int, _: int) -> CKR:
    """Generate a pair of which the public key is a session object."""
    public, private = template((CKA.EC_PARAMS, P256)), template((CKA.TOKEN, True))
    return caller.call(c.GENERATE_KEY_PAIR, session, CKM.EC_KEY_PAIR_GEN, b"", public, private).rv


CHANGES: dict[str, Callable[[Caller, int, int], CKR]] = {
    "create": lambda caller, session, _: caller.call(c.CREATE_OBJECT, session, wire("data", TOKEN=True)).rv,
    "copy": lambda caller, session, handle: caller.call(c.COPY_OBJECT, session, handle, template()).rv,
    "change": lambda caller, session, handle: (
        caller.call(c.SET_ATTRIBUTE_VALUE, session, handle, template((CKA.LABEL, b"changed"))).rv
    ),
    "destroy": lambda caller, session, handle: caller.call(c.DESTROY_OBJECT, session, handle).rv,
    "generate a pair": pair_of_both,
    "set the PIN": lambda caller, session, _: caller.set_pin(session, USER_PIN, b"another PIN"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_change_on_a_full_disk_is_refused_whole(tmp_path: Path, change: Callable[[Caller, int, int], CKR]) -> None:
    store = SqliteStore(tmp_path / "store.db")
    caller = Caller(make_application(store))
    session = caller.set_up()
    handle = create(caller, session, TOKEN=True, LABEL=b"before")
    before = search(caller, session, template())
    with full_disk(tmp_path):
        for _ in range(2):
            assert change(caller, session, handle) is CKR.DEVICE_ERROR
        assert search(caller, session, template()) == before
        assert get(caller, session, handle, CKA.LABEL) == b"before"
    again = Caller(make_application(store))
    assert search(again, again.open(), template()) == before
    assert change(caller, session, handle) is CKR.OK
    store.close()


def test_no_pin_is_checked_and_no_token_taken_on_a_full_disk(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "store.db")
    caller = Caller(make_application(store))
    session = caller.set_up()
    assert caller.logout(session) is CKR.OK
    with full_disk(tmp_path):
        assert caller.login(session, CKU.USER, USER_PIN) is CKR.DEVICE_ERROR
        assert caller.login(session, CKU.USER, b"a wrong PIN") is CKR.DEVICE_ERROR
        caller.ok(c.CLOSE_SESSION, session)
        assert caller.init_token(0, SO_PIN, b"another") is CKR.DEVICE_ERROR
    assert caller.ok(c.TOKEN_INFO, 0).output[:32] == b"test".ljust(32)
    assert caller.login(caller.open()) is CKR.OK
    store.close()


@contextmanager
def small_disk(directory: Path) -> Iterator[None]:
    """Mount a disk of 20 MiB."""
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=20m", "tmpfs", directory], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip("no disk can be mounted here")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", directory], check=True)


def fill(directory: Path) -> None:
    """Write a file until there is no room for another byte."""
    with (directory / "filling").open("ab", buffering=0) as file:
        size = 1 << 20
        while size:
            try:
                file.write(bytes(size))
            except OSError:
                size //= 2


def reserving(directory: Path) -> ReservingStore:
    return ReservingStore(lambda: SqliteStore(directory / "store.db"), Reserve(directory / "reserve"))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a disk")
def test_pins_deletions_and_the_next_start_find_the_room_that_was_kept_back(tmp_path: Path) -> None:
    with small_disk(tmp_path):
        with closing(reserving(tmp_path)) as store:
            caller = Caller(make_application(store))
            session = caller.set_up()
            handle = create(caller, session, TOKEN=True, LABEL=b"old", VALUE=bytes(1 << 17))
            fill(tmp_path)
            another = wire("data", TOKEN=True, VALUE=bytes(1 << 17))
            assert caller.call(c.CREATE_OBJECT, session, another).rv is CKR.DEVICE_ERROR
            for _ in range(3):
                assert caller.logout(session) is CKR.OK
                assert caller.login(session, CKU.USER, b"a wrong PIN") is CKR.PIN_INCORRECT
                assert caller.login(session, CKU.USER, USER_PIN) is CKR.OK
            assert caller.call(c.DESTROY_OBJECT, session, handle).rv is CKR.OK
        fill(tmp_path)
        with closing(reserving(tmp_path)) as store:
            again = Caller(make_application(store))
            session = again.open()
            assert search(again, session, template()) == []
            assert again.login(session, CKU.USER, USER_PIN) is CKR.OK
