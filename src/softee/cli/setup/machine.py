# SPDX-License-Identifier: Apache-2.0
"""The machine that softee is set up on: its root directory, its users, its service manager."""

import os
import pwd
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from softee.cli.failure import CliError
from softee.daemon.account import Account

USER: Final = "softee"
"""The secure world's user; the members of its group may use the socket."""

_USERADD: Final = ("useradd", "--system", f"--gid={USER}", "--no-create-home", "--home-dir=/nonexistent")
_ADDUSER: Final = ("adduser", "-S", "-D", "-H", "-h", "/nonexistent", "-s", "/sbin/nologin", "-G", USER, USER)
_MAKE_USER: Final[Sequence[Sequence[Sequence[str]]]] = (
    (
        ("groupadd", "--system", "--force", USER),
        (*_USERADD, "--shell=/usr/sbin/nologin", "--comment=softee's secure world", USER),
    ),
    (("addgroup", "-S", USER), _ADDUSER),
)
"""How a user is made, by most systems' programs or by busybox'; the first row is taken whose first program is there."""

_REMOVE_USER: Final = (("userdel", USER), ("deluser", USER))


@dataclass(frozen=True)
class Machine:
    """The machine whose files are below ``root``: this one, or that of an image."""

    root: Path = Path("/")

    @property
    def is_running(self) -> bool:
        """Whether it is this machine."""
        return self.root == Path("/")

    def at(self, path: str | Path) -> Path:
        """Return where one of its paths is."""
        return self.root / str(path).lstrip("/")

    def account(self) -> Account | None:
        """Return its user softee; None where there is none."""
        if self.is_running:
            try:
                entry = pwd.getpwnam(USER)
            except KeyError:
                return None
            return Account(USER, entry.pw_uid, entry.pw_gid, (entry.pw_gid,))
        try:
            rows = [line.split(":") for line in self.at("/etc/passwd").read_text().splitlines()]
        except OSError as error:
            raise CliError(f"{error.filename} cannot be read: {error.strerror}.") from None
        return next((Account(USER, int(row[2]), int(row[3]), ()) for row in rows if row[0] == USER), None)

    def make_user(self) -> None:
        """Make the user softee, with a group of this name. Raises CliError."""
        for commands in _MAKE_USER:
            if self._has(commands[0][0]):
                for command in commands:
                    self._run(command)
                return
        raise CliError("There is no groupadd and no addgroup here; make a user and a group softee, and run this again.")

    def remove_user(self) -> None:
        """Remove the user softee, and its group. Raises CliError."""
        command = next((command for command in _REMOVE_USER if self._has(command[0])), None)
        if command is None:
            raise CliError("There is no userdel and no deluser here; remove the user and the group softee yourself.")
        self._run(command)

    def systemctl(self, *arguments: str) -> bool:
        """Tell systemd something, where it runs this machine; say whether it does. Raises CliError."""
        if not self.is_running or not Path("/run/systemd/system").is_dir():
            return False
        self._run(("systemctl", *arguments))
        return True

    def _has(self, program: str) -> bool:
        path = os.pathsep.join(str(self.at(place)) for place in ("/usr/sbin", "/usr/bin", "/sbin", "/bin"))
        return shutil.which(program, path=path) is not None

    def _run(self, command: Sequence[str]) -> None:
        inside = () if self.is_running else ("chroot", str(self.root))
        done = subprocess.run([*inside, *command], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            said = " ".join((done.stderr or done.stdout).split())
            raise CliError(f"`{' '.join(command)}` failed: {said or f'status {done.returncode}'}.")
