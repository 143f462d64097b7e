# SPDX-License-Identifier: Apache-2.0
"""C_GenerateRandom and C_SeedRandom.

The rules are those of PKCS#11 3.2 §5.19.1, PKCS#11 3.2 §5.19.2.
"""

import os

import pytest

from softee.names import CKR
from softee.pkcs11_ta.handlers import random as handler
from support.commands import c
from support.token_world import Caller, make_application


def test_as_many_bytes_as_a_client_can_pass_are_the_most_that_it_gets(monkeypatch: pytest.MonkeyPatch) -> None:
    caller = Caller(make_application())
    session = caller.open()
    asked: list[int] = []

    def noted(size: int) -> bytes:
        asked.append(size)
        return b""

    monkeypatch.setattr(os, "urandom", noted)
    assert caller.call(c.GENERATE_RANDOM, session, capacity=64 << 20).rv is CKR.OK
    for too_many in ((64 << 20) + 1, 0xFFFFFFFF):
        assert caller.call(c.GENERATE_RANDOM, session, capacity=too_many).rv is CKR.ARGUMENTS_BAD
    assert asked == [handler.LARGEST]


def test_random_bytes_fill_the_buffer_and_differ() -> None:
    caller = Caller(make_application())
    session = caller.open()
    one, other = (caller.ok(c.GENERATE_RANDOM, session, capacity=32).output for _ in range(2))
    assert len(one) == len(other) == 32
    assert one != other


def test_a_seed_does_not_steer_what_is_random() -> None:
    caller = Caller(make_application())
    session = caller.open()
    drawn = set()
    for _ in range(3):
        caller.ok(c.SEED_RANDOM, session, data=b"the same seed")
        drawn.add(caller.ok(c.GENERATE_RANDOM, session, capacity=16).output)
    assert len(drawn) == 3
