# SPDX-License-Identifier: Apache-2.0
"""Debian's programs in a root file system of their own, where softee's shared objects and socket are bound into."""

import os
import shutil
import sys
import sysconfig
from dataclasses import dataclass, field, replace
from pathlib import Path

from interop.clients.fetched import fetched, run
from interop.tools import LABEL, PIN, SO_PIN, run_in

MIRROR = "http://deb.debian.org/debian"
SCRIPT = Path("/usr/share/debootstrap/scripts/sid")
"""How a root is made; an older debootstrap has no newer release's name for it."""

LIBRARIES, SOCKETS, WORK = "/opt/softee", "/run/softee", "/test"
"""Where in the file system the shared objects, the socket and the test's directory are."""
BESIDE = "/opt/backports"
"""Where packages of the backports are unpacked that are not installed, since the release's own are tested, too."""


def own_python() -> list[Path]:
    """Return where the Python is that runs the tests, and what is installed for it: the softee command, too.

    It runs in there as it does here: a Debian's C library runs what was built for an older one.
    """
    base = Path(sys.base_prefix)
    python = (
        [base] if base != Path("/usr") else [Path(os.path.realpath(sys.executable)), Path(sysconfig.get_path("stdlib"))]
    )
    return [Path(sys.prefix), *python]


@dataclass(frozen=True)
class Release:
    """A release of Debian, and which packages of it, and of its backports, are there."""

    name: str
    codename: str
    packages: tuple[str, ...]
    programs: tuple[str, ...] = ()
    backports: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()

    def installed(self) -> Path:
        """Return the file system's root, installed in this run or an earlier one."""
        packages = (*self.packages, "programs:", *self.programs, "backports:", *self.backports, "beside:", *self.beside)
        return fetched(self.name, " ".join(packages), self._install)

    def _install(self, root: Path) -> None:
        packages = f"--include={','.join(self.packages)}"
        command = ("debootstrap", "--variant=minbase", packages, self.codename, root, MIRROR, SCRIPT)
        run("unshare", "--mount", *command)  # so /proc, which it mounts in there, ends with it, whatever happens
        for directory in (LIBRARIES, SOCKETS, WORK, BESIDE, "/run/sshd"):
            (root / directory.strip("/")).mkdir(parents=True, exist_ok=True)
        if self.programs or self.backports:
            self._install_more(root)

    def _install_more(self, root: Path) -> None:
        suite = f"{self.codename}-backports"
        (root / "etc/apt/sources.list.d/backports.list").write_text(f"deb {MIRROR} {suite} main\n")
        (root / "usr/sbin/policy-rc.d").write_text("#!/bin/sh\nexit 101\n")  # no service is started
        (root / "usr/sbin/policy-rc.d").chmod(0o755)
        shutil.copy("/etc/resolv.conf", root / "etc/resolv.conf")
        inside = ("chroot", root, "env", "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C.UTF-8")
        apt_get = (*inside, "apt-get", "--quiet")
        install = (*apt_get, "install", "--yes", "--no-install-recommends")
        run(*apt_get, "update")
        run(*install, *self.programs)
        run(*install, f"--target-release={suite}", *self.backports)
        for package in self.beside:
            unpack = (
                f"cd {BESIDE} && apt-get --quiet download {package}/{suite} && dpkg-deb --extract {package}_*.deb ."
            )
            run(*inside, "sh", "-c", unpack)


DEBIAN_13 = Release(
    "debian13",
    "trixie",
    ("ca-certificates", "gnutls-bin", "opensc", "openssl", "pkcs11-provider"),
    programs=(  # of docs/recipes
        *(
            "apache2",
            "bind9",
            "bind9-utils",
            "binutils",
            "charon-systemd",
            "curl",
            "device-tree-compiler",
            "eapoltest",
            "git",
        ),
        *(
            "haproxy",
            "hostapd",
            "knot",
            "knot-dnssecutils",
            "knot-dnsutils",
            "libcharon-extra-plugins",
            "libengine-pkcs11-openssl",
        ),
        *("libnss3-tools", "libstrongswan-extra-plugins", "mosquitto", "mosquitto-clients", "nginx", "openvpn"),
        *("osslsigncode", "p11-kit", "p11-kit-modules", "procps", "python3", "rauc", "sbsigntool", "softhsm2"),
        *("squashfs-tools", "strongswan-pki", "strongswan-swanctl", "stunnel4", "u-boot-tools", "wget"),
        "wpasupplicant",
    ),
    backports=("openssh-client", "openssh-server"),  # Ed25519 keys of tokens need OpenSSH 10.1; it has 10.0 itself
    beside=("pkcs11-provider",),  # post-quantum keys need 1.2; it has 1.0 itself
)
BARE_DEBIAN_13 = Release("debian13-bare", "trixie", ("ca-certificates", "make", "python3"))
"""What somebody has who has installed no more than make and Python; what `make` installs there stays for later runs."""
DEBIAN_14 = Release("debian14", "forky", ("ca-certificates", "opensc", "openssl", "pkcs11-provider"))


@dataclass(frozen=True)
class Debian:
    """Its programs, with the secure world behind ``socket``; they run in ``directory``, which is ``WORK`` to them."""

    root: Path
    module: Path
    socket: Path
    directory: Path
    variables: dict[str, str] = field(default_factory=dict)
    binds: dict[Path, str] = field(default_factory=dict)
    """What else is there from outside, and where."""

    def command(self, *command: str) -> list[str]:
        """Return the command that runs another one inside: the mounts end with it."""
        binds = {self.module.parent: LIBRARIES, self.socket.parent: SOCKETS, self.directory: WORK} | self.binds
        mounts = [f"mount --bind {place} {self.root}{inside}" for place, inside in binds.items()]
        mounts += [f"mount -t proc proc {self.root}/proc"]
        inside = f'exec chroot {self.root} sh -c \'cd {WORK} && exec "$@"\' sh "$@"'
        return ["unshare", "--mount", "sh", "-c", " && ".join([*mounts, inside]), "sh", *command]

    @property
    def environment(self) -> dict[str, str]:
        """Return the environment inside, which leads to the secure world."""
        usual = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LC_ALL": "C.UTF-8"}
        return usual | {"SOFTEE_SOCKET": f"{SOCKETS}/{self.socket.name}"} | self.variables

    def with_variables(self, variables: dict[str, str]) -> "Debian":
        """Return the same with other variables in the environment."""
        return replace(self, variables=self.variables | variables)

    def with_bind(self, place: Path, inside: str) -> "Debian":
        """Return the same with a file or directory from outside."""
        point = self.root / inside.lstrip("/")
        point.parent.mkdir(parents=True, exist_ok=True)
        if place.is_dir():
            point.mkdir(exist_ok=True)
        else:
            point.touch()
        return replace(self, binds=self.binds | {place: inside})

    def with_own_python(self) -> "Debian":
        """Return the same with this Python, and so with the softee command."""
        found = self.with_variables({"PATH": f"{sys.prefix}/bin:{self.environment['PATH']}"})
        for place in own_python():
            found = found.with_bind(place, str(place))
        return found

    @property
    def inner_module(self) -> str:
        """Return the module's path inside."""
        return f"{LIBRARIES}/{self.module.name}"

    def p11_in(self, *arguments: str, fails: bool = False) -> str:
        """Run pkcs11-tool, logged in as the user."""
        tool = ("pkcs11-tool", "--module", self.inner_module, "--login", "--pin", PIN)
        return self.run(*tool, *arguments, fails=fails)

    def init_token(self) -> None:
        """Initialize the token in slot 0 and its user's PIN."""
        tool = ("pkcs11-tool", "--module", self.inner_module, "--slot", "0", "--so-pin", SO_PIN)
        self.run(*tool, "--init-token", "--label", LABEL)
        self.run(*tool, "--login", "--init-pin", "--pin", PIN)

    def run(self, *command: str, stdin: str = "", fails: bool = False) -> str:
        """Run a command, assert that it succeeds (or fails), return its stdout and stderr."""
        return run_in(None, self.environment, self.command(*command), stdin=stdin, fails=fails)
