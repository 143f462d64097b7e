# SPDX-License-Identifier: Apache-2.0
"""``softee bench``: how fast softee is, beside other tokens and beside what is possible."""

from pathlib import Path

import click

from softee.cli.bench.session import Plan, run_bench
from softee.cli.options import path
from softee.cli.run import end_on_signals


@click.command()
@click.option(
    "--module",
    type=click.Path(path_type=Path),
    multiple=True,
    help="Another PKCS#11 module to measure; SOFTEE_PIN is its token's PIN.",
)
@click.option("--alone", is_flag=True, help="Without SoftHSM2: what --module names, and the floor.")
@click.option("--rows", default="", metavar="NAMES", help="Rows by name, or patterns, with commas: sign-*,find-1000.")
@click.option("--callers", default="1", metavar="NUMBERS", help="How many call at once: 1,8 are threads, 2p processes.")
@click.option("--rounds", type=click.IntRange(1), metavar="N", help="Rounds of each row; 7, with --quick 3.")
@click.option("--seconds", type=click.FloatRange(0.01), metavar="S", help="Seconds of a round; 0.3, with --quick 0.1.")
@click.option("--quick", is_flag=True, help="A few rows, in short rounds.")
@path("--json", "Write every round to this file.")
@path("--plot", "Draw the ratios into this file, as SVG.")
def bench(
    *,
    module: tuple[Path, ...],
    alone: bool,
    rows: str,
    callers: str,
    rounds: int | None,
    seconds: float | None,
    quick: bool,
    json: Path | None,
    plot: Path | None,
) -> None:
    """Time softee's calls beside those of other PKCS#11 modules, and beside what a token can reach at best.

    softee runs with a throw-away token. Beside it are measured SoftHSM2 in the caller's process and SoftHSM2 behind
    p11-kit's server, where they are installed, and the modules of --module.
    """
    end_on_signals()
    run_bench(
        Plan.parse(
            modules=module,
            alone=alone,
            rows=[name for name in rows.split(",") if name],
            callers=callers.split(","),
            rounds=rounds or (3 if quick else 7),
            seconds=seconds or (0.1 if quick else 0.3),
            quick=quick,
        ),
        json_file=json,
        plot_file=plot,
    )
