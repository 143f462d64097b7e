# SPDX-License-Identifier: Apache-2.0
"""The keys on a throw-away token: what ``softee run --ephemeral --keys`` makes."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Self

from softee.cli.cryptoki.choice import TokenChoice
from softee.cli.cryptoki.kinds import Kind, kind_of
from softee.cli.key.making import generate_key


@dataclass(frozen=True, slots=True)
class Keys:
    """Kinds of keys, by the labels that the keys will have. Their CKA_IDs are 01, 02 and so on."""

    kinds: Mapping[str, Kind]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read kinds with commas between them. Raises CliError, for wrong usage."""
        kinds: dict[str, Kind] = {}
        for name in text.split(","):
            kind, label = kind_of(name), name.replace(":", "-")
            count = sum(one.partition("#")[0] == label for one in kinds)
            kinds[f"{label}#{count + 1}" if count else label] = kind
        return cls({label.replace("#", "-"): kind for label, kind in kinds.items()})

    def make(self, variables: Mapping[str, str]) -> dict[str, str]:
        """Make the keys on the token to which the variables lead, and return a variable with their labels.

        Raises:
            CliError: the token refuses one.

        """
        with _added(variables), TokenChoice(slot=0).session(write=True) as session:
            for number, (label, kind) in enumerate(self.kinds.items(), 1):
                generate_key(session, kind, label=label, key_id=bytes([number]))
        return {"SOFTEE_KEYS": ",".join(self.kinds)}


@contextmanager
def _added(variables: Mapping[str, str]) -> Iterator[None]:
    """Add variables to this process' environment, which the module reads, and put it back as it was."""
    before = dict(os.environ)
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
