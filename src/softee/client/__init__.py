# SPDX-License-Identifier: Apache-2.0
"""The TEE client protocol from Python: what libteec does for C, without a shared object."""

from softee.client.errors import ClientError, NotRunningError, RefusedError, SilenceError
from softee.client.tee_client import TeeClient, TeeSession, default_socket

__all__ = [
    "ClientError",
    "NotRunningError",
    "RefusedError",
    "SilenceError",
    "TeeClient",
    "TeeSession",
    "default_socket",
]
