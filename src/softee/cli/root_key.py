# SPDX-License-Identifier: Apache-2.0
"""``softee root-key``: moves a state from one root key to another."""

from pathlib import Path

import click

from softee.cli.failure import CliError, state_failures
from softee.cli.options import config_option, root_key_option, state_option
from softee.cli.settings import settings_from
from softee.daemon.root_key.source import RootKeySource, is_path

root_key = click.Group("root-key", help="Move a state from one root key to another.")


@root_key.command()
@click.option(
    "--to", metavar="SOURCE", required=True, help="The new root key: a file, or another source; made where missing."
)
@config_option
@state_option
@root_key_option
def rotate(*, to: str, config: Path | None, state: Path | None, root_key: str | None) -> None:
    """Have the state opened by another root key. No secure world may use it meanwhile.

    Every record stays readable. Whenever this is interrupted, the old root key opens the state or the new one does;
    done again, it goes on.
    """
    from softee.daemon.at_rest.rotation import rotate as rotate_root_key  # noqa: PLC0415 - the help needs no cryptography

    settings = settings_from(config=config, state=state, root_key=root_key)
    new = _source(to)
    with state_failures():
        changed = rotate_root_key(settings, new)
    click.echo(f"The state {settings.state} opens with {new} {'now' if changed else 'already'}.")
    click.echo(f'The settings must say so: root_key = "{new}"')
    click.echo(f"{settings.root_key} opens it no more. It still opens copies of the state from before, and with the")
    click.echo("installation record of such a copy what was stored later: destroy it when none is needed any more.")


def _source(text: str) -> RootKeySource:
    try:
        return RootKeySource(str(Path(text).absolute()) if is_path(text) else text)
    except ValueError as error:
        raise CliError(f"--to {text} is no root key: {error}.", 2) from None
