# SPDX-License-Identifier: Apache-2.0
"""The dependency rule: names <- wire <- tee <- pkcs11_ta <- daemon <- cli, read from the imports of the sources."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "softee"

TRUSTED_APPLICATIONS = {"pkcs11_ta"}
"""The packages of the trusted applications. They know the TEE core and not each other."""

FOR_APPLICATIONS = {"names", "wire", "tee", "stores.base"}
"""What a trusted application may import, also one that stands elsewhere (examples/)."""

MAY_IMPORT = {
    "names": set(),
    "wire": {"names"},
    "disk": set(),
    "stores": {"disk"},
    "client": {"names", "wire"},
    "tee": {"names", "wire", "stores.base"},
    **dict.fromkeys(TRUSTED_APPLICATIONS, FOR_APPLICATIONS),
    "daemon": {"names", "wire", "disk", "stores", "tee", *TRUSTED_APPLICATIONS},
    "system": set(),
    "cli": {"names", "wire", "stores", "tee", "daemon", "client", "system", *TRUSTED_APPLICATIONS},
}
"""What each package may import of softee besides itself: a package, or one module of it."""

ROOMS = (
    "abi",
    "attributes",
    "keys",
    "objects",
    "mechanisms",
    "known_answers",
    "token",
    "attestation",
    "session",
    "handlers",
    "audit",
    "patience",
    "pace",
    "dispatch",
    "counting",
    "application",
)
"""The rooms of pkcs11_ta: each may import those before it, for types too, and none after it."""

PURE = ("names", "wire", "tee", *sorted(TRUSTED_APPLICATIONS))
"""The layers that are handed sockets, files and clocks, and open none."""

OUTSIDE_WORLD = {
    "socket", "selectors", "select", "subprocess", "tempfile", "shutil", "pathlib", "io", "glob", "mmap", "fcntl",
    "time", "datetime", "sched", "asyncio", "signal", "ctypes", "sqlite3", "multiprocessing",
}  # fmt: skip
"""Modules through which a program reaches sockets, files or the clock."""

ALL_THE_SAME = {
    "pkcs11_ta/mechanisms/rsa/raw_openssl.py": {"ctypes"},
    "pkcs11_ta/attestation/attester.py": {"datetime"},
    "pkcs11_ta/attestation/certificates.py": {"datetime"},
}
"""Where one of them is there for something else: a cipher that no library has for Python, dates."""


def modules() -> list[Path]:
    return sorted(path for path in SOURCE.rglob("*.py") if path.parent != SOURCE)


def imported(path: Path) -> Iterator[str]:
    """Every module that a file imports, by its absolute name; ``from a import b`` also counts as ``a.b``."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import hides which package it crosses into"
            assert node.module is not None
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def allowed(name: str, importable: set[str]) -> bool:
    parts = name.removeprefix("softee.")
    if name == "softee":
        return True
    return any(parts == may or parts.startswith(f"{may}.") or may == f"{parts}.base" for may in importable)


def softee(path: Path) -> list[str]:
    return [name for name in imported(path) if name == "softee" or name.startswith("softee.")]


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(SOURCE)))
def test_imports_go_one_way(path: Path) -> None:
    package = path.relative_to(SOURCE).parts[0]
    others = [name for name in softee(path) if not name.startswith(f"softee.{package}")]
    foreign = [name for name in others if not allowed(name, MAY_IMPORT[package])]
    assert not foreign, f"softee.{package} must not import {foreign}"


@pytest.mark.parametrize("path", sorted((ROOT / "examples").glob("*_ta/**/*.py")), ids=lambda path: path.name)
def test_an_example_s_application_imports_what_one_of_ours_may(path: Path) -> None:
    foreign = [name for name in softee(path) if not allowed(name, FOR_APPLICATIONS)]
    assert not foreign, f"{path} must not import {foreign}"


PURE_PACKAGES = [*(SOURCE / package for package in PURE), *(ROOT / "examples").glob("*_ta")]


@pytest.mark.parametrize("package", PURE_PACKAGES, ids=lambda package: package.name)
def test_below_the_daemon_nothing_reaches_sockets_files_or_the_clock(package: Path) -> None:
    for path in package.rglob("*.py"):
        roots = {name.partition(".")[0] for name in imported(path)}
        roots -= ALL_THE_SAME.get(str(path.relative_to(package.parent)), set())
        assert not roots & OUTSIDE_WORLD, f"{path.relative_to(ROOT)} imports {sorted(roots & OUTSIDE_WORLD)}"


@pytest.mark.parametrize("package", PURE_PACKAGES, ids=lambda package: package.name)
def test_below_the_daemon_nothing_opens_files(package: Path) -> None:
    for path in package.rglob("*.py"):
        calls = [node.func for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
        names = {call.id for call in calls if isinstance(call, ast.Name)}
        assert "open" not in names, f"{path.relative_to(ROOT)} opens a file"


def modules_of_rooms() -> list[Path]:
    return [
        path
        for path in modules()
        if path.relative_to(SOURCE).parts[0] == "pkcs11_ta"
        and len(path.relative_to(SOURCE).parts) + (path.stem != "__init__") > 2
    ]


def module_name(path: Path) -> str:
    return ".".join(("softee", *path.relative_to(SOURCE).with_suffix("").parts)).removesuffix(".__init__")


def room_of(parts: tuple[str, ...]) -> str:
    """Return the room of a module, named by its path below softee: ("pkcs11_ta", "token", "pins")."""
    return parts[1]


@pytest.mark.parametrize("path", modules_of_rooms(), ids=lambda path: str(path.relative_to(SOURCE)))
def test_no_room_of_the_trusted_application_imports_a_later_one(path: Path) -> None:
    here = ROOMS.index(room_of(path.relative_to(SOURCE).with_suffix("").parts))
    inside = [name.split(".")[1:] for name in imported(path) if name.startswith("softee.pkcs11_ta.")]
    upward = [parts for parts in inside if ROOMS.index(room_of(tuple(parts))) > here]
    assert not upward, f"{ROOMS[here]} must not import {upward}"


def test_no_modules_of_the_trusted_application_import_each_other_in_a_circle() -> None:
    edges = {module_name(path): set(imported(path)) for path in modules_of_rooms()}
    remaining = dict(edges)
    while free := [name for name, needs in remaining.items() if not needs & remaining.keys() - {name}]:
        for name in free:
            del remaining[name]
    assert not remaining, f"in a circle, or above one: {sorted(remaining)}"


def test_every_package_has_its_rule() -> None:
    packages = {path.relative_to(SOURCE).parts[0] for path in modules()}
    assert packages <= set(MAY_IMPORT)
