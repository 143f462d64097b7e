# SPDX-License-Identifier: Apache-2.0
"""The ``softee`` command: its sub-commands, and the one place where a failure becomes a sentence and an exit status."""

import json
import sys
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final, NoReturn

import click

import softee as package
from softee.cli.failure import CliError
from softee.cli.lazy import LazyGroup, Row
from softee.cli.options import JSON, Output
from softee.cli.tables import printable

COMMANDS: Final[Mapping[str, Row]] = MappingProxyType(
    {
        "run": Row("softee.cli.run", "Run a command with a secure world behind it."),
        "serve": Row("softee.cli.serve", "Run the secure world in the foreground."),
        "setup": Row("softee.cli.setup.command", "Set the system's secure world up as a service, or remove it."),
        "module": Row("softee.cli.module", "Print the path of the PKCS#11 module, or put it into a directory."),
        "status": Row("softee.cli.status", "Show the secure world that answers, and its tokens."),
        "top": Row("softee.cli.top.command", "Show who uses the secure world, and how much, live."),
        "web": Row("softee.cli.web.command", "Serve a page that shows the secure world, to this machine."),
        "health": Row("softee.cli.health", "Say at once whether the secure world is ready."),
        "doctor": Row("softee.cli.doctor.command", "Say what is wrong, and how to mend it."),
        "selftest": Row("softee.cli.selftest", "Check the cryptography against published answers."),
        "token": Row("softee.cli.token", "Initialize tokens, show them, change their PINs and labels."),
        "key": Row("softee.cli.key", "Make, import, export, wrap and attest keys."),
        "cert": Row("softee.cli.cert", "Put certificates on a token, or make them."),
        "csr": Row("softee.cli.csr", "Make a certificate request that a token's key signs."),
        "import": Row("softee.cli.importing", "Put keys from files, or a token of SoftHSM2's, on a token."),
        "object": Row("softee.cli.object", "List, show and delete whatever is on a token."),
        "uri": Row("softee.cli.uri", "Print PKCS#11 URIs of tokens and objects."),
        "attestation": Row("softee.cli.attestation", "Print the certificates of the attestation key."),
        "root-key": Row("softee.cli.root_key", "Move a state from one root key to another."),
        "backup": Row(
            "softee.cli.backup", "Copy a state, while its secure world runs or not, also into one encrypted file."
        ),
        "restore": Row("softee.cli.restore", "Put a state back from an encrypted backup."),
        "audit": Row("softee.cli.audit", "Show the log of security events, and verify it."),
        "verify": Row("softee.cli.verify", "Say what of a state is damaged, and what is still good."),
        "demo": Row("softee.cli.demo.command", "Walk through OP-TEE's documentation with real programs."),
        "bench": Row("softee.cli.bench.command", "Time calls, beside other PKCS#11 modules."),
        "completion": Row("softee.cli.completion", "Print what makes a shell complete softee's command line."),
    }
)
"""By name, in the order of the help. To add a command, write a module that has a function of its name, and a row."""

softee = click.version_option(package.__version__, prog_name="softee")(
    LazyGroup(
        "softee", "OP-TEE's PKCS#11 token on any Linux machine: keys that applications use but never hold.", COMMANDS
    )
)
softee.context_settings = {"help_option_names": ["-h", "--help"], "max_content_width": 100}

WRONG_USAGE: Final = 2
INTERRUPTED: Final = 130
"""What a shell says of a command that SIGINT ended."""


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit. A failure is told in one line on stderr, with --json on stdout too."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    output = Output()
    try:
        status = softee.main(given, prog_name="softee", standalone_mode=False, obj=output)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        status = WRONG_USAGE
    except click.UsageError as error:
        output.json |= _wants_json(given, error.ctx)
        status = _tell(_usage(error), WRONG_USAGE, output)
    except CliError as error:
        status = _tell(str(error), error.status, output)
    except (click.Abort, KeyboardInterrupt):
        status = _tell("Interrupted.", INTERRUPTED, output)
    sys.exit(status or 0)


def _usage(error: click.UsageError) -> str:
    said = error.format_message().rstrip(".")
    return f"{said}; `{error.ctx.command_path} --help` shows what it takes." if error.ctx else f"{said}."


def _wants_json(given: Sequence[str], ctx: click.Context | None) -> bool:
    """Tell whether a command line that could not be read to its end asks for JSON."""
    return "--json" in given and ctx is not None and any(param.name == JSON for param in ctx.command.params)


def _tell(sentence: str, status: int, output: Output) -> int:
    if output.json:
        click.echo(json.dumps({"error": sentence}))
    click.echo(f"softee: {printable(sentence)}", err=True)
    return status
