# SPDX-License-Identifier: Apache-2.0
"""The recipes for Yocto and Buildroot name what there is: options, licence, dependencies, files."""

import hashlib
import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
BUILDROOT = ROOT / "contrib/buildroot/package/softee"
(YOCTO,) = (ROOT / "contrib/yocto").rglob("softee_*.bb")
MAKEFILE = (BUILDROOT / "softee.mk").read_text()
RECIPE = YOCTO.read_text()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

EXTRAS = {"cryptography[ssh]": {"python3-cryptography", "python3-bcrypt"}}
"""What Yocto has packages of their own for."""


def value(name: str) -> str:
    """Return a variable's value in Yocto's recipe."""
    (found,) = re.findall(rf'^{re.escape(name)} \+?= "(.*?)"', RECIPE, re.MULTILINE | re.DOTALL)
    return str(found)


def test_their_options_are_meson_s() -> None:
    known = set(re.findall(r"^option\('(\w+)'", (ROOT / "meson.options").read_text(), re.MULTILINE))
    assert set(re.findall(r"-D(\w+)=", RECIPE + MAKEFILE)) <= known


def test_their_licence_is_this_one() -> None:
    licence = (ROOT / "LICENSE").read_bytes()
    md5 = hashlib.md5(licence, usedforsecurity=False).hexdigest()
    assert value("LIC_FILES_CHKSUM") == f"file://LICENSE;md5={md5}"
    assert hashlib.sha256(licence).hexdigest() in (BUILDROOT / "softee.hash").read_text()


def test_yocto_s_is_of_this_version_and_depends_on_what_softee_does() -> None:
    assert YOCTO.stem == f"softee_{PROJECT['version']}"
    wanted: set[str] = {"libseccomp"}
    for requirement in PROJECT["dependencies"]:
        name = re.split("[<>=]", requirement)[0]
        wanted |= EXTRAS.get(name, {f"python3-{name}"})
    assert wanted <= set(value("RDEPENDS:${PN}").replace("\\", "").split())


def test_buildroot_s_removes_what_is_the_service_s() -> None:
    places = {"systemd": "systemd/system", "systemd/user": "systemd/user", "sysusers.d": "sysusers.d"}
    places["tmpfiles.d"] = "tmpfiles.d"
    system = ROOT / "src/softee/system"
    files = {f"{there}/{file.name.removesuffix('.in')}" for here, there in places.items()
             for file in (system / here).iterdir() if file.is_file()}  # fmt: skip
    removed = MAKEFILE.partition("SOFTEE_OF_THE_SERVICE = ")[2].partition("\n\n")[0]
    assert set(removed.replace("\\", "").split()) == files
