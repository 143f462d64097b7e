# SPDX-License-Identifier: Apache-2.0
"""softee's packages: a Debian package from its installation to its purge, where nothing else of softee's is."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from interop.clients.debian import WORK, Release
from interop.clients.fetched import ROOT, run

PACKAGES = ("ca-certificates", "libseccomp2", "opensc", "python3", "systemd")
RELEASES = {
    "3.11": Release("debian12-package", "bookworm", PACKAGES),
    "3.13": Release("debian13-package", "trixie", PACKAGES),
}
"""Debian's releases by their Python."""

OVERLAY = """
mount -t tmpfs tmpfs "$1" && mkdir "$1/upper" "$1/work" "$1/root"
mount -t overlay overlay -o "lowerdir=$2,upperdir=$1/upper,workdir=$1/work" "$1/root"
mount --bind "$3" "$1/root$4" && exec chroot "$1/root" "$4/package_life.sh"
"""
"""A system whose changes end with the command."""


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, for debootstrap and chroot")
@pytest.mark.parametrize("python", RELEASES)
def test_the_package_serves_another_user_and_leaves_keys_alone(python: str, tmp_path: Path) -> None:
    run(sys.executable, ROOT / "tools/make_deb.py", f"--python={python}", f"--out={tmp_path}")
    (package,) = tmp_path.glob("*.deb")
    for place in ("work", "changes"):
        (tmp_path / place).mkdir()
    shutil.copy(package, tmp_path / "work/softee.deb")
    shutil.copy(Path(__file__).with_name("package_life.sh"), tmp_path / "work")
    places = (tmp_path / "changes", RELEASES[python].installed(), tmp_path / "work", WORK)
    command = ["unshare", "--mount", "sh", "-euc", OVERLAY, "sh", *map(str, places)]
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
    said = done.stdout.splitlines()
    assert done.returncode == 0, done.stdout + done.stderr
    assert [line for line in said if line.startswith("signed")] == [
        "signed: at first",
        "signed: after an upgrade",
        "signed: after a removal",
    ]
    assert "served by: softee" in said
    assert "known: softee, version 0.1.0" in said
    assert "left: /etc/softee/private/root.key /var/lib/softee/softee.db " in said
    assert "gone" in said
