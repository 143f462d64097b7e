# SPDX-License-Identifier: Apache-2.0
"""Options that several sub-commands have, and the settings that they make."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from softee.cli.failure import CliError
from softee.daemon.root_key.source import is_path
from softee.daemon.settings import Settings, SettingsError, load_settings

ConfigOption = Annotated[Path | None, typer.Option("--config", help="A settings file instead of the default one.")]
StateOption = Annotated[Path | None, typer.Option("--state", help="The state directory: the sealed database.")]
SocketOption = Annotated[Path | None, typer.Option("--socket", help="The Unix socket.")]
RootKeyOption = Annotated[
    str | None,
    typer.Option("--root-key", help="The file of the root key, made where missing, or another source of it."),
]
OutOption = Annotated[Path | None, typer.Option("--out", help="A file for the result, instead of stdout.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document, and nothing else.")]
ProfileOption = Annotated[
    str | None, typer.Option("--profile", help="portable, optee or strict: of slots whose settings name none.")
]


def settings_from(*, config: Path | None = None, **overrides: Path | str | Mapping[str, object] | None) -> Settings:
    """Return the settings of the file, replaced by those given on the command line; paths are made absolute.

    Raises:
        CliError: a setting is wrong.

    """
    root_key = overrides.get("root_key")
    if isinstance(root_key, str) and is_path(root_key):
        overrides["root_key"] = Path(root_key)
    absolute = {name: value.absolute() if isinstance(value, Path) else value for name, value in overrides.items()}
    try:
        return load_settings(config, absolute)
    except SettingsError as error:
        raise CliError(str(error)) from None
