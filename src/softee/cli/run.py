# SPDX-License-Identifier: Apache-2.0
"""``softee run``: a command with a secure world behind it."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import NoReturn

import click

from softee.cli import secure_world
from softee.cli.child import require_program, run_command
from softee.cli.ephemeral import KeyMaker, key_maker, throw_away_world
from softee.cli.failure import CliError
from softee.cli.library import module_path
from softee.cli.options import path, profile_option, root_key_option, state_option
from softee.cli.places import answering_socket

Environment = dict[str, str]


@click.command(context_settings={"allow_interspersed_args": False})  # what follows COMMAND is that command's
@click.argument("command", metavar="COMMAND...", nargs=-1, required=True)
@state_option
@root_key_option
@click.option("--ephemeral", is_flag=True, help="Start one with a throw-away token, for tests and CI.")
@click.option("--keys", metavar="KINDS", help="Keys on that token, with commas: rsa:2048,ec:prime256v1,ed25519.")
@profile_option
@path("--log", "Where it logs; default: softee.log in the state.")
@click.pass_context
def run(
    ctx: click.Context,
    command: tuple[str, ...],
    *,
    state: Path | None,
    root_key: str | None,
    ephemeral: bool,
    keys: str | None,
    profile: str | None,
    log: Path | None,
) -> None:
    """Run a command that finds its token in SOFTEE_MODULE and SOFTEE_SOCKET.

    Without --state and --ephemeral a secure world that answers already is used; where none does, one is started for
    the command on the default state. What was started is stopped when the command ends. The exit status is the
    command's. With --profile the secure world is one that is started.

    With --ephemeral the token's label is "softee", which is also in SOFTEE_TOKEN, and its PINs are in SOFTEE_PIN and
    SOFTEE_SO_PIN. The keys of --keys are called rsa-2048, ec-prime256v1, ed25519, a second one of a kind ed25519-2,
    and have the CKA_IDs 01, 02, and so on in their order; SOFTEE_KEYS has their labels, with commas.
    """
    if ephemeral and (state or root_key):
        raise CliError("--ephemeral makes its own state and root key; give it without --state and --root-key.", 2)
    if keys and not ephemeral:
        raise CliError("--keys are made on the token of --ephemeral; `softee key generate` makes keys on others.", 2)
    make_keys = key_maker(keys)
    require_program(command[0])
    module = module_path()
    end_on_signals()
    with _world(state, root_key, log, profile, make_keys if ephemeral else None) as found:
        environment = os.environ | {"SOFTEE_MODULE": str(module)} | found
        status = run_command(command, environment)
    ctx.exit(status)


def end_on_signals() -> None:
    """Let SIGTERM and SIGHUP unwind the program, so that what it started is stopped."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _end)


def _end(number: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)


@contextmanager
def _world(
    state: Path | None,
    root_key: str | None,
    log: Path | None,
    profile: str | None,
    make_keys: KeyMaker | None,
) -> Iterator[Environment]:
    """Find or start a secure world, with a throw-away token where ``make_keys`` is given; yield what leads to it."""
    options = ("--profile", profile) if profile else ()
    if make_keys:
        with throw_away_world(log, options, make_keys) as environment:
            yield environment
        return
    answering = None if state or root_key else answering_socket()
    if answering and profile:
        where = f"The secure world that answers on {answering} has profiles of its own"
        raise CliError(f"{where}; give --profile to `softee serve`, or with --state or --ephemeral.", 2)
    if answering:
        yield {"SOFTEE_SOCKET": str(answering)}
        return
    paths = secure_world.paths_from_settings(state, root_key, log)
    with secure_world.running(paths, options) as socket:
        yield {"SOFTEE_SOCKET": str(socket)} | paths.variables
