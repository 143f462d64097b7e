# SPDX-License-Identifier: Apache-2.0
"""``softee serve``: the secure world, in the foreground."""

import os
import signal
from pathlib import Path

import click

from softee.cli.clean_up import clean_up_behind
from softee.cli.failure import CliError
from softee.cli.options import LEVELS, config_option, profile_option, root_key_option, socket_option, state_option
from softee.cli.settings import settings_from, settings_source
from softee.daemon.hardening import set_death_signal


@click.command()
@state_option
@socket_option
@root_key_option
@config_option
@click.option("--slots", type=click.IntRange(1, 64), metavar="N", help="How many slots there are, 1 to 64.")
@profile_option
@click.option(
    "--workers",
    type=click.IntRange(0, 255),
    metavar="N",
    help="How many processes serve clients; 0, the default: as many as there are CPUs.",
)
@click.option("--metrics", metavar="PLACE", help="Where metrics are served: 127.0.0.1:PORT, [::1]:PORT or unix:PATH.")
@click.option(
    "--metrics-token", type=click.Path(path_type=Path), metavar="FILE", help="The file with the token of their readers."
)
@click.option("--log-level", type=click.Choice(LEVELS), help="What is logged.")
@click.option("--ready-fd", type=int, hidden=True)
@click.option("--die-with", type=int, hidden=True)
@click.option("--clean-up", type=click.Path(path_type=Path), multiple=True, hidden=True)
@click.pass_context
def serve(
    ctx: click.Context,
    *,
    state: Path | None,
    socket: Path | None,
    root_key: str | None,
    config: Path | None,
    slots: int | None,
    profile: str | None,
    workers: int | None,
    metrics: str | None,
    metrics_token: Path | None,
    log_level: str | None,
    ready_fd: int | None,
    die_with: int | None,
    clean_up: tuple[Path, ...],
) -> None:
    """Run the secure world until SIGTERM or SIGINT, or until the terminal is gone from which it was started.

    It logs to stderr. At SIGHUP it reads its settings anew: the log level counts at once, and what else has changed is
    named in the log. Where root starts it and the setting `user` names somebody, it opens its socket, reads the root
    key, and becomes this user. It takes a socket from systemd, and tells it of its life (sd_notify).
    """
    from softee.daemon.main import serve as serve_until_stopped  # noqa: PLC0415 - no other command needs its code

    if die_with is not None:
        _die_with_parent(die_with)
        if clean_up:
            clean_up_behind(die_with, clean_up)
    source = settings_source(
        config=config,
        state=state,
        socket=socket,
        root_key=root_key,
        workers=workers,
        log_level=log_level,
        pkcs11={"slots": slots, "profile": profile},
        metrics={"listen": metrics, "token": metrics_token and metrics_token.absolute()},
    )
    settings = settings_from(config=config, **source.overrides)
    ctx.exit(serve_until_stopped(settings, ready_fd=ready_fd, source=source))


def _die_with_parent(parent: int) -> None:
    """Ask the kernel for SIGTERM when the parent dies, so that a killed `softee run` leaves nothing behind."""
    set_death_signal(signal.SIGTERM)
    if os.getppid() != parent:
        raise CliError("The process that started this secure world is gone.")
