# SPDX-License-Identifier: Apache-2.0
"""What processes of the secure world say to each other about the store decodes, or is refused with ValueError.

A request that decodes is answered, and its answer decodes.
"""

from contextlib import suppress

from fuzz.targets.data import Data
from softee.stores.memory import MemoryStore
from softee.stores.requests import Reply, answer, decode_reply, encode


def one_input(raw: bytes) -> None:
    """Ask a store with some records for whatever the bytes are, and take them for its reply."""
    data = Data(raw)
    store = MemoryStore()
    store.commit(expected={}, puts={bytes([number]): data.take(4) for number in range(data.below(4))})
    said = data.rest()
    with suppress(ValueError):
        reply = answer(store, said)
        assert isinstance(decode_reply(reply), Reply)
    with suppress(ValueError):
        assert decode_reply(encode(decode_reply(said))) == decode_reply(said)
