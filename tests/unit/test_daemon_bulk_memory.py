# SPDX-License-Identifier: Apache-2.0
"""Large requests: what a uid holds, it waits for itself, and others do not."""

import threading
from contextlib import ExitStack

from softee.daemon.bulk_memory import BulkMemory


def asked(bulk: BulkMemory, uid: int, size: int) -> threading.Event:
    """Have a thread make a request, and return what is set once it has had room."""
    done = threading.Event()

    def hold() -> None:
        with bulk.hold(uid, size):
            done.set()

    threading.Thread(target=hold, daemon=True).start()
    return done


def waits(bulk: BulkMemory, uid: int, size: int) -> bool:
    """Tell whether a request has to wait."""
    return not asked(bulk, uid, size).wait(0.05)


def goes_on(bulk: BulkMemory, uid: int, size: int) -> bool:
    """Tell whether a request has room, which is there now, or as soon as those have gone that waited before it."""
    return asked(bulk, uid, size).wait(20)


def test_attack_a_uid_waits_for_its_own_large_requests_and_others_do_not() -> None:
    bulk = BulkMemory(of_a_uid=100, of_all=1000)
    with bulk.hold(1, 60):
        assert goes_on(bulk, 1, 40)
        assert waits(bulk, 1, 41)
        assert goes_on(bulk, 2, 100)
    assert goes_on(bulk, 1, 100)


def test_all_together_have_a_bound() -> None:
    bulk = BulkMemory(of_a_uid=100, of_all=250)
    with ExitStack() as stack:
        for uid in (1, 2):
            stack.enter_context(bulk.hold(uid, 100))
        assert goes_on(bulk, 3, 50)
        assert waits(bulk, 3, 51)
    assert goes_on(bulk, 3, 100)


def test_a_request_larger_than_its_share_has_room_when_it_is_alone() -> None:
    bulk = BulkMemory(of_a_uid=100, of_all=150)
    assert goes_on(bulk, 1, 500)
    with bulk.hold(1, 500):
        assert waits(bulk, 2, 1)
