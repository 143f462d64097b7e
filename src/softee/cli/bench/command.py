# SPDX-License-Identifier: Apache-2.0
"""``softee bench``: how fast softee is, beside other tokens and beside what is possible."""

from pathlib import Path
from typing import Annotated

import typer

from softee.cli.bench.session import Plan, run_bench
from softee.cli.run import end_on_signals

ModuleOption = Annotated[
    list[Path] | None,
    typer.Option("--module", help="Another PKCS#11 module to measure; SOFTEE_PIN is its token's PIN."),
]
AloneOption = Annotated[bool, typer.Option("--alone", help="Without SoftHSM2: what --module names, and the floor.")]
RowsOption = Annotated[str, typer.Option("--rows", help="Rows by name, or patterns, with commas: sign-*,find-1000.")]
CallersOption = Annotated[str, typer.Option("--callers", help="How many call at once: 1,8 are threads, 2p processes.")]
RoundsOption = Annotated[int | None, typer.Option("--rounds", min=1, help="Rounds of each row; 7, with --quick 3.")]
SecondsOption = Annotated[
    float | None, typer.Option("--seconds", min=0.01, help="Seconds of a round; 0.3, with --quick 0.1.")
]
QuickOption = Annotated[bool, typer.Option("--quick", help="A few rows, in short rounds.")]
JsonOption = Annotated[Path | None, typer.Option("--json", help="Write every round to this file.")]
PlotOption = Annotated[Path | None, typer.Option("--plot", help="Draw the ratios into this file, as SVG.")]


def bench(
    *,
    module: ModuleOption = None,
    alone: AloneOption = False,
    rows: RowsOption = "",
    callers: CallersOption = "1",
    rounds: RoundsOption = None,
    seconds: SecondsOption = None,
    quick: QuickOption = False,
    json: JsonOption = None,
    plot: PlotOption = None,
) -> None:
    """Time softee's calls beside those of other PKCS#11 modules, and beside what a token can reach at best.

    softee runs with a throw-away token. Beside it are measured SoftHSM2 in the caller's process and SoftHSM2 behind
    p11-kit's server, where they are installed, and the modules of --module.
    """
    end_on_signals()
    run_bench(
        Plan.parse(
            modules=module or [],
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
