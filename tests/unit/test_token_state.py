# SPDX-License-Identifier: Apache-2.0
"""A token's state survives its encoding, shows OP-TEE's flags, and is refused when it is not one."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softee.names import LoginMethod, TokenFlag
from softee.pkcs11_ta.token.state import (
    LABEL_SIZE,
    MAX_TRIES,
    SALT_SIZE,
    Cost,
    IdentityCredential,
    PinCredential,
    TokenState,
    decode_state,
)
from softee.tee.sealing import TamperedError

numbers = st.integers(0, 2**32 - 1)
pins = st.builds(
    PinCredential,
    st.binary(min_size=SALT_SIZE, max_size=SALT_SIZE),
    st.builds(Cost, numbers, numbers, numbers),
    st.binary(max_size=80),
    numbers,
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
    assert state.flags == 0x880005


@given(states, st.data())
def test_a_state_that_was_cut_or_padded_is_refused(state: TokenState, data: st.DataObject) -> None:
    raw = state.encode()
    cut = raw[: data.draw(st.integers(1, len(raw) - 1))]
    for bad in (cut, raw + b"\0", b"\2" + raw[1:]):
        with pytest.raises(TamperedError):
            decode_state(bad)


def _with_failures(failures: int) -> TokenState:
    pin = PinCredential(bytes(SALT_SIZE), Cost(8, 1, 1), b"", failures)
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
    assert _with_failures(failures).flags == TokenFlag(0x40D) | user | so


def test_a_pin_locks_after_seven_tries() -> None:
    assert MAX_TRIES == 7
    assert [PinCredential(b"", Cost(8, 1, 1), b"", n).locked for n in (6, 7, 8)] == [False, True, True]


def test_wrapped_keys_are_not_printed() -> None:
    credential = PinCredential(b"salt", Cost(8, 1, 1), b"wrapped user key")
    assert "wrapped user key" not in repr(TokenState(b"x" * 32, credential))
