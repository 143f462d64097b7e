# SPDX-License-Identifier: Apache-2.0
"""The targets of atheris, by name. Each takes any bytes, and raises where its invariant does not hold.

Those in C are native/fuzz's.
"""

from collections.abc import Callable, Mapping

from fuzz.targets import (
    commands,
    frames,
    mechanism_parameters,
    parameters,
    plaintexts,
    records,
    requests,
    softhsm,
    store_requests,
    templates,
)

TARGETS: Mapping[str, Callable[[bytes], None]] = {
    module.__name__.rpartition(".")[2]: module.one_input
    for module in (
        commands,
        frames,
        mechanism_parameters,
        parameters,
        plaintexts,
        records,
        requests,
        softhsm,
        store_requests,
        templates,
    )
}
