# SPDX-License-Identifier: Apache-2.0
"""What outlives the secure world's processes: the list of live logins, and who keeps it."""

import errno
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import pytest

from softee.daemon import lockdown, passed, tickets
from softee.daemon.keyring import Entry
from softee.daemon.peer import is_running, process_mark
from softee.daemon.settings import load_settings
from softee.daemon.ticket_keepers import SIZE, STORED_NAME, Keyring, ServiceManager, find_keeper, new_memory_file
from softee.daemon.tickets import LoginTable, open_tickets
from support.secure_world import short_directory
from support.tickets import PROCESS, MemoryKeeper

LOGINS = (SIZE - 32) // 32
OTHER = bytes(range(2, 14))
ENTRY = f"softee-test:{uuid4()}"
"""In a keyring that outlives these tests, and that others may run over."""


def login(number: int) -> bytes:
    return number.to_bytes(16, "big")


def alive(_: bytes) -> bool:
    return True


@pytest.fixture
def keeper() -> MemoryKeeper:
    return MemoryKeeper()


def test_the_next_secure_world_has_the_key_and_the_logins(keeper: MemoryKeeper) -> None:
    table = LoginTable(keeper, alive)
    assert table.put(login(1), PROCESS, 7)
    assert table.put(login(2), PROCESS, 8)
    assert table.put(login(1), PROCESS, 9)
    table.end(login(2))
    table.end(login(3))
    later = LoginTable(keeper.again(), alive)
    assert later.key == table.key != bytes(32)
    assert [later.last_call(login(number)) for number in (1, 2)] == [9, None]


def test_logins_of_dead_processes_make_room(keeper: MemoryKeeper) -> None:
    dead: set[bytes] = set()
    table = LoginTable(keeper, lambda process: process not in dead)
    for number in range(1, LOGINS + 1):
        assert table.put(login(number), OTHER if number % 2 else PROCESS, 0)
    assert not table.put(login(1000), PROCESS, 0)
    dead.add(OTHER)
    assert table.put(login(1000), PROCESS, 0)
    assert table.last_call(login(1)) is None
    assert table.last_call(login(2)) == 0


def test_a_call_revives_no_login_that_has_ended(keeper: MemoryKeeper) -> None:
    table = LoginTable(keeper, alive)
    table.put(login(1), PROCESS, 1)
    table.call(login(1), 2)
    assert table.last_call(login(1)) == 2
    table.end(login(1))
    table.call(login(1), 3)
    assert table.last_call(login(1)) is None


def test_a_login_that_cannot_be_kept_is_none(keeper: MemoryKeeper) -> None:
    table = LoginTable(keeper, alive)
    keeper.fails = True
    assert not table.put(login(1), PROCESS, 0)
    assert table.last_call(login(1)) is None


def test_what_no_login_needs_is_let_go(keeper: MemoryKeeper) -> None:
    table = LoginTable(keeper, alive)
    table.put(login(1), PROCESS, 0)
    later = keeper.again()
    table.close()
    assert not keeper.forgotten
    table = LoginTable(later, alive)
    table.end(login(1))
    table.close()
    assert later.forgotten


def test_forked_workers_see_each_others_logins(keeper: MemoryKeeper) -> None:
    table = LoginTable(keeper, alive)
    child = os.fork()
    if child == 0:
        table.put(login(1), PROCESS, 5)
        os._exit(0)
    os.waitpid(child, 0)
    assert table.last_call(login(1)) == 5
    assert table.put(login(2), PROCESS, 6)
    assert table.last_call(login(1)) == 5


def test_a_mark_tells_a_process_from_those_before_and_after() -> None:
    pidfd = os.pidfd_open(os.getpid())
    mark = process_mark(os.getpid(), pidfd)
    assert is_running(mark)
    assert process_mark(os.getpid(), pidfd) == mark
    assert not is_running(mark[:4] + bytes(8))
    assert process_mark(0, pidfd) == process_mark(os.getpid(), None) == b""
    os.close(pidfd)


def test_a_dead_process_has_no_mark_and_runs_no_more() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        pidfd = os.pidfd_open(process.pid)
        mark = process_mark(process.pid, pidfd)
        assert is_running(mark)
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert process_mark(process.pid, pidfd) == b""
        assert not is_running(mark)
    assert not is_running(mark)
    os.close(pidfd)


def test_kernels_whose_pidfds_are_all_alike_tell_processes_by_their_start(monkeypatch: pytest.MonkeyPatch) -> None:
    pidfd = os.pidfd_open(os.getpid())
    monkeypatch.setattr("softee.daemon.peer._anonymous_device", lambda: os.fstat(pidfd).st_dev)
    mark = process_mark(os.getpid(), pidfd)
    assert len(mark) == 12
    assert is_running(mark)
    assert process_mark(1 << 30, pidfd) == b"", "it cannot be seen in /proc"
    os.close(pidfd)


class FakeEntry:
    """An entry of a keyring that is a bytes object."""

    def __init__(self) -> None:
        self.content = b""

    def read(self) -> bytes:
        return self.content

    def write(self, content: bytes) -> None:
        self.content = content

    def remove(self) -> None:
        self.content = b""


def test_a_keyrings_entry_is_as_long_as_it_must_be() -> None:
    entry = FakeEntry()
    table = LoginTable(Keyring(entry), alive)  # type: ignore[arg-type]  # what an entry does
    assert len(entry.content) <= 32
    table.put(login(1), PROCESS, 1)
    assert 32 < len(entry.content) <= 64
    later = LoginTable(Keyring(entry), alive)  # type: ignore[arg-type]
    assert later.last_call(login(1)) == 1
    later.end(login(1))
    later.close()
    assert entry.content == b""


@pytest.fixture
def entry() -> Iterator[Entry]:
    """An entry of the real keyring."""
    try:
        made = Entry(ENTRY.encode())
    except OSError as error:
        pytest.skip(f"no keyring here: {error}")
    yield made
    with suppress(OSError):
        made.remove()


def test_the_kernels_keyring_keeps_an_entry(entry: Entry) -> None:
    assert entry.read() == b""
    entry.write(b"first")
    entry.write(b"a second one")
    assert Entry(ENTRY.encode()).read() == b"a second one"
    entry.remove()
    assert entry.read() == b""
    with pytest.raises(OSError, match="not available"):
        entry.remove()


LOCKED_DOWN = """
import sys
from softee.daemon.keyring import Entry
from softee.daemon.lockdown import Doors, lock_down
entry = Entry(sys.argv[1].encode())
lock_down(Doors(keyring=sys.argv[2] == "keyring"))
try:
    entry.write(b"kept")
    entry.remove()
    print("written")
except OSError as error:
    print(error.errno)
"""


@pytest.mark.skipif(bool(lockdown.missing()), reason="this machine cannot close all doors")
@pytest.mark.parametrize(("keeper", "said"), [("keyring", "written"), ("none", str(errno.EPERM))])
def test_the_keyring_stays_open_only_where_it_keeps_the_key(entry: Entry, keeper: str, said: str) -> None:
    assert entry.read() == b""
    command = [sys.executable, "-P", "-c", LOCKED_DOWN, ENTRY, keeper]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == f"{said}\n"


def test_a_machine_whose_system_calls_are_not_known_has_no_keyring(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("platform.machine", lambda: "pdp11")
    with pytest.raises(OSError, match="pdp11"):
        Entry(b"x")
    assert find_keeper({}, tmp_path) is None


def test_the_service_manager_is_given_a_memory_file_and_gives_it_back() -> None:
    with short_directory() as directory, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(directory / "notify"))
        environment = {"NOTIFY_SOCKET": str(directory / "notify"), "FDSTORE": "1"}
        keeper = find_keeper(environment, directory)
        message, descriptors, _, _ = socket.recv_fds(manager, 200, 1)
    assert isinstance(keeper, ServiceManager)
    assert message == f"FDSTORE=1\nFDNAME={STORED_NAME}\nFDPOLL=0".encode()
    table = LoginTable(keeper, alive)
    table.put(login(1), PROCESS, 3)
    table.close()
    later = LoginTable(ServiceManager(descriptors[0]), alive)
    assert later.last_call(login(1)) == 3
    later.end(login(1))
    later.close()


def test_a_service_manager_that_does_not_listen_keeps_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "pdp11")
    assert find_keeper({"FDSTORE": "1"}, tmp_path) is None
    assert find_keeper({"FDSTORE": "1", "NOTIFY_SOCKET": str(tmp_path / "nobody")}, tmp_path) is None


TAKEN = """
import os, sys
from softee.daemon.passed import take
ours, socket = int(sys.argv[1]), int(sys.argv[2])
wanted = [os.dup(number) for number in (socket, ours, socket)]
count = int(sys.argv[3])
for number, one in enumerate(wanted[3 - count:]):
    os.dup2(one, 3 + number)
names = ["a", "softee-tickets", "b"][3 - count:]
environment = {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": str(count), "LISTEN_FDNAMES": ":".join(names)}
taken = take(environment, "softee-tickets")
environment.pop("LISTEN_PID", None)
print(os.fstat(taken).st_size, environment, [os.fstat(3 + n).st_size for n in range(count - 1)])
"""


@pytest.mark.parametrize(
    ("count", "left", "sizes"),
    [
        (3, {"LISTEN_FDS": "2", "LISTEN_FDNAMES": "a:b"}, [5, 5]),
        (2, {"LISTEN_FDS": "1", "LISTEN_FDNAMES": "b"}, [5]),
    ],
)
def test_what_is_taken_leaves_no_gap(tmp_path: Path, count: int, left: dict[str, str], sizes: list[int]) -> None:
    ours = new_memory_file()
    with (tmp_path / "socket").open("wb") as other:
        other.write(bytes(5))
        other.flush()
        command = [sys.executable, "-c", TAKEN, str(ours), str(other.fileno()), str(count)]
        done = subprocess.run(
            command, pass_fds=[ours, other.fileno()], capture_output=True, text=True, check=True, cwd=tmp_path
        )
    os.close(ours)
    assert done.stdout == f"{SIZE} {left} {sizes}\n"


ALONE = """
import os, sys
from softee.daemon.ticket_keepers import find_keeper
from pathlib import Path
os.dup2(int(sys.argv[1]), 3)
environment = {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "1", "LISTEN_FDNAMES": "softee-tickets"}
print(find_keeper(environment, Path("/")).name, environment)
"""


def test_a_service_without_a_socket_has_its_memory_file_back(tmp_path: Path) -> None:
    ours = new_memory_file()
    command = [sys.executable, "-c", ALONE, str(ours)]
    done = subprocess.run(command, pass_fds=[ours], capture_output=True, text=True, check=True, cwd=tmp_path)
    os.close(ours)
    assert done.stdout == f"{ServiceManager.name} {{}}\n"


def test_nothing_is_taken_where_nothing_was_passed() -> None:
    ours = {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "1"}
    for environment in ({}, ours, {**ours, "LISTEN_FDNAMES": "other"}, {**ours, "LISTEN_PID": "1"}):
        before = dict(environment)
        assert passed.take(environment, STORED_NAME) is None
        assert environment == before


def test_logins_do_not_come_back_where_nothing_keeps_the_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load_settings(None, {"state": tmp_path})

    class Full(MemoryKeeper):
        def save(self, _: bytes) -> None:
            raise OSError("quota exceeded")

    for keeper in (None, Full()):
        monkeypatch.setattr(tickets, "find_keeper", lambda *_, keeper=keeper: keeper)
        with open_tickets(settings) as kept:
            assert kept.descriptors == ()
            assert not kept.tickets.counts_calls


def test_the_settings_say_when_logins_are_too_old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keeper = MemoryKeeper()
    monkeypatch.setattr(tickets, "find_keeper", lambda *_: keeper)
    for age in (0, 60):
        settings = load_settings(None, {"state": tmp_path, "pkcs11": {"ticket_age": age}})
        with open_tickets(settings) as kept:
            assert kept.descriptors == (keeper.descriptor,)
            assert kept.tickets.counts_calls == bool(age)
        keeper = keeper.again()
