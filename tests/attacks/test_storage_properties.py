# SPDX-License-Identifier: Apache-2.0
"""The invariant of sealed storage, against arbitrary edits of the disk.

Whatever an attacker without the root key does to the records: opening the storage is refused; or each vault is
refused; or it shows one of the states that it once had, whole (head, list, index), in which each object has the content
it had in that state or is refused. (Which of its states, only a monotonic anchor could tell.)
"""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.disk import load, look, make_disk
from support.disk_edits import (
    Edit,
    assert_detected_or_harmless,
    bring_back,
    copy,
    delete,
    overwrite,
    swap,
    truncate,
)
from support.stores import VAULTS, open_storage

DISK = make_disk()
KEYS = sorted(DISK.records[1].keys() | DISK.now.keys())
# Half of all edits hit the few records that hold the structure together.
FEW = [key for key in KEYS if len(DISK.now.get(key, b"")) > 100 or key in DISK.records[0]]
keys = st.sampled_from(KEYS) | st.sampled_from(FEW)


edits = st.one_of(
    st.builds(overwrite, keys, st.integers(0, 20_000), st.integers(0, 255)),
    st.builds(truncate, keys, st.integers(0, 200)),
    st.builds(delete, keys),
    st.builds(swap, keys, keys),
    st.builds(copy, keys, keys),
    st.lists(keys, min_size=1, max_size=6).flatmap(
        lambda chosen: st.builds(lambda moment: bring_back(moment, *chosen), st.sampled_from(DISK.records))
    ),
)


@settings(max_examples=150)
@given(chosen=st.lists(edits, min_size=1, max_size=5))
def test_any_edits_of_the_disk_are_detected_or_harmless(chosen: list[Edit]) -> None:
    records = DISK.now
    for edit in chosen:
        edit(records)
    assert_detected_or_harmless(DISK, records)


@pytest.mark.parametrize("moment", range(len(DISK.records)))
def test_each_moment_of_the_disk_as_a_whole_opens(moment: int) -> None:
    """Else the property above would hold of a storage that refuses everything."""
    storage = open_storage(load(DISK.records[moment]))
    for name in VAULTS:
        assert look(storage.vault(name)) == DISK.views[name][moment]
