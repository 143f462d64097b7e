# SPDX-License-Identifier: Apache-2.0
"""Who is answered now where many have asked at once for what is done in a moment.

A round answers one request of each client, or of each uid where several have asked: so the number of a client's
connections, or of a uid's clients, is nobody else's matter. What is left is ready in the next round, and the kernel
tells of those first that it has not told of for the longest time.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Final

from softee.daemon.conversation import Conversation
from softee.daemon.lookout import Events

_OF_ONE: Final = 4
"""How many requests a round answers where all are one client's: who asks meanwhile waits for no more."""


def in_turn(ready: Events, waiting: Mapping[int, Conversation]) -> Sequence[int]:
    """Return which of the descriptors that are ready are served now; those of no conversation always are."""
    if len(ready) == 1:
        return (ready[0][0],)
    asking = {descriptor: conversation for descriptor, _ in ready if (conversation := waiting.get(descriptor))}
    whose = _of_uid if len({_of_uid(one) for one in asking.values()}) > 1 else _of_client
    most = _OF_ONE if len({whose(one) for one in asking.values()}) == 1 else 1
    left = set(asking) - set(_first(asking, whose, most))
    return [descriptor for descriptor, _ in ready if descriptor not in left]


def _first(asking: Mapping[int, Conversation], whose: Callable[[Conversation], Hashable], most: int) -> Sequence[int]:
    taken: dict[Hashable, list[int]] = {}
    for descriptor, conversation in asking.items():
        of_one = taken.setdefault(whose(conversation), [])
        if len(of_one) < most:
            of_one.append(descriptor)
    return [descriptor for of_one in taken.values() for descriptor in of_one]


def _of_uid(conversation: Conversation) -> Hashable:
    return conversation.channel.peer.uid


def _of_client(conversation: Conversation) -> Hashable:
    return conversation.client
