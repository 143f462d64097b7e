# SPDX-License-Identifier: Apache-2.0
"""Large requests: what a uid holds, it waits for itself, and others do not."""

import threading
from contextlib import ExitStack

from softee.daemon.bulk_memory import BulkMemory


def waits(bulk: BulkMemory, uid: int, size: int) -> bool:
    """Tell whether a request has to wait; where it need not, it is done at once."""
    done = threading.Event()

    def hold() -> None:
        with bulk.hold(uid, size):
            done.set()

    threading.Thread(target=hold, daemon=True).start()
    return not done.wait(0.05)


def test_attack_a_uid_waits_for_its_own_large_requests_and_others_do_not() -> None:
    bulk = BulkMemory(of_a_uid=100, of_all=1000)
    with bulk.hold(1, 60):
        assert not waits(bulk, 1, 40)
        assert waits(bulk, 1, 41)
        assert not waits(bulk, 2, 100)
    assert not waits(bulk, 1, 100)


def test_all_together_have_a_bound() -> None:
    bulk = BulkMemory(of_a_uid=100, of_all=250)
    with ExitStack() as stack:
        for uid in (1, 2):
            stack.enter_context(bulk.hold(uid, 100))
        assert not waits(bulk, 3, 50)
        assert waits(bulk, 3, 51)
    assert not waits(bulk, 3, 100)


def test_a_request_larger_than_its_share_has_room_when_it_is_alone() -> None:
    bulk = BulkMemory(of_a_uid=100, of_all=150)
    assert not waits(bulk, 1, 500)
    with bulk.hold(1, 500):
        assert waits(bulk, 2, 1)
