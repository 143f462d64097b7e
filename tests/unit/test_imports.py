# SPDX-License-Identifier: Apache-2.0
"""The dependency rule: names <- wire <- tee <- pkcs11_ta <- daemon <- cli, read from the imports of the sources."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "softee"

TRUSTED_APPLICATIONS = {"pkcs11_ta"}
"""The packages of the trusted applications. They know the TEE core and not each other."""

MAY_IMPORT = {
    "names": set(),
    "wire": {"names"},
    "stores": set(),
    "client": {"names", "wire"},
    "tee": {"names", "wire", "stores.base"},
    **{package: {"names", "wire", "tee", "stores.base"} for package in TRUSTED_APPLICATIONS},
    "daemon": {"names", "wire", "stores", "tee", *TRUSTED_APPLICATIONS},
    "cli": {"names", "wire", "stores", "tee", "daemon", "client", *TRUSTED_APPLICATIONS},
}
"""What each package may import of softee besides itself: a package, or one module of it."""

ROOMS = (
    "abi",
    "attributes",
    "keys",
    "objects",
    "mechanisms",
    "token",
    "session",
    "handlers",
    "dispatch",
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


def allowed(package: str, name: str) -> bool:
    parts = name.removeprefix("softee.")
    if name == "softee":
        return True
    return any(parts == may or parts.startswith(f"{may}.") or may == f"{parts}.base" for may in MAY_IMPORT[package])


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(SOURCE)))
def test_imports_go_one_way(path: Path) -> None:
    package = path.relative_to(SOURCE).parts[0]
    softee = [name for name in imported(path) if name == "softee" or name.startswith("softee.")]
    foreign = [name for name in softee if not name.startswith(f"softee.{package}") and not allowed(package, name)]
    assert not foreign, f"softee.{package} must not import {foreign}"


@pytest.mark.parametrize("package", PURE)
def test_below_the_daemon_nothing_reaches_sockets_files_or_the_clock(package: str) -> None:
    for path in (SOURCE / package).rglob("*.py"):
        roots = {name.partition(".")[0] for name in imported(path)}
        assert not roots & OUTSIDE_WORLD, f"{path.relative_to(SOURCE)} imports {sorted(roots & OUTSIDE_WORLD)}"


@pytest.mark.parametrize("package", PURE)
def test_below_the_daemon_nothing_opens_files(package: str) -> None:
    for path in (SOURCE / package).rglob("*.py"):
        calls = [node.func for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
        names = {call.id for call in calls if isinstance(call, ast.Name)}
        assert "open" not in names, f"{path.relative_to(SOURCE)} opens a file"


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
