# SPDX-License-Identifier: Apache-2.0
"""Write docs/cli.md and the commands in docs/man/softee.1 from the command line. --check says what is stale."""

import inspect
import re
import sys
from collections.abc import Iterator

import click

from generation import ROOT, main
from softee.cli.main import softee

NOTE = "<!-- Made by tools/gen_docs_cli.py from src/softee/cli. Do not edit. -->"

PREFACE = """\
`softee -h`, and `-h` after any command, says the same. The [manual page](man/softee.1) has it too, and besides it the
variables, the files and the exit statuses.

**Which module.** `token`, `key`, `cert`, `csr`, `object` and `uri` work through a PKCS#11 module, as any application
does: softee's, or that of `--module` or `SOFTEE_MODULE`. So they work with a board's token and with other makers' too.

**Which token.** The only one that is initialized; where there are several, that of `--token LABEL` or `--slot N`, or
the one that a URI names.

**Which object.** By `--label`, by `--id` (hexadecimal), by both, or by its PKCS#11 URI (RFC 7512), which `softee uri`
prints. A URI may have `token`, `manufacturer`, `model`, `serial`, `slot-id`, `object`, `id` and `type`; what else it
says is refused, and so is a query: a PIN has no place on a command line.

**PINs** come from a file, a descriptor, a variable or the terminal, in this order. `SOFTEE_PIN` is the user's,
`SOFTEE_SO_PIN` the security officer's, `SOFTEE_NEW_PIN` the new one of `token set-pin`, `SOFTEE_FILE_PASSWORD` the
password of a file that `key import` reads, `SOFTEE_FROM_PIN` the PIN of a token that `import softhsm` reads,
`SOFTEE_PASSPHRASE` what opens an encrypted backup or a token in a file.

**What destroys** asks first. `--yes` is the answer where nobody can be asked.

**For programs**: with `--json` stdout has one JSON document; where a command fails it is `{"error": "a sentence"}`.
The exit status is 0, 1 where something failed, 2 where the command line is wrong, 130 where it was interrupted.
"""

BEGIN, END = '.\\" What follows is made by tools/gen_docs_cli.py.\n', '.\\" What follows is written by hand.\n'


def leaves(group: click.Group, before: str = "softee") -> Iterator[tuple[str, click.Command]]:
    """Yield every command that does something, by its name in full."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from leaves(command, f"{before} {name}")
        elif command is not None:
            yield f"{before} {name}", command


def usage(name: str, command: click.Command) -> str:
    """Return how a command is called."""
    return " ".join([name, *command.collect_usage_pieces(click.Context(command, info_name=name))])


def paragraphs(command: click.Command) -> list[str]:
    """Return what a command's help says, a line for each paragraph."""
    text = "\n\n".join(filter(None, (inspect.cleandoc(command.help or ""), command.epilog)))
    return [" ".join(part.split()) for part in text.split("\n\n")]


def options(command: click.Command) -> Iterator[tuple[str, str]]:
    """Yield how each option is written, and what it does."""
    context = click.Context(command)
    for param in command.params:
        record = param.get_help_record(context)
        if record is not None and isinstance(param, click.Option):
            yield record[0], f"{param.help}{' Must be given.' if param.required else ''}"


def page() -> str:
    """Return docs/cli.md."""
    lines = ["# The softee command", NOTE, "", PREFACE]
    for name, command in leaves(softee):
        lines += [f"## {name}", "", f"    {usage(name, command)}", ""]
        lines += [line for part in paragraphs(command) for line in (_escaped(part), "")]
        rows = [f"| `{option}` | {_escaped(what)} |" for option, what in _in_cells(command)]
        lines += ["| option | |", "|---|---|", *rows, ""] if rows else []
    return "\n".join(lines).rstrip() + "\n"


def _in_cells(command: click.Command) -> Iterator[tuple[str, str]]:
    yield from ((option.replace("|", "\\|"), what) for option, what in options(command))


def _escaped(text: str) -> str:
    """Return a text in which Markdown finds nothing to read, but for what stands in backquotes."""
    return re.sub(r"(`[^`]*`)|([*<>])", lambda found: found[1] or f"\\{found[2]}", text)


def manual() -> str:
    """Return docs/man/softee.1, with its commands made anew."""
    before, _, rest = (ROOT / "docs/man/softee.1").read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    return before + BEGIN + "\n".join(_commands()) + "\n" + END + after


def _commands() -> Iterator[str]:
    yield ".Sh COMMANDS"
    for name, command in leaves(softee):
        yield f".Ss {name}"
        yield ".Bd -literal -compact"
        yield _text(usage(name, command))
        yield ".Ed"
        for part in paragraphs(command):
            yield ".Pp"
            yield _text(part)
        yield from _option_list(command)


def _option_list(command: click.Command) -> Iterator[str]:
    rows = list(options(command))
    if not rows:
        return
    yield ".Bl -tag -width Ds"
    for option, what in rows:
        name, _, metavar = option.partition(" ")
        yield f".It Fl {name.removeprefix('-')}" + (f" Ar {_text(metavar)}" if metavar else "")
        yield _text(what)
    yield ".El"


def _text(text: str) -> str:
    """Return a line in which roff finds nothing to read."""
    escaped = text.replace("\\", "\\e").replace("`", "\\(ga")
    return f"\\&{escaped}" if escaped[:1] in {".", "'"} else escaped


if __name__ == "__main__":
    sys.exit(main(__doc__, {"docs/cli.md": page, "docs/man/softee.1": manual}))
