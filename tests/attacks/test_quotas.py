# SPDX-License-Identifier: Apache-2.0
"""What one uid takes, others keep: memory of session objects, and the work of a template."""

import pytest

from softee.names import CKA, CKR
from softee.pkcs11_ta.abi.template import MOST_ATTRIBUTES
from softee.pkcs11_ta.session import accounts
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
