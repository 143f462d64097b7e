# SPDX-License-Identifier: Apache-2.0
"""What one uid takes, others keep: memory of session objects, and the work of a template."""

import os
import socket

import pytest

from softee.daemon import memory_file
from softee.daemon.channel import Channel
from softee.daemon.clients import Clients
from softee.daemon.settings import Limits
from softee.names import CKA, CKR, ParamType
from softee.pkcs11_ta.abi.template import MOST_ATTRIBUTES
from softee.pkcs11_ta.session import accounts
from softee.tee.application import TeeError
from softee.tee.core import TeeCore
from softee.tee.identity import PeerCredentials
from softee.wire.messages import NO_SECRET, CloseSession, Invoke
from softee.wire.parameters import MAX_MEMORY_FILE, Parameters, Region
from softee.wire.values import Memref
from support.commands import c
from support.object_calls import create
from support.token_world import Caller, make_application, public_client, template

SIZE = 4000


def data(caller: Caller, session: int) -> CKR:
    wanted = template((CKA.CLASS, 0), (CKA.TOKEN, False), (CKA.PRIVATE, False), (CKA.VALUE, bytes(SIZE)))
    return caller.call(c.CREATE_OBJECT, session, wanted).rv


def test_attack_many_clients_of_a_uid_have_one_account(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accounts, "MOST_OF_A_UID", 10 * (SIZE + 500))
    application = make_application()
    assert Caller(application).init_token() is CKR.OK
    greedy = [Caller(application, public_client(uid=1001)) for _ in range(3)]
    sessions = [caller.open() for caller in greedy]
    answers = [data(caller, session) for _ in range(5) for caller, session in zip(greedy, sessions, strict=True)]
    assert answers[:9] == [CKR.OK] * 9
    assert answers[-1] is CKR.DEVICE_MEMORY
    other = Caller(application, public_client(uid=1002))
    assert data(other, other.open()) is CKR.OK
    greedy[0].ok(c.CLOSE_ALL_SESSIONS, 0)
    assert data(greedy[1], sessions[1]) is CKR.OK


def test_what_is_replaced_destroyed_or_left_behind_is_given_back() -> None:
    application = make_application()
    assert Caller(application).init_token() is CKR.OK
    caller = Caller(application)
    session = caller.open()
    kept, gone = (create(caller, session, "data", TOKEN=False, PRIVATE=False, VALUE=bytes(SIZE)) for _ in range(2))
    caller.ok(c.SET_ATTRIBUTE_VALUE, session, kept, template((CKA.LABEL, bytes(2 * SIZE))))
    caller.ok(c.DESTROY_OBJECT, session, gone)
    caller.ok(c.CLOSE_SESSION, session)
    account = application.accounts.of(caller.identity.uid)
    account.book(accounts.MOST_OF_A_UID)


def test_attack_a_template_of_very_many_attributes_is_refused_at_once() -> None:
    caller = Caller(make_application())
    assert caller.init_token() is CKR.OK
    session = caller.open()
    for count, answer in ((MOST_ATTRIBUTES, CKR.OK), (MOST_ATTRIBUTES + 1, CKR.ARGUMENTS_BAD)):
        wanted = template(*[(CKA.LABEL, b"")] * count)
        assert caller.call(c.FIND_OBJECTS_INIT, session, wanted).rv is answer


def test_attack_the_channels_of_a_uid_leave_room_for_others() -> None:
    limits = Limits(channels=8, channels_per_uid=3, clients=8, clients_per_uid=2)
    clients = Clients(TeeCore([]), limits)
    pairs = [socket.socketpair() for _ in range(6)]
    channels = [
        Channel(ours, PeerCredentials(os.getpid(), uid, uid), limits)
        for (ours, _), uid in zip(pairs, (1001, 1001, 1001, 1001, 1002, 1002), strict=True)
    ]
    for channel in channels[:3]:
        clients.meet(channel)
    with pytest.raises(RuntimeError, match="uid 1001 has 3 channels"):
        clients.meet(channels[3])
    clients.meet(channels[4])
    clients.part(channels[0])
    clients.meet(channels[3])
    made = [clients.enter(channel, NO_SECRET)[0] for channel in channels[1:3]]
    with pytest.raises(TeeError, match="uid 1001 has 2 clients"):
        clients.enter(channels[3], NO_SECRET)
    made.append(clients.enter(channels[4], NO_SECRET)[0])
    for client in made:
        for channel in tuple(client.channels):
            clients.leave(client, channel)
    clients.stop()
    for ends in pairs:
        for end in ends:
            end.close()


@pytest.mark.parametrize("capacity", [0, 100, 1 << 31])
def test_attack_what_a_request_claims_is_bounded_before_it_is_checked(capacity: int) -> None:
    parameters = Parameters((Memref(ParamType.MEMREF_INPUT, capacity=capacity), None, None, None), (Region(0, 0),))
    assert memory_file.claimed(Invoke(1, 1, 0, parameters)) == min(capacity, MAX_MEMORY_FILE)
    assert memory_file.claimed(CloseSession(1)) == 0
