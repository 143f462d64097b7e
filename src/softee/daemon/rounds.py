# SPDX-License-Identifier: Apache-2.0
"""Who is answered now where many have asked at once for what is done in a moment.

A round answers one request of each client, or of each uid where several have asked: so the number of a client's
connections, or of a uid's clients, is nobody else's matter. What is left is ready in the next round, and the kernel
tells of those first that it has not told of for the longest time.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from softee.daemon.conversation import Conversation
from softee.daemon.lookout import Events

_FEW: Final = 4
"""How many requests a round answers of one client that asks alone, or of clients that ask for one each, of any uid."""

Asked = Sequence[tuple[int, Conversation | None]]
"""Descriptors that are ready, and whose conversation each is, if it is one's."""


def in_turn(ready: Events, waiting: Mapping[int, Conversation]) -> Asked:
    """Return which of the descriptors that are ready are served now; those of no conversation always are."""
    if len(ready) == 1:  # as nearly always: it costs next to nothing
        ((descriptor, _),) = ready
        return ((descriptor, waiting.get(descriptor)),)
    asked = [(descriptor, waiting.get(descriptor)) for descriptor, _ in ready]
    clients = {conversation.client for _, conversation in asked if conversation}
    if len(clients) == len(asked) <= _FEW:
        return asked
    return _first_of_each(asked, 1 if len(clients) > 1 else _FEW)


def _first_of_each(asked: Asked, most: int) -> Asked:
    """Return the first ``most`` requests of each client, or of each uid where there are several."""
    by_uid = len({conversation.channel.peer.uid for _, conversation in asked if conversation}) > 1
    served: dict[object, int] = {}
    now = []
    for descriptor, conversation in asked:
        if conversation is not None:
            whose = conversation.channel.peer.uid if by_uid else conversation.client
            served[whose] = served.get(whose, 0) + 1
            if served[whose] > most:
                continue
        now.append((descriptor, conversation))
    return now
