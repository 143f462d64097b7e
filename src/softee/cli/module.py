# SPDX-License-Identifier: Apache-2.0
"""``softee module``: the path of the PKCS#11 module, or a copy of it at a place that stays."""

import json
import shutil
from pathlib import Path

import click

from softee.cli.failure import CliError
from softee.cli.library import INSTALLED, MODULE, module_path
from softee.cli.options import json_option

FILES = (MODULE.name, "libteec.so.2")
"""The module, and the library that it looks for beside itself."""


@click.command()
@click.option(
    "--install",
    "directory",
    type=click.Path(path_type=Path),
    is_flag=False,
    flag_value=str(INSTALLED),
    metavar="[DIR]",
    help=f"Copy the module, and the libteec that it needs, into DIR; {INSTALLED} if none is named.",
)
@json_option
def module(*, directory: Path | None, as_json: bool) -> None:
    """Print the path of libckteec, the PKCS#11 module that applications load.

    That path goes with softee's installation. Some programs take modules from /usr/lib and /usr/local/lib alone, and
    configuration files outlive a Python: for them, --install puts the module where it stays until it is installed anew.
    """
    path = module_path() if directory is None else install(module_path(), directory)
    click.echo(json.dumps({"module": str(path)}) if as_json else path)


def install(module: Path, directory: Path) -> Path:
    """Copy a module and what it needs into a directory, and return where it is now.

    Each file takes its place at once, so that programs find the old one or the new one.

    Raises:
        CliError: the directory cannot be written to.

    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for name in reversed(FILES):
            made = directory / f".{name}.new"
            shutil.copyfile(module.with_name(name), made)
            made.chmod(0o755)
            made.replace(directory / name)
    except OSError as error:
        raise CliError(f"{directory} cannot be written to: {error.strerror}; name another, or do it as root.") from None
    return directory.absolute() / FILES[0]
