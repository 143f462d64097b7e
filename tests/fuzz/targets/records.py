# SPDX-License-Identifier: Apache-2.0
"""Whatever who owns the disk makes of its records, they are refused, or show one of the states that there were, whole.

He has all records that the disk ever held, puts them anywhere, and changes their bytes.
"""

from collections.abc import Callable
from functools import cache

from fuzz.targets.data import Data
from support.disk import Disk, make_disk
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

MOST_EDITS = 6


@cache
def disk() -> Disk:
    """Few objects: opening them takes most of a run's time."""
    return make_disk(objects=6)


@cache
def keys() -> list[bytes]:
    return sorted(disk().records[1].keys() | disk().now.keys())


EDITS: tuple[Callable[[bytes, Data], Edit], ...] = (
    lambda key, data: overwrite(key, data.number(2), data.number()),
    lambda key, data: truncate(key, data.number(2)),
    lambda key, _: delete(key),
    lambda key, data: swap(key, data.choose(keys())),
    lambda key, data: copy(key, data.choose(keys())),
    lambda key, data: bring_back(data.choose(disk().records), key),
    lambda key, data: lambda records: records.update({key: data.blob()}),
)


def one_input(raw: bytes) -> None:
    """Edit some records, and open what has become of them."""
    data = Data(raw)
    records = disk().now
    for _ in range(1 + data.below(MOST_EDITS)):
        data.choose(EDITS)(data.choose(keys()), data)(records)
    assert_detected_or_harmless(disk(), records)
