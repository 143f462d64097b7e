# SPDX-License-Identifier: Apache-2.0
"""Checks of what root tells all clients: libraries pass over what is wrong there, and have nobody to tell."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from softee.cli.doctor.finding import Finding, good, warning, wrong
from softee.client.settings import setting_in
from softee.wire.places import CLIENT_SETTINGS, CLIENT_SETTINGS_MAX

CHECK = "client settings"


def check_client_settings(file: Path | None = None) -> Iterator[Finding]:
    """Look at the clients' settings, where there are any: whether they count, and which lines do not."""
    file = file or Path(CLIENT_SETTINGS)
    try:
        status = file.stat()
        text = file.read_bytes() if stat.S_ISREG(status.st_mode) else b""
    except FileNotFoundError:
        return
    except OSError as error:
        yield wrong(CHECK, f"{file} cannot be read, and does not count: {error.strerror}", f"chmod 644 {file}")
        return
    if not stat.S_ISREG(status.st_mode):
        yield wrong(CHECK, f"{file} is no file, and does not count", "remove it")
    elif status.st_uid != 0 or status.st_mode & 0o022:
        what = f"{file} could be written by others than root, and does not count"
        yield wrong(CHECK, what, f"look what it says, then: chown root {file} && chmod 644 {file}")
    elif len(text) > CLIENT_SETTINGS_MAX or b"\0" in text:
        yield wrong(
            CHECK, f"{file} is longer than {CLIENT_SETTINGS_MAX} bytes or no text, and does not count", "cut it"
        )
    else:
        yield from _check_lines(file, text)


def _check_lines(file: Path, text: bytes) -> Iterator[Finding]:
    lines = [line.strip() for line in text.split(b"\n")]
    strange = [line for line in lines if line and not line.startswith(b"#") and setting_in(line) is None]
    for line in strange:
        what = f"{file} has a line that is passed over: {os.fsdecode(line)[:80]}"
        yield warning(CHECK, what, "write `socket = /path` or `server_uid = NUMBER`")
    if not strange:
        yield good(CHECK, f"{file}")
