# SPDX-License-Identifier: Apache-2.0
"""The other people's programs that the demo and the doctor use, and where Debian has them."""

import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Program:
    """Something to have installed: its name, Debian's package for it, and how to tell whether it is there."""

    name: str
    package: str
    present: Callable[[], bool]


def _on_path(name: str) -> Callable[[], bool]:
    return lambda: shutil.which(name) is not None


def engines_directory() -> Path | None:
    """Return where OpenSSL's engines are, as ``openssl version -e`` says, or None without OpenSSL."""
    if shutil.which("openssl") is None:
        return None
    answer = subprocess.run(["openssl", "version", "-e"], capture_output=True, text=True, check=False).stdout
    return Path(answer.partition('"')[2].rpartition('"')[0])


def pkcs11_engine() -> Path | None:
    """Return the path of libp11's engine for OpenSSL, or None where it is not installed."""
    directory = engines_directory()
    if directory is None:
        return None
    return next((path for path in (directory / "pkcs11.so", directory / "libpkcs11.so") if path.exists()), None)


PROGRAMS = (
    Program("pkcs11-tool", "opensc", _on_path("pkcs11-tool")),
    Program("openssl", "openssl", _on_path("openssl")),
    Program("OpenSSL's pkcs11 engine", "libengine-pkcs11-openssl", lambda: pkcs11_engine() is not None),
    Program("curl", "curl", _on_path("curl")),
)


def missing_programs() -> list[Program]:
    """Return those of :data:`PROGRAMS` that are not installed."""
    return [program for program in PROGRAMS if not program.present()]
