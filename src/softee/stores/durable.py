# SPDX-License-Identifier: Apache-2.0
"""What it takes beside a file's own fsync: that its name is on the disk too."""

import os
from pathlib import Path


def sync_names(directory: Path) -> None:
    """Return when the names in a directory are on the disk. Raises OSError."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
