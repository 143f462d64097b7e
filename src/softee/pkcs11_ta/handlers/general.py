# SPDX-License-Identifier: Apache-2.0
"""PING."""

from softee.pkcs11_ta.abi import replies
from softee.pkcs11_ta.abi.commands import general
from softee.pkcs11_ta.abi.messages import Nothing
from softee.pkcs11_ta.handlers.binding import bind
from softee.pkcs11_ta.session.call import Call

_VERSION = replies.VERSION.pack(1, 0, 0)


def ping(call: Call, request: Nothing) -> bytes:
    """Return the version of the application's interface: major, minor, patch."""
    return _VERSION


BOUND = (bind(general.PING, ping),)
