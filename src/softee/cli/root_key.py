# SPDX-License-Identifier: Apache-2.0
"""``softee root-key``: moves a state from one root key to another."""

from pathlib import Path
from typing import Annotated

import typer

from softee.cli.failure import CliError
from softee.cli.options import ConfigOption, RootKeyOption, StateOption, settings_from
from softee.daemon.root_key.source import RootKeySource, is_path

root_key = typer.Typer(help="Where the key comes from that opens the state.", no_args_is_help=True)

ToOption = Annotated[str, typer.Option("--to", help="The new root key: a file, or another source; made where missing.")]


@root_key.callback()
def group() -> None:
    """Do what the sub-command says: with one sub-command alone there would be no group."""


@root_key.command()
def rotate(
    *, to: ToOption, config: ConfigOption = None, state: StateOption = None, root_key: RootKeyOption = None
) -> None:
    """Have the state opened by another root key. No secure world may use it meanwhile.

    Either the old key opens the state afterwards or the new one, whenever this is interrupted; done again, it goes on.
    """
    from softee.daemon.failures import FAILURES, sentence  # noqa: PLC0415 - the help does not wait for cryptography
    from softee.daemon.rotation import rotate as rotate_root_key  # noqa: PLC0415 - likewise

    settings = settings_from(config=config, state=state, root_key=root_key)
    new = _source(to)
    try:
        changed = rotate_root_key(settings, new)
    except FAILURES as error:
        raise CliError(sentence(error)) from None
    typer.echo(f"The state {settings.state} opens with {new} {'now' if changed else 'already'}.")
    typer.echo(f'The settings must say so: root_key = "{new}"')
    typer.echo(f"{settings.root_key} opens it no more. It still opens copies of the state from before, and with the")
    typer.echo("installation record of such a copy what was stored later: destroy it when none is needed any more.")


def _source(text: str) -> RootKeySource:
    try:
        return RootKeySource(str(Path(text).absolute()) if is_path(text) else text)
    except ValueError as error:
        raise CliError(f"--to {text} is no root key: {error}.", 2) from None
