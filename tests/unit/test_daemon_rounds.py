# SPDX-License-Identifier: Apache-2.0
"""A round of the loop: who asks on many connections, or as many clients, is answered no more often than another."""

from types import SimpleNamespace
from typing import Any, cast

from softee.daemon.conversation import Conversation
from softee.daemon.rounds import in_turn

Ready = list[tuple[int, int]]


def asking(*who: tuple[int, str | None]) -> tuple[Ready, dict[int, Conversation]]:
    """Return what is ready, and the conversations: each with its uid and its client, from descriptor 10 on."""
    waiting: dict[int, Any] = {
        descriptor: SimpleNamespace(channel=SimpleNamespace(peer=SimpleNamespace(uid=uid)), client=client)
        for descriptor, (uid, client) in enumerate(who, 10)
    }
    return [(descriptor, 1) for descriptor in waiting], cast("dict[int, Conversation]", waiting)


def served(ready: Ready, waiting: dict[int, Conversation]) -> list[int]:
    now = in_turn(ready, waiting)
    assert all(conversation is waiting.get(descriptor) for descriptor, conversation in now)
    return [descriptor for descriptor, _ in now]


def test_who_is_alone_is_served() -> None:
    assert served(*asking((0, "a"))) == [10]
    assert served([(3, 1)], {}) == [3]
    assert served([], {}) == []


def test_of_each_client_one_is_served() -> None:
    ready, waiting = asking((0, "a"), (0, "a"), (0, "b"), (0, "a"), (0, "b"), (0, "c"))
    assert served(ready, waiting) == [10, 12, 15]


def test_of_each_uid_one_is_served_where_there_are_several() -> None:
    ready, waiting = asking((0, "a"), (0, "b"), (0, "c"), (1, "d"), (1, "e"))
    assert served(ready, waiting) == [10, 13]


def test_few_clients_that_ask_for_one_each_are_served_together() -> None:
    ready, waiting = asking((0, "a"), (0, "b"), (1, "c"), (0, "d"))
    assert served(ready, waiting) == [10, 11, 12, 13]


def test_of_one_client_alone_some_are_served() -> None:
    ready, waiting = asking(*[(0, "a")] * 9)
    assert served(ready, waiting) == [10, 11, 12, 13]


def test_what_is_no_conversation_is_served_always() -> None:
    ready, waiting = asking((0, "a"), (0, "a"), (0, "b"))
    assert served([(3, 1), *ready, (4, 1)], waiting) == [3, 10, 12, 4]
