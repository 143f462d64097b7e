# SPDX-License-Identifier: Apache-2.0
"""The files of a set-up: a table of them, and how one is written, renewed and taken away again.

What somebody has changed since is theirs: it is neither overwritten nor removed.
"""

import os
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import softee.system
from softee.cli.failure import CliError
from softee.cli.library import INSTALLED
from softee.cli.module import FILES as MODULE_FILES
from softee.cli.setup.machine import Machine

SOURCE: Final = Path(softee.system.__file__).parent
MODULE: Final = INSTALLED / MODULE_FILES[0]
SETTINGS: Final = "/etc/softee/softee.toml"


@dataclass(frozen=True)
class Template:
    """A file of the package, and where it belongs; ``people_change_it``: it stays as it is there."""

    source: str
    target: str
    people_change_it: bool = False


TEMPLATES: Final[Sequence[Template]] = (
    Template("etc/softee.toml", SETTINGS, people_change_it=True),
    Template("systemd/softee.socket", "/etc/systemd/system/softee.socket"),
    Template("systemd/softee.service.in", "/etc/systemd/system/softee.service"),
    Template("systemd/user/softee.socket", "/etc/systemd/user/softee.socket"),
    Template("systemd/user/softee.service.in", "/etc/systemd/user/softee.service"),
    Template("p11-kit/softee.module.in", "/etc/pkcs11/modules/softee.module"),
)


def written(template: Template, values: Mapping[str, str]) -> str:
    """Return the text of a file, with the values that stand between two @ in the template."""
    text = (SOURCE / template.source).read_text(encoding="utf-8")
    for name, value in values.items():
        text = text.replace(f"@{name}@", value)
    return text


def write(machine: Machine, values: Mapping[str, str]) -> Iterator[str]:
    """Write all files that are not there as they should be. Yield what was done. Raises CliError."""
    for template in TEMPLATES:
        file, text = machine.at(template.target), written(template, values)
        there = _content(file)
        if there == text:
            yield f"{template.target} is there"
        elif there is not None and template.people_change_it:
            yield f"{template.target} is there, and stays as it is"
        else:
            _replace(file, text)
            yield f"{'wrote' if there is None else 'renewed'} {template.target}"


def remove(machine: Machine, values: Mapping[str, str]) -> Iterator[str]:
    """Remove the files that are as they were written. Yield what was done. Raises CliError."""
    for template in reversed(TEMPLATES):
        file, text = machine.at(template.target), written(template, values)
        there = _content(file)
        if there is None:
            continue
        if there == text:
            _remove(file)
            yield f"removed {template.target}"
        else:
            yield f"left {template.target}, which was changed"
    for name in MODULE_FILES:
        file = machine.at(INSTALLED / name)
        if file.is_file():
            _remove(file)
            yield f"removed {INSTALLED / name}"


def _content(file: Path) -> str | None:
    """Return a file's text; None where there is none."""
    try:
        return file.read_text(encoding="utf-8", errors="surrogateescape")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise CliError(f"{file} cannot be read: {error.strerror}.") from None


def _replace(file: Path, text: str) -> None:
    """Put a file into its place at once, readable by all."""
    beside = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    try:
        file.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
            opened.write(text)
            os.fchmod(descriptor, 0o644)
        beside.replace(file)
    except OSError as error:
        raise CliError(f"{file} cannot be written: {error.strerror}.") from None


def _remove(file: Path) -> None:
    try:
        file.unlink()
    except OSError as error:
        raise CliError(f"{file} cannot be removed: {error.strerror}.") from None
