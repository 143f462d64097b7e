# SPDX-License-Identifier: Apache-2.0
"""Check of what lets logins come back when the secure world is started again."""

from collections.abc import Iterator
from pathlib import Path

from softee.cli.doctor.finding import Finding, good, warning
from softee.daemon.keyring import Entry
from softee.daemon.ticket_keepers import description_of


def check_restart(state: Path) -> Iterator[Finding]:
    """Look for the kernel's keyring, by which logins outlive a daemon of this user."""
    try:
        Entry(description_of(state))
    except OSError as error:
        what = f"the kernel has no keyring for this user ({error.strerror or error}): logins end with the daemon"
        yield warning("restart", what, "run it as a systemd service with FileDescriptorStoreMax=1 (systemd 254)")
    else:
        yield good("restart", "logins come back when the daemon is started again: the kernel's keyring can be used")
