# SPDX-License-Identifier: Apache-2.0
"""The settings that a command works with: the file's, replaced by what the command line says."""

from collections.abc import Mapping
from pathlib import Path

from softee.cli.failure import CliError
from softee.daemon.root_key.source import is_path
from softee.daemon.settings import Settings, SettingsError, load_settings


def settings_from(
    *, config: Path | None = None, **overrides: Path | str | int | Mapping[str, object] | None
) -> Settings:
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
