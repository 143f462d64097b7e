# SPDX-License-Identifier: Apache-2.0
"""A token's state survives its encoding, shows OP-TEE's flags, and is refused when it is not one."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softee.names import LoginMethod, TokenFlag
from softee.pkcs11_ta.token.state import (
    LABEL_SIZE,
    SALT_SIZE,
    Cost,
    IdentityCredential,
    PinCredential,
    TokenState,
    decode_state,
)
from softee.pkcs11_ta.token.tries import EVERYBODY, Row, Tries, tries_of_everybody
from softee.tee.sealing import TamperedError
from softee.wire.codec import Writer

numbers = st.integers(0, 2**32 - 1)
rows = st.builds(Row, numbers, numbers).filter(lambda row: row != Row())
pins = st.builds(
    PinCredential,
    st.binary(min_size=SALT_SIZE, max_size=SALT_SIZE),
    st.builds(Cost, numbers, numbers, numbers),
    st.binary(max_size=80),
    st.dictionaries(numbers, rows, max_size=66).map(
        lambda rows: Tries(tuple(sorted(rows.items(), key=lambda row: row[0])))
    ),
)
identities = st.builds(
    IdentityCredential, st.sampled_from(list(LoginMethod)), st.uuids().map(lambda u: UUID(int=u.int)), st.binary()
)
credentials = st.none() | pins | identities
states = st.builds(TokenState, st.binary(min_size=LABEL_SIZE, max_size=LABEL_SIZE), credentials, credentials)


@given(states)
def test_a_state_round_trips(state: TokenState) -> None:
    assert decode_state(state.encode()) == state


def test_a_new_vault_is_an_uninitialized_token() -> None:
    state = decode_state(b"")
    assert state.label == b"*" * 32
    assert state.flags(0) == 0x880005


@given(states, st.data())
def test_a_state_that_was_cut_or_padded_is_refused(state: TokenState, data: st.DataObject) -> None:
    raw = state.encode()
    cut = raw[: data.draw(st.integers(1, len(raw) - 1))]
    for bad in (cut, raw + b"\0", b"\3" + raw[1:]):
        with pytest.raises(TamperedError):
            decode_state(bad)


def _with_failures(failures: int) -> TokenState:
    pin = PinCredential(bytes(SALT_SIZE), Cost(8, 1, 1), b"", tries_of_everybody(failures))
    return TokenState(b"x" * 32, pin, pin)


@pytest.mark.parametrize(
    ("failures", "user", "so"),
    [
        (0, TokenFlag(0), TokenFlag(0)),
        (1, TokenFlag.USER_PIN_COUNT_LOW, TokenFlag.SO_PIN_COUNT_LOW),
        (5, TokenFlag.USER_PIN_COUNT_LOW, TokenFlag.SO_PIN_COUNT_LOW),
        (6, TokenFlag(0x30000), TokenFlag(0x300000)),
        (7, TokenFlag(0x70000), TokenFlag(0x700000)),
    ],
)
def test_flags_count_the_failures_as_op_tee_does(failures: int, user: TokenFlag, so: TokenFlag) -> None:
    assert _with_failures(failures).flags(EVERYBODY) == TokenFlag(0x40D) | user | so


def _in_format_1(failures: int) -> bytes:
    """Return an initialized token's state as it was written when all had one count."""
    writer = Writer().u32(1).raw(b"x" * LABEL_SIZE)
    for _ in range(2):
        writer.u8(1).raw(bytes(SALT_SIZE)).u32(8).u32(1).u32(1).u32(failures).blob(b"wrapped")
    return writer.done()


@pytest.mark.parametrize("failures", [0, 1, 6, 7])
def test_a_state_of_format_1_is_read_and_gives_no_try_back(failures: int) -> None:
    state = decode_state(_in_format_1(failures))
    assert isinstance(state.user, PinCredential)
    assert state.user.tries.failures(EVERYBODY) == failures
    assert state.user.tries.is_locked(1000) == (failures == 7)


@pytest.mark.parametrize(
    "rows",
    [[(1, 0, 0)], [(2, 1, 0), (1, 1, 0)], [(1, 1, 0), (1, 1, 0)], [(uid, 1, 0) for uid in range(67)]],
    ids=["of nothing", "out of order", "twice", "too many"],
)
def test_failures_that_softee_does_not_write_are_refused(rows: list[tuple[int, int, int]]) -> None:
    writer = Writer().u32(2).raw(b"x" * LABEL_SIZE).u8(1).raw(bytes(SALT_SIZE)).u32(8).u32(1).u32(1).u32(len(rows))
    for row in rows:
        for number in row:
            writer.u32(number)
    with pytest.raises(TamperedError):
        decode_state(writer.blob(b"wrapped").u8(0).done())


def test_wrapped_keys_are_not_printed() -> None:
    credential = PinCredential(b"salt", Cost(8, 1, 1), b"wrapped user key")
    assert "wrapped user key" not in repr(TokenState(b"x" * 32, credential))
