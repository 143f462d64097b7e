# SPDX-License-Identifier: Apache-2.0
"""``softee demo``: runs the walkthrough and tells how it went."""

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from softee.cli.demo.runner import Runner
from softee.cli.demo.stage import Stage, stage
from softee.cli.demo.step import Outcome
from softee.cli.demo.walkthrough import STEPS
from softee.cli.options import json_option
from softee.cli.output import write_json
from softee.cli.run import end_on_signals

LONGEST_ANSWER = 64
"""Lines of an answer that are shown; the list of mechanisms fits, TLS' life story does not."""


@click.command()
@json_option
@click.pass_context
def demo(ctx: click.Context, *, as_json: bool) -> None:
    """Walk through OP-TEE's documentation in a throw-away state, with pkcs11-tool, OpenSSL and curl."""
    end_on_signals()
    console = Console(quiet=as_json, highlight=False, soft_wrap=True)
    with stage() as where:
        outcomes = _walk(where, console)
    if as_json:
        write_json([_as_dict(outcome) for outcome in outcomes])
    console.print(_table(outcomes))
    ctx.exit(0 if all(outcome.passed for outcome in outcomes) else 1)


def _walk(where: Stage, console: Console) -> list[Outcome]:
    console.print(f'[bold]# alias p11="pkcs11-tool --module {escape(str(where.module))}"[/bold]\n')
    outcomes = []
    with Runner(where) as runner:
        for step in STEPS:
            outcome = runner.run(step)
            _show(outcome, console)
            outcomes.append(outcome)
    return outcomes


def _show(outcome: Outcome, console: Console) -> None:
    console.print(Text(f"# {outcome.command}", style="bold"))
    lines = outcome.output.rstrip().splitlines()
    console.print(Text("\n".join(lines[:LONGEST_ANSWER])))
    if len(lines) > LONGEST_ANSWER:
        console.print(Text(f"… {len(lines) - LONGEST_ANSWER} more lines", style="dim"))
    if outcome.failure:
        console.print(Text(f"failed: expected {outcome.failure.expected}", style="red"))
        console.print(Text(f"        got {outcome.failure.got}", style="red"))
    console.print()


def _table(outcomes: list[Outcome]) -> Table:
    table = Table("step", "result", title="OP-TEE's walkthrough on softee")
    table.add_column("time", justify="right")
    for outcome in outcomes:
        result = "[green]passed[/green]" if outcome.passed else "[red]failed[/red]"
        table.add_row(escape(outcome.name), result, f"{outcome.seconds * 1000:.0f} ms")
    passed = sum(outcome.passed for outcome in outcomes)
    seconds = sum(outcome.seconds for outcome in outcomes)
    table.caption = f"{passed} of {len(outcomes)} steps passed in {seconds:.1f} s"
    return table


def _as_dict(outcome: Outcome) -> dict[str, object]:
    return {
        "step": outcome.name,
        "command": outcome.command,
        "passed": outcome.passed,
        "seconds": round(outcome.seconds, 4),
        "output": outcome.output,
        "expected": outcome.failure.expected if outcome.failure else None,
        "got": outcome.failure.got if outcome.failure else None,
    }
