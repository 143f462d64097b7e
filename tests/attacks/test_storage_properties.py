# SPDX-License-Identifier: Apache-2.0
"""The invariant of sealed storage, against arbitrary edits of the disk.

Whatever an attacker without the root key does to the records: opening the storage is refused; or each vault is
refused; or it shows one of the states that it once had, whole (head, list, index), in which each object has the content
it had in that state or is refused. (Which of its states, only a monotonic anchor could tell.)
"""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from softee.tee.sealing import TamperedError
from softee.tee.secure_storage import WrongRootKeyError
from support.disk import DAMAGED, View, load, look, make_disk
from support.stores import VAULTS, open_storage

DISK = make_disk()
KEYS = sorted(DISK.records[1].keys() | DISK.now.keys())
# Half of all edits hit the few records that hold the structure together.
FEW = [key for key in KEYS if len(DISK.now.get(key, b"")) > 100 or key in DISK.records[0]]
Records = dict[bytes, bytes]
Edit = Callable[[Records], None]

keys = st.sampled_from(KEYS) | st.sampled_from(FEW)


def overwrite(key: bytes, offset: int, value: int) -> Edit:
    """Change a byte."""

    def edit(records: Records) -> None:
        record = bytearray(records.get(key) or b"\0")
        record[offset % len(record)] = value
        records[key] = bytes(record)

    return edit


def truncate(key: bytes, length: int) -> Edit:
    """Cut a record's end off."""
    return lambda records: records.update({key: records.get(key, b"")[:length]})


def delete(key: bytes) -> Edit:
    """Take a record away."""

    def edit(records: Records) -> None:
        records.pop(key, None)

    return edit


def swap(key: bytes, other: bytes) -> Edit:
    """Exchange two records, or move one where the other is not there."""

    def edit(records: Records) -> None:
        moved = {b: records[a] for a, b in ((key, other), (other, key)) if a in records}
        for gone in (key, other):
            records.pop(gone, None)
        records.update(moved)

    return edit


def copy(key: bytes, other: bytes) -> Edit:
    """Put one record in another one's place too."""
    return lambda records: records.update({other: records[key]} if key in records else {})


def restore(moment: int, *chosen: bytes) -> Edit:
    """Bring records back from an earlier moment."""
    old = DISK.records[moment]
    return lambda records: records.update({key: old[key] for key in chosen if key in old})


edits = st.one_of(
    st.builds(overwrite, keys, st.integers(0, 20_000), st.integers(0, 255)),
    st.builds(truncate, keys, st.integers(0, 200)),
    st.builds(delete, keys),
    st.builds(swap, keys, keys),
    st.builds(copy, keys, keys),
    st.lists(keys, min_size=1, max_size=6).flatmap(
        lambda chosen: st.builds(lambda moment: restore(moment, *chosen), st.integers(0, len(DISK.records) - 1))
    ),
)


def could_be(seen: View, state: View) -> bool:
    """Tell whether a vault shows this state, but for objects that are refused."""
    same_structure = (seen.head, seen.listed, seen.red) == (state.head, state.listed, state.red)
    return same_structure and all(
        content in (DAMAGED, state.contents[number]) for number, content in seen.contents.items()
    )


@settings(max_examples=150)
@given(chosen=st.lists(edits, min_size=1, max_size=5))
def test_any_edits_of_the_disk_are_detected_or_harmless(chosen: list[Edit]) -> None:
    records = DISK.now
    for edit in chosen:
        edit(records)
    try:
        storage = open_storage(load(records))
    except (TamperedError, WrongRootKeyError):
        return
    for name in VAULTS:
        try:
            vault = storage.vault(name)
        except TamperedError:
            continue
        seen = look(vault)
        assert any(could_be(seen, state) for state in DISK.views[name])


@pytest.mark.parametrize("moment", range(len(DISK.records)))
def test_each_moment_of_the_disk_as_a_whole_opens(moment: int) -> None:
    """Else the property above would hold of a storage that refuses everything."""
    storage = open_storage(load(DISK.records[moment]))
    for name in VAULTS:
        assert look(storage.vault(name)) == DISK.views[name][moment]
