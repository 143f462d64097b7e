# SPDX-License-Identifier: Apache-2.0
"""A plugin for PyKCS11's suite, which asks for the library's version and skips what early versions of SoftHSM lack.

The version is then that of a SoftHSM which has all that the suite knows; all else is the library's.
"""

from typing import Any

import PyKCS11

ask = PyKCS11.PyKCS11Lib.getInfo


def get_info(library: PyKCS11.PyKCS11Lib) -> Any:  # noqa: ANN401 - PyKCS11 has no types
    """Return the library's CK_INFO with another version in it."""
    info = ask(library)
    info.libraryVersion = (2, 7)
    return info


PyKCS11.PyKCS11Lib.getInfo = get_info
