# SPDX-License-Identifier: Apache-2.0
"""The login state machine, as tables: who may log in when, and what a session's state is called.

A client is logged in to a token as a whole (PKCS#11 2.40, section 5.6): all its sessions there share one state, and
other clients' states are their own.
"""

from collections.abc import Mapping

from softee.names import CKR, CKS, CKU
from softee.pkcs11_ta.abi.errors import Pkcs11Error

User = CKU | None
"""CKU_USER, CKU_SO, or None: nobody is logged in."""

LOGIN_ANSWERS: Mapping[tuple[User, CKU], CKR] = {
    (None, CKU.USER): CKR.OK,
    (None, CKU.SO): CKR.OK,
    (CKU.USER, CKU.USER): CKR.USER_ALREADY_LOGGED_IN,
    (CKU.SO, CKU.SO): CKR.USER_ALREADY_LOGGED_IN,
    (CKU.USER, CKU.SO): CKR.USER_ANOTHER_ALREADY_LOGGED_IN,
    (CKU.SO, CKU.USER): CKR.USER_ANOTHER_ALREADY_LOGGED_IN,
}
"""What C_Login answers, by who is logged in and who wants to."""

STATES: Mapping[tuple[User, bool], CKS] = {
    (None, False): CKS.RO_PUBLIC_SESSION,
    (None, True): CKS.RW_PUBLIC_SESSION,
    (CKU.USER, False): CKS.RO_USER_FUNCTIONS,
    (CKU.USER, True): CKS.RW_USER_FUNCTIONS,
    (CKU.SO, True): CKS.RW_SO_FUNCTIONS,
}
"""A session's state, by who is logged in and whether the session is read-write. The SO has read-write sessions only."""


def check_login(current: User, wanted: CKU, *, read_only_sessions: bool) -> None:
    """Raise unless ``wanted`` may log in now.

    Args:
        current: who is logged in to the token for this client.
        wanted: CKU_USER or CKU_SO.
        read_only_sessions: the client has a read-only session with the token.

    Raises:
        Pkcs11Error: CKR_USER_ALREADY_LOGGED_IN, CKR_USER_ANOTHER_ALREADY_LOGGED_IN or CKR_SESSION_READ_ONLY_EXISTS.

    """
    answer = LOGIN_ANSWERS[current, wanted]
    if answer is not CKR.OK:
        raise Pkcs11Error(answer, f"{_who(current)} is logged in; log out first")
    if wanted is CKU.SO and read_only_sessions:
        raise Pkcs11Error(CKR.SESSION_READ_ONLY_EXISTS, "the SO logs in where all sessions are read-write; close those")


def _who(user: User) -> str:
    return "nobody" if user is None else f"CKU_{user.name}"


def check_open(current: User, *, read_write: bool) -> None:
    """Raise CKR_SESSION_READ_WRITE_SO_EXISTS where a session of this kind may not be opened now."""
    if (current, read_write) not in STATES:
        raise Pkcs11Error(CKR.SESSION_READ_WRITE_SO_EXISTS, "the SO is logged in: no read-only session can be opened")
