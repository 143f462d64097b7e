# SPDX-License-Identifier: Apache-2.0
"""app_secrets: what was sealed opens for its own identity, and for nobody else, whatever was done to it.

The TEE core stands in this process, with clients of made-up credentials; one test has the real daemon.
"""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from app_secrets_ta.application import APP_SECRETS, LARGEST_INPUT, SEAL, UNSEAL, VAULT, AppSecretsApplication
from softee.client import TeeClient, TeeSession
from softee.names import LoginMethod, Origin, ParamType, TeeResult
from softee.stores.base import Store
from softee.stores.memory import MemoryStore
from softee.tee.core import ClientContext, TeeCore
from softee.tee.identity import PeerCredentials
from softee.tee.secure_storage import SecureStorage
from softee.wire.values import NO_PARAMS, Memref, Param, Value
from support.secure_world import running_daemon
from support.stores import ROOT_KEY, FailingStore, snapshot

SECRET = b"correct horse battery staple"
OVERHEAD = 28
EXAMPLES = Path(__file__).parents[1]


def make_application(store: Store) -> AppSecretsApplication:
    return AppSecretsApplication(SecureStorage(store, ROOT_KEY, APP_SECRETS, [VAULT]))


def given_bytes(data: bytes) -> Memref:
    return Memref(ParamType.MEMREF_INPUT, bytearray(data), len(data))


def room(capacity: int = LARGEST_INPUT) -> Memref:
    return Memref(ParamType.MEMREF_OUTPUT, capacity=capacity)


@dataclass
class Caller:
    """A TEE session of some process."""

    context: ClientContext
    session: int

    def send(self, command: int, *params: Param) -> TeeResult:
        filled: list[Param] = [*params, None, None, None, None]
        result, origin = self.context.invoke(self.session, command, (filled[0], filled[1], filled[2], filled[3]))
        assert origin is Origin.TRUSTED_APP
        return result

    def run(self, command: int, data: bytes) -> bytes | TeeResult:
        """Return the answer, or the result where it is no success."""
        output = room()
        result = self.send(command, given_bytes(data), output)
        return bytes(output.out) if result is TeeResult.SUCCESS else result

    def seal(self, secret: bytes = SECRET) -> bytes:
        blob = self.run(SEAL, secret)
        assert isinstance(blob, bytes)
        return blob


World = Callable[..., Caller]


@pytest.fixture
def world() -> Iterator[World]:
    """What makes a caller with an identity; all meet the same application."""
    core = TeeCore([make_application(MemoryStore())])
    contexts = []

    def caller(uid: int = 1000, login: LoginMethod = LoginMethod.USER, data: int = 0) -> Caller:
        context = core.connect(PeerCredentials(1, uid, uid, frozenset({5})))
        contexts.append(context)
        result, _, session = context.open_session(APP_SECRETS, login, data, NO_PARAMS)
        assert result is TeeResult.SUCCESS
        return Caller(context, session)

    yield caller
    for context in contexts:
        context.close()


@pytest.mark.parametrize("size", [0, 1, 1000, LARGEST_INPUT - OVERHEAD])
def test_what_is_sealed_opens_in_another_session_of_the_same_identity(world: World, size: int) -> None:
    blob = world().seal(bytes(size))
    assert len(blob) == size + OVERHEAD
    assert world().run(UNSEAL, blob) == bytes(size)


def test_the_same_secret_never_makes_the_same_blob(world: World) -> None:
    caller = world()
    assert caller.seal() != caller.seal()


@pytest.mark.parametrize(
    "other",
    [(1001, LoginMethod.USER, 0), (1000, LoginMethod.PUBLIC, 0), (1000, LoginMethod.GROUP, 1000)],
    ids=["another user", "public", "the user's group"],
)
def test_a_blob_does_not_open_for_another_identity(world: World, other: tuple[int, LoginMethod, int]) -> None:
    assert world(*other).run(UNSEAL, world().seal()) is TeeResult.SECURITY
    assert world().run(UNSEAL, world(*other).seal()) is TeeResult.SECURITY


def test_a_group_s_blob_opens_for_each_of_its_members_and_no_other_group(world: World) -> None:
    blob = world(1000, LoginMethod.GROUP, 5).seal()
    assert world(1001, LoginMethod.GROUP, 5).run(UNSEAL, blob) == SECRET
    assert world(1000, LoginMethod.GROUP, 1000).run(UNSEAL, blob) is TeeResult.SECURITY


def test_a_blob_does_not_open_where_any_bit_was_changed_or_bytes_are_missing(world: World) -> None:
    caller = world()
    blob = caller.seal()
    for at in range(len(blob)):
        assert caller.run(UNSEAL, blob[:at]) is TeeResult.SECURITY
        assert caller.run(UNSEAL, blob[:at] + bytes([blob[at] ^ 1]) + blob[at + 1 :]) is TeeResult.SECURITY


def test_what_the_application_has_not_sealed_does_not_open(world: World) -> None:
    caller, sealed = world(), world().seal()
    for data in (*(bytes(size) for size in range(100)), os.urandom(100), sealed * 2, sealed[OVERHEAD:] + sealed):
        assert caller.run(UNSEAL, data) is TeeResult.SECURITY


def test_a_secret_is_wiped_once_it_is_sealed(world: World) -> None:
    source = given_bytes(SECRET)
    assert world().send(SEAL, source, room()) is TeeResult.SUCCESS
    assert source.data == bytes(len(SECRET))


@pytest.mark.parametrize("command", [SEAL, UNSEAL])
def test_a_small_buffer_gets_the_size_and_nothing_else(world: World, command: int) -> None:
    caller = world()
    data, size = (SECRET, len(SECRET) + OVERHEAD) if command == SEAL else (caller.seal(), len(SECRET))
    for output in (room(size - 1), Memref(ParamType.MEMREF_OUTPUT, null=True)):
        assert caller.send(command, given_bytes(data), output) is TeeResult.SHORT_BUFFER
        assert (output.size, output.out) == (size, b"")
    assert caller.send(command, given_bytes(data), room(size)) is TeeResult.SUCCESS


@pytest.mark.parametrize("command", [SEAL, UNSEAL])
@pytest.mark.parametrize(
    "params",
    [
        (),
        (given_bytes(b"x"),),
        (None, room()),
        (Value(ParamType.VALUE_INPUT), room()),
        (room(), given_bytes(b"x")),
        (Memref(ParamType.MEMREF_INOUT, bytearray(b"x"), 1), room()),
        (given_bytes(b"x"), room(), given_bytes(b"x")),
        (given_bytes(b"x"), room(), None, Value(ParamType.VALUE_INPUT)),
    ],
)
def test_parameters_of_other_types_are_refused(world: World, command: int, params: tuple[Param, ...]) -> None:
    assert world().send(command, *params) is TeeResult.BAD_PARAMETERS


def test_unknown_commands_and_too_much_data_are_refused(world: World) -> None:
    caller = world()
    assert caller.send(2, given_bytes(b"x"), room()) is TeeResult.NOT_SUPPORTED
    assert caller.run(SEAL, bytes(LARGEST_INPUT + 1)) is TeeResult.EXCESS_DATA


def opened(application: AppSecretsApplication) -> TeeResult:
    """Open a session, and return what came of it."""
    return TeeCore([application]).connect(PeerCredentials(1, 1, 1)).open_session(APP_SECRETS, 0, 0, NO_PARAMS)[0]


def test_a_damaged_vault_opens_no_session() -> None:
    store = MemoryStore()
    make_application(store)
    head = max(snapshot(store))
    store.commit(expected={}, puts={head: b"damaged"})
    assert opened(make_application(store)) is TeeResult.CORRUPT_OBJECT


def test_a_store_that_fails_opens_no_session_until_it_is_back() -> None:
    store = FailingStore(MemoryStore())
    application = make_application(store)
    store.unreachable = True
    assert opened(application) is TeeResult.STORAGE_NOT_AVAILABLE
    store.unreachable = False
    assert opened(application) is TeeResult.SUCCESS


@contextmanager
def daemon_session(directory: Path, state: Path) -> Iterator[TeeSession]:
    """Run the daemon with the application, and open a session with it."""
    command = (sys.executable, str(EXAMPLES / "serve_app_secrets.py"))
    with running_daemon(directory, state=state, command=command) as daemon, TeeClient(daemon.socket) as client:
        yield client.open_session(APP_SECRETS, login=LoginMethod.USER)


def test_a_blob_opens_after_a_restart_and_not_in_another_installation(tmp_path: Path) -> None:
    blob = room(1000)
    with daemon_session(tmp_path, tmp_path / "state") as session:
        assert session.invoke(SEAL, (given_bytes(SECRET), blob, None, None)) == TeeResult.SUCCESS
    for state, result in (("state", TeeResult.SUCCESS), ("new", TeeResult.SECURITY)):
        secret = room(1000)
        with daemon_session(tmp_path, tmp_path / state) as session:
            assert session.invoke(UNSEAL, (given_bytes(bytes(blob.out)), secret, None, None)) == result
        assert secret.out == (SECRET if result is TeeResult.SUCCESS else b"")
