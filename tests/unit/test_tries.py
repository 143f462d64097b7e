# SPDX-License-Identifier: Apache-2.0
"""What stands against a PIN: each uid's own, what a crash leaves, and when it locks whom."""

from functools import reduce

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softee.pkcs11_ta.token.tries import EVERYBODY, KEPT, MAX_TRIES, NO_TRIES, OTHERS, Tries, read_tries
from softee.wire.codec import Reader, Writer

ALICE, MALLORY = 1000, 1001


def wrong(tries: Tries, uid: int, times: int = 1) -> Tries:
    return reduce(lambda so_far, _: so_far.begun(uid).failed(uid), range(times), tries)


def test_the_limits_are_optee_s_and_four_times_that_for_all() -> None:
    assert (MAX_TRIES, KEPT) == (7, 64)


def test_a_uid_is_locked_out_by_its_seventh_failure_and_nobody_else_is() -> None:
    tries = wrong(NO_TRIES, MALLORY, 6)
    assert not tries.is_locked(MALLORY)
    tries = wrong(tries, MALLORY)
    assert (tries.is_locked(MALLORY), tries.is_locked(ALICE), tries.failures(ALICE)) == (True, False, 0)


def test_a_right_pin_clears_its_own_uids_failures_and_nobody_elses() -> None:
    tries = wrong(wrong(NO_TRIES, MALLORY, 6), ALICE, 3)
    tries = tries.begun(ALICE).succeeded(ALICE)
    assert (tries.failures(ALICE), tries.failures(MALLORY)) == (0, 6)


def test_all_are_locked_out_by_the_twenty_eighth_standing_failure() -> None:
    tries = reduce(lambda so_far, uid: wrong(so_far, uid, 6), range(4), NO_TRIES)
    tries = wrong(tries, 4, 3)
    assert not tries.is_locked(ALICE)
    tries = wrong(tries, 5)
    assert (tries.is_locked(ALICE), tries.failures(ALICE)) == (True, MAX_TRIES)


def test_a_try_that_a_crash_cut_off_is_counted_by_the_next_wrong_pin() -> None:
    tries = NO_TRIES.begun(ALICE).begun(ALICE)
    assert tries.failures(ALICE) == 0
    assert wrong(tries, ALICE).failures(ALICE) == 3


def test_a_try_that_a_crash_cut_off_is_cleared_by_the_next_right_pin() -> None:
    tries = reduce(lambda so_far, _: so_far.begun(ALICE), range(20), NO_TRIES)
    assert not tries.is_locked(ALICE)
    assert tries.begun(ALICE).succeeded(ALICE) == NO_TRIES


def test_no_right_pin_of_another_clears_what_a_crash_cut_off() -> None:
    tries = NO_TRIES.begun(MALLORY).begun(ALICE).succeeded(ALICE)
    assert wrong(tries, MALLORY).failures(MALLORY) == 2


def test_where_all_are_one_the_seventh_failure_locks_all() -> None:
    tries = wrong(NO_TRIES, EVERYBODY, 7)
    assert tries.is_locked(EVERYBODY)
    assert tries.is_locked(ALICE), "also where each uid is counted by itself from now on"


def test_uids_beyond_those_that_are_kept_have_one_count_together() -> None:
    tries = reduce(lambda so_far, uid: so_far.begun(uid), range(KEPT), NO_TRIES)
    tries = wrong(wrong(tries, 5000), 6000)
    assert len(tries.rows) == KEPT + 1
    assert tries.rows[-1][0] == OTHERS
    assert [tries.failures(uid) for uid in (5000, 6000, 7000, 0)] == [2, 2, 2, 0]


@pytest.mark.parametrize(("failures", "seconds"), [(0, 0), (1, 0), (2, 1), (3, 2), (4, 5), (6, 5)])
def test_from_the_third_check_on_a_uid_has_to_wait(failures: int, seconds: float) -> None:
    tries = wrong(NO_TRIES, MALLORY, failures)
    assert (tries.wait(MALLORY), tries.wait(ALICE)) == (seconds, 0)


def test_where_all_are_one_nobody_waits() -> None:
    assert wrong(NO_TRIES, EVERYBODY, 6).wait(EVERYBODY) == 0


@given(st.lists(st.tuples(st.sampled_from(["begun", "failed", "succeeded"]), st.integers(0, 200)), max_size=300))
def test_whatever_happens_it_is_written_and_read_as_it_is_and_has_its_bounds(steps: list[tuple[str, int]]) -> None:
    tries = NO_TRIES
    for step, uid in steps:
        tries = getattr(tries, step)(uid)
    writer = Writer()
    tries.write(writer)
    reader = Reader(writer.done())
    assert read_tries(reader) == tries
    assert len(tries.rows) <= KEPT + 1
