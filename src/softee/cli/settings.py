# SPDX-License-Identifier: Apache-2.0
"""The settings that a command works with: the file's, replaced by what the command line says."""

from collections.abc import Mapping
from pathlib import Path

from softee.cli.failure import CliError
from softee.daemon.root_key.source import is_path
from softee.daemon.settings import (
    Settings,
    SettingsError,
    SettingsSource,
    default_config,
    default_settings,
    load_settings,
)


def settings_from(*, config: Path | None = None, **overrides: object) -> Settings:
    """Return the settings of the file, replaced by those given on the command line; paths are made absolute.

    Raises:
        CliError: a setting is wrong.

    """
    try:
        return load_settings(config, _absolute(overrides))
    except SettingsError as error:
        raise CliError(str(error)) from None


def settings_source(*, config: Path | None = None, **overrides: object) -> SettingsSource:
    """Return where the settings of ``settings_from`` come from, to read them anew."""
    return SettingsSource(config.absolute() if config else default_config(), _absolute(overrides), default_settings())


def _absolute(overrides: Mapping[str, object]) -> dict[str, object]:
    """Return the same with paths from the root; a root key's may be a text."""
    root_key = overrides.get("root_key")
    is_file = isinstance(root_key, str) and is_path(root_key)
    given = {**overrides, "root_key": Path(str(root_key))} if is_file else overrides
    return {name: value.absolute() if isinstance(value, Path) else value for name, value in given.items()}
