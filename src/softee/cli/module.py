# SPDX-License-Identifier: Apache-2.0
"""``softee module``: the path of the PKCS#11 module."""

import click

from softee.cli.library import module_path


@click.command()
def module() -> None:
    """Print the path of libckteec, the PKCS#11 module that applications load."""
    click.echo(module_path())
