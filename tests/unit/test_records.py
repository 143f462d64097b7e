# SPDX-License-Identifier: Apache-2.0
"""Keys of records: which record stands where, and that nothing else is taken for one."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softee.tee.anchor import ANCHOR
from softee.tee.installation import installation_place
from softee.tee.records import Place, RecordKind, kind_of

APPLICATION = UUID(int=7)


@pytest.mark.parametrize(
    "place",
    [ANCHOR, installation_place(APPLICATION), *(Place(APPLICATION, "slot-0", kind, 3) for kind in list(RecordKind))],
    ids=str,
)
def test_the_key_of_a_record_tells_its_kind_and_no_part_of_it_does(place: Place) -> None:
    assert kind_of(place.key) is place.kind
    for size in range(len(place.key)):
        assert kind_of(place.key[:size]) is None
        assert kind_of(place.key[size + 1 :]) is None
    assert kind_of(place.key + b"\0") is None


@given(st.binary(max_size=21))
def test_attack_a_key_without_a_whole_application_is_no_record_s(key: bytes) -> None:
    """What follows the application is the size of a name, a kind and a number: six bytes at least."""
    assert kind_of(key) is None
