# SPDX-License-Identifier: Apache-2.0
"""The TEE client protocol from Python: what libteec does for C, without a shared object."""

from softee.client.connection import is_trusted
from softee.client.errors import ClientError, NotRunningError, RefusedError, SilenceError, UntrustedError
from softee.client.places import socket_paths
from softee.client.tee_client import TeeClient, TeeSession

__all__ = [
    "ClientError",
    "NotRunningError",
    "RefusedError",
    "SilenceError",
    "TeeClient",
    "TeeSession",
    "UntrustedError",
    "is_trusted",
    "socket_paths",
]
