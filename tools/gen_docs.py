# SPDX-License-Identifier: Apache-2.0
"""Write docs/generated/commands.md and mechanisms.md from the tables; with --check, only say whether they are stale."""

import sys
from collections.abc import Iterable

from generation import command_number, main
from softee.names import CKM, CKR, MechanismFlag
from softee.names.mechanism_layouts import LAYOUTS, Use
from softee.pkcs11_ta.abi.command import Command, Data, Output
from softee.pkcs11_ta.abi.commands import COMMANDS
from softee.pkcs11_ta.abi.fields import fields as fields_of_request
from softee.pkcs11_ta.abi.returns import ANY
from softee.pkcs11_ta.mechanisms.spec import AnyMechanism
from softee.pkcs11_ta.mechanisms.table import MECHANISMS
from softee.pkcs11_ta.token.profiles import PROFILES

NOTE = "<!-- Made by tools/gen_docs.py from the tables in src/softee/pkcs11_ta. Do not edit. -->"


def commands_page() -> str:
    """Return the page of the command table."""
    lines = [
        "# The commands of the PKCS#11 application",
        NOTE,
        "",
        "OP-TEE's command ABI. Parameter 0 is the control buffer (in: the request; out: the 32-bit return value),",
        "parameter 1 the data, parameter 2 the output. Integers are 32-bit, little endian, byte-aligned; leftovers are",
        "refused.",
        "",
        f"Every command may also answer: {_names(ANY)}.",
    ]
    for command in COMMANDS:
        lines += _command(command)
    return _page(lines)


def _command(command: Command[object]) -> Iterable[str]:
    yield ""
    yield f"## {command_number(command.number)} {command.name}" + (f" ({command.function})" if command.function else "")
    yield ""
    yield "| parameter | content |"
    yield "|---|---|"
    fields = "; ".join(f"`{name}` {field.layout}" for name, field in fields_of_request(command.request))
    yield f"| 0 in | {fields} |"
    if command.data is not Data.NONE:
        yield f"| 1 | {command.data.value} |"
    if command.output is not Output.NONE:
        size = f", {command.output_size} bytes" if command.output_size is not None else ""
        layout = f": {command.output_layout}" if command.output_layout else ""
        yield f"| 2 | {command.output.value}{size}{layout} |"
    special = command.returns - ANY
    if special:
        yield ""
        yield f"Return values: {_names(special)}."


def _names(returns: Iterable[CKR]) -> str:
    return ", ".join(f"CKR_{rv.name}" for rv in sorted(returns))


def mechanisms_page() -> str:
    """Return the page of the mechanism table."""
    lines = [
        "# The mechanisms",
        NOTE,
        "",
        "Key sizes are in the unit of C_GetMechanismInfo: bits for RSA and EC, bytes for secret keys. The last column",
        "names the profiles that have the mechanism; where one has only some of its functions, it says which.",
        "",
        "| mechanism | number | key types | key size | functions | parts | parameter | profiles |",
        "|---|---|---|---|---|---|---|---|",
    ]
    lines += [_mechanism(number, spec) for number, spec in MECHANISMS.items()]
    lines += [
        "",
        "Whatever signs also signs and verifies messages, but in `optee`. Messages that are encrypted have parameters:",
        "",
        "| mechanism | parameter of a message |",
        "|---|---|",
        *(
            f"| CKM_{number.name} | {layout.described()} |"
            for (number, use), layout in LAYOUTS.items()
            if use is Use.MESSAGE
        ),
    ]
    return _page(lines)


def _mechanism(number: CKM, spec: AnyMechanism) -> str:
    types = ", ".join(sorted(f"CKK_{kind.name}" for kind in spec.key_types)) or "none"
    size = f"{spec.key_size.low} to {spec.key_size.high}" if spec.key_size else ""
    parts = "any" if spec.multi_part else "one"
    row = (
        f"CKM_{number.name}",
        f"0x{number:04x}",
        types,
        size,
        _functions(spec),
        parts,
        spec.layout.described(),
        _profiles(number, spec),
    )
    return f"| {' | '.join(row)} |"


def _functions(spec: AnyMechanism) -> str:
    return ", ".join(str(flag.name).lower().replace("_", " ") for flag in MechanismFlag if flag in spec.flags)


def _profiles(number: CKM, spec: AnyMechanism) -> str:
    having = {name: policy.mechanisms[number] for name, policy in PROFILES.items() if number in policy.mechanisms}
    return ", ".join(name if its.flags == spec.flags else f"{name} ({_functions(its)})" for name, its in having.items())


def _page(lines: Iterable[str]) -> str:
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(
        main(
            __doc__,
            {"docs/generated/commands.md": commands_page, "docs/generated/mechanisms.md": mechanisms_page},
        )
    )
