# SPDX-License-Identifier: Apache-2.0
"""A writer whose every state can be told from one number: for tests that kill it.

Step n adds object n, replaces object n - 1, removes object n - 4, and writes n into the head. Run as a program
(``writer.py STORE``) it writes on and on, and says each step on its standard output once it is committed.
"""

import os
import sys
from pathlib import Path

from softee.stores.sqlite import SqliteStore
from softee.tee.vault import Vault
from support.stores import open_storage

VAULT = "slot-0"


def step_of(vault: Vault) -> int:
    """Return the last step that the vault saw."""
    return int(vault.head or b"0")


def take_step(vault: Vault) -> int:
    """Commit the next step and return its number."""
    step = step_of(vault) + 1
    change = vault.change()
    change.set_head(b"%d" % step)
    change.add(b"added in %d" % step, vault.key, 0, [vault.key.term(b"new")])
    if step > 1:
        change.replace(step - 1, b"replaced in %d" % step, vault.key, 0, [vault.key.term(b"old")])
    if step > 4:
        change.remove(step - 4)
    change.commit()
    return step


def check(vault: Vault) -> int:
    """Check that the vault is in the state of some step, and return it."""
    step = step_of(vault)
    numbers = list(range(max(step - 3, 1), step + 1))
    assert vault.find([]) == numbers
    assert vault.find([vault.key.term(b"new")]) == numbers[-1:]
    for number in numbers:
        assert vault.read(number, vault.key) == (
            b"replaced in %d" % (number + 1) if number < step else b"added in %d" % step
        )
    return step


def main() -> None:
    vault = open_storage(SqliteStore(Path(sys.argv[1]))).vault(VAULT)
    while True:
        os.write(1, b"%d\n" % take_step(vault))


if __name__ == "__main__":
    main()
