# SPDX-License-Identifier: Apache-2.0
"""The dependency rule: names <- wire <- tee <- pkcs11_ta <- daemon <- cli, read from the imports of the sources."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "softee"

MAY_IMPORT = {
    "names": set(),
    "wire": {"names"},
    "stores": set(),
    "client": {"names", "wire"},
    "tee": {"names", "wire", "stores.base"},
    "pkcs11_ta": {"names", "wire", "tee", "stores.base"},
    "daemon": {"names", "wire", "stores", "tee", "pkcs11_ta"},
    "cli": {"names", "wire", "stores", "tee", "pkcs11_ta", "daemon", "client"},
}
"""What each package may import of softee besides itself: a package, or one module of it."""

PURE = ("names", "wire", "tee", "pkcs11_ta")
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


def test_every_package_has_its_rule() -> None:
    packages = {path.relative_to(SOURCE).parts[0] for path in modules()}
    assert packages <= set(MAY_IMPORT)
