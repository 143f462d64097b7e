# SPDX-License-Identifier: Apache-2.0
"""Where the shared objects are that applications load."""

from pathlib import Path

import softee
from softee.cli.failure import CliError

LIBRARIES = Path(softee.__file__).parent / "lib"
"""The wheel's place for libckteec and libteec."""

_NAMES = ("libckteec.so", "libckteec.so.0")
"""The module's link and the file itself; a wheel holds no links."""


def installed_module() -> Path | None:
    """Return the path of the PKCS#11 module of this installation, or None where it has none."""
    return next((LIBRARIES / name for name in _NAMES if (LIBRARIES / name).exists()), None)


def module_path() -> Path:
    """Return the path of the PKCS#11 module of this installation.

    Raises:
        CliError: it is not installed, as in a source tree that was not built.

    """
    module = installed_module()
    if module is None:
        raise CliError(
            f"There is no libckteec.so in {LIBRARIES}: this is softee's source tree, or an installation without its C "
            "part; install the wheel with `pip install .`."
        )
    return module
