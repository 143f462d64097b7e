# SPDX-License-Identifier: Apache-2.0
"""The descriptors that a service manager has passed to this process (sd_listen_fds_with_names(3))."""

import os
from collections.abc import MutableMapping

FIRST = 3
"""The first one. The others follow it, and their names stand in LISTEN_FDNAMES."""


def take(environment: MutableMapping[str, str], name: str) -> int | None:
    """Take a descriptor by its name from those that were passed; None where it is not among them.

    The others close ranks, in the environment too, as if it had not been there.
    """
    names = environment.get("LISTEN_FDNAMES", "").split(":")
    if environment.get("LISTEN_PID") != str(os.getpid()) or environment.get("LISTEN_FDS") != str(len(names)):
        return None
    if name not in names:
        return None
    place = names.index(name)
    taken = os.dup(FIRST + place)
    for number in range(FIRST + place, FIRST + len(names) - 1):
        os.dup2(number + 1, number, inheritable=False)
    os.close(FIRST + len(names) - 1)
    names.remove(name)
    environment.update(LISTEN_FDS=str(len(names)), LISTEN_FDNAMES=":".join(names))
    if not names:
        for variable in ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"):
            del environment[variable]
    return taken
