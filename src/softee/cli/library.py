# SPDX-License-Identifier: Apache-2.0
"""Where the shared objects are that applications load."""

from pathlib import Path

import softee
from softee.cli.failure import CliError

LIBRARIES = Path(softee.__file__).parent / "lib"
"""The wheel's place for libckteec and libteec."""

MODULE = LIBRARIES / "libckteec.so.0"
"""What applications are told to load. libckteec.so beside it only leads to it: a wheel has no symbolic links."""

INSTALLED = Path("/usr/local/lib/softee")
"""Where `softee module --install` puts a copy: ssh-agent and wpa_supplicant take modules from below /usr/local/lib."""


def installed_module() -> Path | None:
    """Return the path of the PKCS#11 module of this installation, or None where it has none."""
    return MODULE if MODULE.exists() else None


def module_path() -> Path:
    """Return the path of the PKCS#11 module of this installation.

    Raises:
        CliError: it is not installed, as in a source tree that was not built.

    """
    module = installed_module()
    if module is None:
        raise CliError(
            f"There is no libckteec.so.0 in {LIBRARIES}: this is softee's source tree, or an installation without its "
            "C part; install the wheel with `pip install .`."
        )
    return module
