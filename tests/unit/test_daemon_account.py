# SPDX-License-Identifier: Apache-2.0
"""The user that a secure world becomes: what it gets, what it does not, and what an attacker cannot make root give."""

import os
import pwd
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from softee.daemon.account import Account, AccountError, account_of, become, borrowed, hand_over
from softee.daemon.hardening import death_signal, set_death_signal
from support.secure_world import short_directory

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="becomes another user, which root alone can")
NOBODY = Account("nobody", 65534, 65534, (65534,))


@pytest.fixture
def directory() -> Iterator[Path]:
    """A directory that another user can reach."""
    with short_directory() as path:
        path.chmod(0o755)
        yield path


def owner(path: Path) -> int:
    return path.lstat().st_uid


def test_without_the_setting_it_stays_who_it_is() -> None:
    assert account_of(None) is None
    before = os.getresuid()
    with borrowed(None):
        assert os.getresuid() == before
    become(None)
    hand_over(Path("/nonexistent/state"), None)
    assert os.getresuid() == before


def test_its_own_user_needs_not_be_taken_on() -> None:
    assert account_of(pwd.getpwuid(os.geteuid()).pw_name) is None


def test_a_user_that_is_not_there_is_named() -> None:
    with pytest.raises(AccountError, match="no user 'no-such-user'"):
        account_of("no-such-user")


def test_only_root_can_take_another_user_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("softee.daemon.account.os.geteuid", lambda: 4711)
    with pytest.raises(AccountError, match="run the secure world as root, or as this user"):
        account_of("nobody")


@as_root
def test_an_account_has_the_groups_of_its_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("softee.daemon.account._PROGRAM", (Path("/usr"),))
    assert account_of("nobody") == NOBODY


@as_root
def test_a_user_that_could_not_load_this_programs_modules_is_refused(
    monkeypatch: pytest.MonkeyPatch, directory: Path
) -> None:
    (directory / "private").mkdir(mode=0o700)
    monkeypatch.setattr("softee.daemon.account._PROGRAM", (directory, directory / "private/softee"))
    with pytest.raises(AccountError, match=f"nobody cannot read {directory}/private/softee; install softee where it"):
        account_of("nobody")


@as_root
def test_a_borrowed_account_makes_files_that_are_its_own_and_goes_again(directory: Path) -> None:
    before = os.getresuid(), os.getresgid(), os.getgroups()
    hand_over(directory / "state", NOBODY)
    with borrowed(NOBODY):
        (directory / "state/file").touch()
        with pytest.raises(PermissionError):
            (directory / "file").touch()
    assert owner(directory / "state/file") == NOBODY.uid
    assert (os.getresuid(), os.getresgid(), os.getgroups()) == before


@as_root
def test_a_state_that_was_roots_is_handed_over_with_its_files(directory: Path) -> None:
    state = directory / "a/state"
    state.mkdir(parents=True, mode=0o755)
    (state / "softee.db").touch()
    hand_over(state, NOBODY)
    assert owner(state) == owner(state / "softee.db") == NOBODY.uid
    assert stat.S_IMODE(state.stat().st_mode) == 0o700
    assert owner(state.parent) == 0


@as_root
def test_attack_what_lies_in_the_users_own_state_is_never_given_to_it(directory: Path) -> None:
    """The user could have put a link to any file of root's there, had it the state before."""
    state, treasure = directory / "state", directory / "treasure"
    treasure.touch(0o600)
    state.mkdir(0o700)
    os.link(treasure, state / "hard")
    (state / "soft").symlink_to(treasure)
    (state / "folder").mkdir()
    hand_over(state, NOBODY)
    assert [owner(path) for path in (treasure, state / "hard", state / "folder")] == [0, 0, 0]
    (state / "later").touch()
    hand_over(state, NOBODY)
    assert owner(state / "later") == 0, "once it is the user's nothing is given"


@as_root
def test_a_third_users_state_is_refused(directory: Path) -> None:
    os.chown(directory, 4711, 4711)
    with pytest.raises(AccountError, match="belongs to uid 4711, neither to root nor to nobody"):
        hand_over(directory, NOBODY)


def test_a_state_that_cannot_be_made_is_told(directory: Path) -> None:
    (directory / "file").touch()
    with pytest.raises(AccountError, match="cannot be given to the user nobody: Not a directory"):
        hand_over(directory / "file/state", NOBODY)


def exit_status(child: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@as_root
def test_nothing_of_roots_is_left_and_nobody_may_look_into_the_process() -> None:
    child = os.fork()
    if child == 0:
        status = 1
        try:
            become(NOBODY)
            lines = dict(line.split(":\t", 1) for line in Path("/proc/self/status").read_text().splitlines())
            ids = {lines["Uid"], lines["Gid"]}
            capabilities = {lines[name].strip("0") for name in ("CapPrm", "CapEff", "CapAmb")}
            dumpable = owner(Path("/proc/self/mem")) != 0  # the kernel gives root what is not dumpable
            status = 0 if (ids, capabilities, dumpable) == ({"\t".join(["65534"] * 4)}, {""}, False) else 2
        finally:
            os._exit(status)
    assert exit_status(child) == 0


@as_root
def test_its_end_with_its_parent_outlives_the_change_of_user() -> None:
    child = os.fork()
    if child == 0:
        status = 1
        try:
            set_death_signal(15)
            become(NOBODY)
            status = death_signal()
        finally:
            os._exit(status)
    assert exit_status(child) == 15


def test_where_the_kernel_refuses_the_change_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr("softee.daemon.account.os.setgroups", refuse)
    monkeypatch.setattr("softee.daemon.account.resource.setrlimit", refuse)
    with pytest.raises(AccountError, match="nobody cannot be taken on: Operation not permitted"):
        become(NOBODY)


def test_all_that_is_roots_goes_in_the_one_order_that_works(monkeypatch: pytest.MonkeyPatch) -> None:
    """Groups before the user: afterwards it may no longer. What the kernel takes away is put back at the end."""
    done: list[str] = []
    for name in ("setgroups", "setresgid", "setresuid"):
        monkeypatch.setattr(f"softee.daemon.account.os.{name}", lambda *_, name=name: done.append(name))
    monkeypatch.setattr("softee.daemon.account.resource.setrlimit", lambda *_: done.append("setrlimit"))
    monkeypatch.setattr("softee.daemon.account.hardening.harden", lambda: done.append("harden"))
    monkeypatch.setattr("softee.daemon.account.hardening.set_death_signal", lambda _: done.append("death"))
    become(NOBODY)
    assert done == ["setrlimit", "setgroups", "setresgid", "setresuid", "harden", "death"]
