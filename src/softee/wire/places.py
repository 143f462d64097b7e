# SPDX-License-Identifier: Apache-2.0
"""Where the secure world listens and its clients look, as docs/wire-protocol.md has it under *Where*."""

SYSTEM_SOCKET = "/run/softee/tee.sock"
"""The socket of the system's secure world."""

USER_SOCKET = "softee/tee.sock"
"""The socket of a user's secure world, below XDG_RUNTIME_DIR."""

LONGEST_PATH = 107
"""Bytes that the kernel takes as a socket's path."""

CLIENT_SETTINGS = "/etc/softee/client.conf"
"""What root tells all clients of the machine."""

CLIENT_SETTINGS_MAX = 4096
"""Bytes that this file has at most."""
