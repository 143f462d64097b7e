# SPDX-License-Identifier: Apache-2.0
"""Checks of what is installed: our shared objects, and the programs of others."""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

from softee.cli.doctor.finding import Finding, good, warning, wrong
from softee.cli.library import INSTALLED, LIBRARIES, installed_module
from softee.cli.programs import PROGRAMS

_LIBTEEC = re.compile(r"libteec\.so\.2 => (\S+)")


def check_libraries() -> Iterator[Finding]:
    """Look for libckteec, and for the libteec that the dynamic linker gives it."""
    module = installed_module()
    if module is None:
        yield wrong("module", f"there is no libckteec.so.0 in {LIBRARIES}", "install the wheel: pip install .")
        return
    yield good("module", str(module))
    copy = INSTALLED / module.name
    if copy.exists() and copy.read_bytes() != module.read_bytes():
        yield warning("module", f"{copy} is another version of it", "softee module --install")
    used = _libteec_in_use(module)
    if used is None:
        yield wrong("libteec", "the dynamic linker finds no libteec.so.2", "install the wheel again: pip install .")
    elif used.parent != LIBRARIES.resolve():
        mend = "unset LD_LIBRARY_PATH, unless a real OP-TEE is meant"
        yield warning("libteec", f"{used} is in use, which is not softee's", mend)
    else:
        yield good("libteec", str(used))


def check_cryptography() -> Iterator[Finding]:
    """Compare what the cryptography gives with what is published."""
    from softee.pkcs11_ta.known_answers.outcome import names_of_wrong  # noqa: PLC0415 - the help needs none
    from softee.pkcs11_ta.known_answers.table import KNOWN_ANSWERS  # noqa: PLC0415 - likewise

    wrongs = names_of_wrong(KNOWN_ANSWERS)
    if wrongs:
        mend = "install softee and its libraries anew; `softee selftest` tells more"
        yield wrong("cryptography", f"it gives wrong answers: {', '.join(wrongs)}", mend)
    else:
        yield good("cryptography", f"{len(KNOWN_ANSWERS)} answers are those that are published")


def check_programs() -> Iterator[Finding]:
    """Look for the programs that the demo uses. softee works without them."""
    for program in PROGRAMS:
        if program.present():
            yield good("programs", f"{program.name} is installed")
        else:
            yield warning("programs", f"{program.name} is not installed", f"apt-get install {program.package}")


def _libteec_in_use(module: Path) -> Path | None:
    found = _LIBTEEC.search(subprocess.run(["ldd", module], capture_output=True, text=True, check=False).stdout)
    return Path(os.path.realpath(found[1])) if found else None
