# SPDX-License-Identifier: Apache-2.0
"""What an attacker without the root key does to the records of a disk, and what a reader may see afterwards."""

from collections.abc import Callable

from softee.tee.sealing import TamperedError
from softee.tee.secure_storage import WrongRootKeyError
from support.disk import DAMAGED, Disk, View, load, look
from support.stores import VAULTS, open_storage

Records = dict[bytes, bytes]
Edit = Callable[[Records], None]


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


def bring_back(moment: Records, *chosen: bytes) -> Edit:
    """Bring records back from an earlier moment."""
    return lambda records: records.update({key: moment[key] for key in chosen if key in moment})


def could_be(seen: View, state: View) -> bool:
    """Tell whether a vault shows this state, but for objects that are refused."""
    same_structure = (seen.head, seen.listed, seen.red) == (state.head, state.listed, state.red)
    return same_structure and all(
        content in (DAMAGED, state.contents[number]) for number, content in seen.contents.items()
    )


def assert_detected_or_harmless(disk: Disk, records: Records) -> None:
    """Open the storage with these records: it, or a vault, is refused, or shows one of the states that it had."""
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
        assert any(could_be(seen, state) for state in disk.views[name])
