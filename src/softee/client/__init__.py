# SPDX-License-Identifier: Apache-2.0
"""The TEE client protocol from Python: what libteec does for C, without a shared object.

What is asked of this package is imported then: a quick command needs little of it.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
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

_MODULES = {"is_trusted": "connection", "socket_paths": "places", "TeeClient": "tee_client", "TeeSession": "tee_client"}
"""Where each stands; all others are errors."""


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES.get(name, 'errors')}"), name)
