# SPDX-License-Identifier: Apache-2.0
"""Applications that go on while the secure world is killed and started again, through the shared object."""

import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from ctypes import byref, c_ulong
from dataclasses import dataclass
from pathlib import Path

import pytest

from interop.tools import PIN, SO_PIN, Programs, copied_module
from softee.daemon.keyring import Entry
from softee.daemon.ticket_keepers import description_of
from softee.names import CKA, CKK, CKM, CKO, CKR, CKU
from support.cryptoki import CryptokiError, Mechanism, Module, Session
from support.secure_world import RunningDaemon, running_daemon, short_directory, start_daemon

SOAK = bool(os.environ.get("SOFTEE_SOAK"))
RESTARTS = 20 if SOAK else 2
ECDSA = Mechanism(CKM.ECDSA)
P256 = bytes.fromhex("06082a8648ce3d030107")


@dataclass
class World:
    """A secure world that dies and comes back at the same socket."""

    directory: Path
    socket: Path
    daemon: RunningDaemon
    settings: str = ""

    def kill(self) -> None:
        self.daemon.kill()

    def start(self) -> None:
        self.daemon = start_daemon(self.directory, self.socket, settings=self.settings)

    def restart_with(self, settings: str) -> None:
        """Stop it and start it with other settings."""
        assert self.daemon.stop() == 0
        self.settings = settings
        self.start()

    def workers(self) -> list[int]:
        """Return the pids of its worker processes."""
        pid = self.daemon.process.pid
        return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    def restart(self, *, upgrade: bool = False) -> None:
        """Kill it, or stop it as for an upgrade, and start it again."""
        if upgrade:
            assert self.daemon.stop() == 0
        else:
            self.kill()
        self.start()


@pytest.fixture(scope="module")
def prepared(module: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state with a token and a key pair on it."""
    directory = tmp_path_factory.mktemp("prepared")
    with running_daemon(directory) as daemon:
        programs = Programs(module, daemon.socket, directory)
        programs.init_token()
        programs.generate("EC:prime256v1", "signer")
    return directory


@pytest.fixture
def world(prepared: Path, tmp_path: Path) -> Iterator[World]:
    for name in ("state", "key"):
        shutil.copytree(prepared / name, tmp_path / name)
    with short_directory() as short:
        world = World(tmp_path, short / "tee.sock", start_daemon(tmp_path, short / "tee.sock"))
        yield world
        world.daemon.stop()


@pytest.fixture
def loaded(module: Path, world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Module]:
    monkeypatch.setenv("SOFTEE_SOCKET", str(world.socket))
    loaded = Module(copied_module(module, world.directory))
    yield loaded
    loaded.close()


def sign_in_a_loop(loaded: Module, threads: int, interrupt: Callable[[], None]) -> None:
    """Sign and verify in so many threads; each has got on between any two interruptions."""
    session = loaded.login(0, PIN)
    key = find_key(session)
    public = find_key(session, private=False)
    over = threading.Event()
    failures: list[BaseException] = []
    counts = [0] * threads

    def sign(number: int, own: Session) -> None:
        try:
            while not over.is_set():
                data = os.urandom(32)
                own.verify(ECDSA, public, data, own.sign(ECDSA, key, data))
                counts[number] += 1
        except BaseException as failure:  # noqa: BLE001 - reported by the thread that runs the test
            failures.append(failure)
            over.set()

    sessions = [session, *(loaded.open(0) for _ in range(threads - 1))]
    workers = [threading.Thread(target=sign, args=pair) for pair in enumerate(sessions)]
    for worker in workers:
        worker.start()
    for done in range(RESTARTS + 1):
        before = list(counts)
        while not over.is_set() and any(now == then for now, then in zip(counts, before, strict=True)):
            over.wait(0.01)
        if done < RESTARTS:
            interrupt()
    over.set()
    for worker in workers:
        worker.join()
    assert not failures, failures


def find_key(session: Session, *, private: bool = True) -> int:
    found = session.find({CKA.CLASS: 3 if private else 2, CKA.LABEL: b"signer"})
    assert len(found) == 1
    return found[0]


@pytest.mark.parametrize("upgrade", [False, True], ids=["killed", "upgraded"])
@pytest.mark.parametrize("threads", [1, 8])
def test_signing_goes_on_through_restarts(loaded: Module, world: World, threads: int, *, upgrade: bool) -> None:
    sign_in_a_loop(loaded, threads, lambda: world.restart(upgrade=upgrade))


def test_signing_goes_on_through_the_death_of_workers(loaded: Module, world: World) -> None:
    world.restart_with("workers = 2")

    def kill_workers() -> None:
        for worker in world.workers():
            os.kill(worker, signal.SIGKILL)

    sign_in_a_loop(loaded, 2, kill_workers)


def test_a_key_that_wants_a_login_for_each_use_gets_no_second_use_of_one(
    loaded: Module, world: World, module: Path
) -> None:
    world.restart_with("workers = 1")
    Programs(module, world.socket, world.directory).generate("EC:prime256v1", "guarded", "--always-auth")
    session = loaded.login(0, PIN)
    key = session.find({CKA.CLASS: int(CKO.PRIVATE_KEY), CKA.LABEL: b"guarded"})[0]
    answers: list[CKR] = []

    def sign() -> None:
        answers.append(refusal("C_Sign", session, bytes(32), c_ulong(32), bytes(64), byref(c_ulong(64))))

    session.begin("C_Sign", ECDSA, key)
    login(session, user=CKU.CONTEXT_SPECIFIC)
    in_flight(world, threading.Thread(target=sign))
    session.begin("C_Sign", ECDSA, key)
    world.restart()
    sign()
    assert answers == [CKR.DEVICE_ERROR, CKR.OPERATION_NOT_INITIALIZED]


AES = {CKA.CLASS: int(CKO.SECRET_KEY), CKA.KEY_TYPE: int(CKK.AES), CKA.VALUE_LEN: 16}
GENERATE_AES = Mechanism(CKM.AES_KEY_GEN)
SHA256 = Mechanism(CKM.SHA256)


def refusal(function: str, session: Session, *arguments: object) -> CKR:
    """Return what a call answers that must fail."""
    with pytest.raises(CryptokiError) as caught:
        session.call(function, *arguments)
    return CKR(caught.value.rv)


def test_private_handles_stay_and_session_objects_are_gone_for_good(loaded: Module, world: World) -> None:
    session = loaded.login(0, PIN)
    key = find_key(session)
    before = session.generate(GENERATE_AES, AES)
    world.restart()
    assert session.sign(ECDSA, key, bytes(32))
    assert refusal("C_DestroyObject", session, c_ulong(before)) is CKR.OBJECT_HANDLE_INVALID
    after = session.generate(GENERATE_AES, AES)
    assert after > before, "an old handle names nothing else"
    world.restart()
    assert session.generate(GENERATE_AES, AES) > after


def test_sessions_without_a_login_come_back_under_their_handles(loaded: Module, world: World) -> None:
    first, second = loaded.open(0), loaded.open(1)
    first.call("C_CloseSession")
    world.restart()
    assert second.find({}) == []
    assert refusal("C_CloseSession", first) is CKR.SESSION_HANDLE_INVALID
    third = loaded.open(0)
    handles = {one.handle for one in (first, second, third)}
    assert len(handles) == 3
    world.restart()
    third.find({})


def test_an_operation_that_was_begun_before_goes_on_until_it_has_had_a_part(loaded: Module, world: World) -> None:
    session = loaded.login(0, PIN)
    key = find_key(session)
    session.begin("C_Sign", ECDSA, key)
    world.restart()
    assert len(session.update("C_Sign", bytes(32))) == 64
    session.begin("C_Digest", SHA256)
    world.restart()
    session.take("C_DigestUpdate", b"a")
    world.restart()
    assert refusal("C_DigestUpdate", session, b"b", c_ulong(1)) is CKR.OPERATION_NOT_INITIALIZED
    assert session.run("C_Digest", SHA256, None, b"ab")


def test_an_operation_that_was_cancelled_meanwhile_does_not_come_back(loaded: Module, world: World) -> None:
    session = loaded.login(0, PIN)
    key = find_key(session)
    session.begin("C_Sign", ECDSA, key)
    world.kill()
    session.call("C_SessionCancel", c_ulong(0x800))
    world.start()
    session.begin("C_Sign", ECDSA, key)


def test_a_search_goes_on(loaded: Module, world: World) -> None:
    session = loaded.login(0, PIN)
    key = find_key(session)
    session.call("C_FindObjectsInit", None, c_ulong(0))
    world.restart()
    found, count = (c_ulong * 8)(), c_ulong()
    session.call("C_FindObjects", found, c_ulong(8), byref(count))
    assert key in list(found[: count.value])
    session.call("C_FindObjectsFinal")


def test_whoever_has_logged_out_is_not_logged_in_again(loaded: Module, world: World) -> None:
    session = loaded.login(0, PIN)
    session.call("C_Logout")
    world.restart()
    assert session.find({CKA.CLASS: int(CKO.PRIVATE_KEY)}) == []
    login(session)
    find_key(session)
    world.kill()
    session.call("C_Logout")
    assert refusal("C_Logout", session) is CKR.USER_NOT_LOGGED_IN
    world.start()
    assert session.find({CKA.CLASS: int(CKO.PRIVATE_KEY)}) == []


def login(session: Session, pin: str = PIN, user: CKU = CKU.USER) -> None:
    session.call("C_Login", c_ulong(user), pin.encode(), c_ulong(len(pin)))


def test_the_login_of_an_old_pin_does_not_come_back(loaded: Module, world: World, module: Path) -> None:
    session = loaded.login(0, PIN)
    programs = Programs(module, world.socket, world.directory)
    programs.p11("--login", "--pin", PIN, "--change-pin", "--new-pin", "54321")
    world.restart()
    assert refusal("C_FindObjectsInit", session, None, c_ulong(0)) is CKR.SESSION_HANDLE_INVALID
    again = loaded.open(0)
    assert again.handle != session.handle
    login(again, "54321")
    find_key(again)


def test_the_login_of_whoever_has_changed_the_pin_comes_back(loaded: Module, world: World) -> None:
    session = loaded.login(0, PIN)
    session.call("C_SetPIN", PIN.encode(), c_ulong(len(PIN)), b"54321", c_ulong(5))
    world.restart()
    find_key(session)


def test_the_so_comes_back_as_the_so(loaded: Module, world: World) -> None:
    session = loaded.open(0)
    login(session, SO_PIN, CKU.SO)
    world.restart()
    session.call("C_InitPIN", b"54321", c_ulong(5))
    world.restart()
    session.call("C_Logout")
    login(session, "54321")


def test_without_a_ticket_key_sessions_are_gone_and_new_ones_open_at_once(loaded: Module, world: World) -> None:
    session, other = loaded.login(0, PIN), loaded.open(1)
    key = find_key(session)
    world.kill()
    Entry(description_of(world.daemon.state)).remove()
    world.start()
    assert loaded.mechanisms(0)
    for _ in range(2):
        assert refusal("C_SignInit", session, byref(ECDSA.value), c_ulong(key)) is CKR.SESSION_HANDLE_INVALID
    other.find({})
    again = loaded.login(0, PIN)
    assert again.handle > other.handle
    assert find_key(again) > key, "an earlier login's handle names nothing"


def test_nobody_waits_for_a_secure_world_to_end_something(loaded: Module, world: World) -> None:
    session, other = loaded.login(0, PIN), loaded.open(0)
    world.kill()
    session.call("C_Logout")
    session.call("C_CloseSession")
    assert refusal("C_CloseSession", session) is CKR.SESSION_HANDLE_INVALID
    loaded.call("C_CloseAllSessions", c_ulong(0))
    assert refusal("C_FindObjectsFinal", other) is CKR.SESSION_HANDLE_INVALID
    loaded.call("C_Finalize")
    world.start()
    loaded.call("C_Initialize", None)


def test_a_secure_world_that_stays_away_is_an_error_and_is_found_when_it_is_back(
    module: Path, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOFTEE_SOCKET", str(world.socket))
    monkeypatch.setenv("SOFTEE_RECONNECT_SECONDS", "0")
    loaded = Module(copied_module(module, world.directory))
    session = loaded.login(0, PIN)
    world.kill()
    assert refusal("C_FindObjectsInit", session, None, c_ulong(0)) is CKR.DEVICE_ERROR
    assert refusal("C_FindObjectsInit", session, None, c_ulong(0)) is CKR.DEVICE_ERROR
    world.start()
    find_key(session)
    loaded.close()


def in_flight(world: World, call: threading.Thread) -> None:
    """Let a call wait for a secure world that stands still, and kill that."""
    os.kill(world.daemon.process.pid, signal.SIGSTOP)
    call.start()
    call.join(0.2)
    assert call.is_alive()
    world.restart()
    call.join()


def test_what_may_have_been_done_is_not_done_again(loaded: Module, world: World) -> None:
    world.restart_with("workers = 1")
    session = loaded.login(0, PIN)
    key = find_key(session)
    answers: list[int] = []

    def make() -> None:
        answers.append(refusal("C_GenerateKey", session, *generate_arguments()))

    def sign() -> None:
        answers.append(len(session.sign(ECDSA, key, bytes(32))))

    def generate_arguments() -> tuple[object, ...]:
        made = c_ulong()
        return byref(GENERATE_AES.value), None, c_ulong(0), byref(made)

    in_flight(world, threading.Thread(target=make))
    in_flight(world, threading.Thread(target=sign))
    assert answers == [CKR.DEVICE_ERROR, 64]


def test_closed_descriptors_cost_no_login(module: Path, world: World) -> None:
    told = run_client(module, world, "closed")
    assert told == ["signed", "signed"]


def test_a_process_without_descriptors_fails_until_it_has_some(
    module: Path, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOFTEE_RECONNECT_SECONDS", "0")
    assert run_client(module, world, "without_descriptors") == ["DEVICE_ERROR", "signed"]


@pytest.mark.parametrize("seconds", ["-1", "soon", "86401", "1.5"])
def test_a_patience_that_makes_no_sense_is_refused(
    module: Path, world: World, monkeypatch: pytest.MonkeyPatch, seconds: str
) -> None:
    monkeypatch.setenv("SOFTEE_RECONNECT_SECONDS", seconds)
    monkeypatch.setenv("SOFTEE_SOCKET", str(world.socket))
    with pytest.raises(CryptokiError, match="CKR_ARGUMENTS_BAD"):
        Module(copied_module(module, world.directory))


@pytest.mark.skipif(not SOAK, reason="takes 12 seconds; SOFTEE_SOAK=1")
def test_twelve_seconds_of_silence_cost_nothing(loaded: Module, world: World) -> None:
    session = loaded.login(0, PIN)
    key = find_key(session)
    pids = [world.daemon.process.pid, *world.workers()]

    def go_on() -> None:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)

    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    goes_on = threading.Timer(12, go_on)
    goes_on.start()
    assert len(session.sign(ECDSA, key, bytes(32))) == 64
    goes_on.join()
    assert len(session.sign(ECDSA, key, bytes(32))) == 64


def test_another_user_gets_no_login_back_and_goes_on(module: Path, world: World) -> None:
    world.restart_with("socket_mode = 0o666")
    world.socket.parent.chmod(0o755)
    assert run_client(module, world, "setuid") == ["signed", "signed", "SESSION_HANDLE_INVALID", "opened"]


def test_a_forked_child_gets_nothing(module: Path, world: World) -> None:
    assert run_client(module, world, "fork") == ["signed", "CRYPTOKI_NOT_INITIALIZED", "no private keys"]


def test_another_program_in_the_same_process_gets_nothing(module: Path, world: World) -> None:
    assert run_client(module, world, "exec") == ["signed", "no private keys"]


def test_unloading_a_library_in_use_neither_crashes_nor_leaks(module: Path, world: World) -> None:
    assert run_client(module, world, "unload") == ["same number of descriptors"]


def run_client(module: Path, world: World, what: str) -> list[str]:
    """Run tests/interop/restart_client.py, which says what it has seen."""
    program = [sys.executable, str(Path(__file__).with_name("restart_client.py")), what, str(module)]
    environment = {**os.environ, "SOFTEE_SOCKET": str(world.socket), "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(program, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()
