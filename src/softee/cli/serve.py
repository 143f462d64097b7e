# SPDX-License-Identifier: Apache-2.0
"""``softee serve``: the secure world, in the foreground."""

import ctypes
import os
import signal
from pathlib import Path
from typing import Annotated

import typer

from softee.cli.clean_up import clean_up_behind
from softee.cli.failure import CliError
from softee.cli.options import (
    ConfigOption,
    ProfileOption,
    RootKeyOption,
    SocketOption,
    StateOption,
    settings_from,
)

_PR_SET_PDEATHSIG = 1

SlotsOption = Annotated[int | None, typer.Option("--slots", help="How many slots there are.")]
LevelOption = Annotated[str | None, typer.Option("--log-level", help="debug, info, warning or error.")]
ReadyOption = Annotated[int | None, typer.Option("--ready-fd", hidden=True)]
ParentOption = Annotated[int | None, typer.Option("--die-with", hidden=True, metavar="PID")]
CleanUpOption = Annotated[list[Path] | None, typer.Option("--clean-up", hidden=True)]


def serve(
    *,
    state: StateOption = None,
    socket: SocketOption = None,
    root_key: RootKeyOption = None,
    config: ConfigOption = None,
    slots: SlotsOption = None,
    profile: ProfileOption = None,
    log_level: LevelOption = None,
    ready_fd: ReadyOption = None,
    die_with: ParentOption = None,
    clean_up: CleanUpOption = None,
) -> None:
    """Run the secure world until SIGTERM or SIGINT. It logs to stderr."""
    from softee.daemon.main import serve as serve_until_stopped  # noqa: PLC0415 - no other command needs its code

    if die_with is not None:
        _die_with_parent(die_with)
        if clean_up:
            clean_up_behind(die_with, clean_up)
    settings = settings_from(
        config=config,
        state=state,
        socket=socket,
        root_key=root_key,
        log_level=log_level,
        pkcs11={"slots": slots, "profile": profile},
    )
    raise typer.Exit(serve_until_stopped(settings, ready_fd=ready_fd))


def _die_with_parent(parent: int) -> None:
    """Ask the kernel for SIGTERM when the parent dies, so that a killed `softee run` leaves nothing behind."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != parent:
        raise CliError("The process that started this secure world is gone.")
