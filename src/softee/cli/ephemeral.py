# SPDX-License-Identifier: Apache-2.0
"""A throw-away token, ready for use: what ``softee run --ephemeral`` gives to tests and to CI."""

import secrets
from pathlib import Path

from softee.cli.token_client import token_client
from softee.names import CKU

LABEL = "softee"
SLOT = 0


def initialized_token(socket: Path) -> dict[str, str]:
    """Initialize slot 0's token with fresh PINs and return them as SOFTEE_PIN and SOFTEE_SO_PIN."""
    so_pin, pin = _new_pin(), _new_pin()
    with token_client(socket) as client:
        client.init_token(SLOT, LABEL, so_pin.encode())
        session = client.open_session(SLOT, write=True)
        client.login(session, CKU.SO, so_pin.encode())
        client.init_pin(session, pin.encode())
        client.close_session(session)
    return {"SOFTEE_PIN": pin, "SOFTEE_SO_PIN": so_pin}


def _new_pin() -> str:
    return f"{secrets.randbelow(10**10):010}"
