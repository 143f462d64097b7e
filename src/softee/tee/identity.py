# SPDX-License-Identifier: Apache-2.0
"""Who a client is: a pure function of what the kernel says of its process and how it asks to be identified.

The client UUIDs are those that Linux' TEE subsystem makes, so that a token which is bound to a user or group means the
same user or group here and on a board (docs/wire-protocol.md, "Identity").
"""

from dataclasses import dataclass
from uuid import UUID, uuid5

from softee.names import LoginMethod, TeeResult
from softee.tee.application import ClientIdentity, TeeError

CLIENT_NAMESPACE = UUID("58ac9ca0-2086-4683-a1b8-ec4bc08e01b6")
OVERFLOW_ID = 65534
"""The uid and gid that stand for all those which the secure world's user namespace does not know."""
NOBODY = UUID(int=0)


@dataclass(frozen=True, slots=True)
class PeerCredentials:
    """What the kernel says of the process at the other end, at the time when it connected.

    ``pid`` is 0 for a process that the secure world's pid namespace does not know. ``groups`` are the supplementary
    groups. ``process`` tells the process from every other since the machine has started; empty: that is not known.
    """

    pid: int
    uid: int
    gid: int
    groups: frozenset[int] = frozenset()
    process: bytes = b""


def identify(peer: PeerCredentials, login: int, login_data: int) -> ClientIdentity:
    """Return the identity under which ``peer`` opens a session.

    Args:
        peer: the kernel's word.
        login: a LoginMethod, as the client sent it.
        login_data: the gid for GROUP; 0 for all others.

    Raises:
        TeeError: ACCESS_DENIED for a group that the process is not in and for the overflow ids, BAD_PARAMETERS for
            login data that the method does not have, NOT_SUPPORTED for every other method.

    """
    if login == LoginMethod.GROUP:
        return _identity(peer, LoginMethod.GROUP, _group_uuid(peer, login_data))
    if login_data:
        raise TeeError(TeeResult.BAD_PARAMETERS, f"login method {login} has no login data")
    if login == LoginMethod.USER:
        return _identity(peer, LoginMethod.USER, _user_uuid(peer))
    if login == LoginMethod.PUBLIC:
        return _identity(peer, LoginMethod.PUBLIC, NOBODY)
    raise TeeError(TeeResult.NOT_SUPPORTED, f"login method {login}; there are public (0), user (1) and group (2)")


def _identity(peer: PeerCredentials, login: LoginMethod, uuid: UUID) -> ClientIdentity:
    return ClientIdentity(peer.pid, peer.uid, peer.gid, login, uuid, peer.groups, peer.process)


def _user_uuid(peer: PeerCredentials) -> UUID:
    _refuse_overflow(peer)
    return uuid5(CLIENT_NAMESPACE, f"uid={peer.uid:x}")


def _group_uuid(peer: PeerCredentials, gid: int) -> UUID:
    _refuse_overflow(peer)
    if gid == OVERFLOW_ID:
        raise TeeError(TeeResult.ACCESS_DENIED, f"gid {gid} stands for every group that is not known here")
    if gid != peer.gid and gid not in peer.groups:
        raise TeeError(TeeResult.ACCESS_DENIED, f"the process is not in group {gid}")
    return uuid5(CLIENT_NAMESPACE, f"gid={gid:x}")


def _refuse_overflow(peer: PeerCredentials) -> None:
    if peer.uid == OVERFLOW_ID:
        raise TeeError(TeeResult.ACCESS_DENIED, f"uid {peer.uid} stands for every user that is not known here")
