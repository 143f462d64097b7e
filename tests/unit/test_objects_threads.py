# SPDX-License-Identifier: Apache-2.0
"""Several clients work with the same token's objects at the same time: nobody sees anything but the rules' answers."""

import threading
from concurrent.futures import ThreadPoolExecutor

from softee.names import CKA, CKR
from support.commands import c
from support.object_calls import create, fresh_caller, search
from support.token_world import Caller, template

CLIENTS = 4
ROUNDS = 25


def work(caller: Caller, shared: int, start: threading.Barrier) -> set[CKR]:
    """Make, change, find and destroy own objects, and change and read the shared one, all the time."""
    session = caller.open()
    assert caller.login(session) is CKR.OK
    start.wait()
    answers = set()
    for number in range(ROUNDS):
        label = template((CKA.LABEL, f"{session} {number}".encode()))
        mine = create(caller, session, "AES key", TOKEN=True, PRIVATE=number % 2 == 0)
        answers.add(caller.call(c.SET_ATTRIBUTE_VALUE, session, mine, label).rv)
        answers.add(caller.call(c.SET_ATTRIBUTE_VALUE, session, shared, label).rv)
        read = caller.call(c.GET_ATTRIBUTE_VALUE, session, shared, template((CKA.LABEL, bytes(40))))
        answers.add(read.rv)
        found = search(caller, session, template((CKA.SIGN, False)))
        assert {mine, shared} <= set(found)
        answers.add(caller.call(c.DESTROY_OBJECT, session, mine).rv)
    return answers


def test_clients_do_not_disturb_each_other_while_they_change_the_same_token() -> None:
    owner, session = fresh_caller()
    shared = create(owner, session, "AES key", TOKEN=True)
    start = threading.Barrier(CLIENTS)
    with ThreadPoolExecutor(CLIENTS) as pool:
        runs = [pool.submit(work, Caller(owner.application), shared, start) for _ in range(CLIENTS)]
    assert all(run.result() == {CKR.OK} for run in runs)
    assert search(owner, session, template()) == [shared]
