# SPDX-License-Identifier: Apache-2.0
"""Tokens that take turns on the slots of one secure world, so that no test sees what another one has left."""

import itertools
import subprocess
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from softee.cli.ephemeral import initialized_token
from softee.cli.token_client import RefusedCommandError

SLOTS = 16
"""Each may be kept by a test that leaves sessions open."""


@dataclass(frozen=True, slots=True)
class SofteeToken:
    """An initialized token: how programs find it, and its PINs, which are text."""

    module: Path
    socket: Path
    slot: int
    label: str
    pin: str = field(repr=False)
    so_pin: str = field(repr=False)
    keys: tuple[str, ...] = ()

    @property
    def variables(self) -> dict[str, str]:
        """Return the variables that lead programs to the token, those of ``softee run --ephemeral``."""
        found = {"SOFTEE_MODULE": str(self.module), "SOFTEE_SOCKET": str(self.socket), "SOFTEE_TOKEN": self.label}
        return found | {"SOFTEE_PIN": self.pin, "SOFTEE_SO_PIN": self.so_pin, "SOFTEE_KEYS": ",".join(self.keys)}

    def generate(self, kind: str, *, label: str = "", key_id: str = "") -> str:
        """Make a key, or a key pair, and return its label.

        Args:
            kind: as ``softee key generate`` takes it: ``rsa:2048``, ``ec:prime256v1``, ``ed25519``, ``aes:256``.
            label: its CKA_LABEL; by default the kind, with a hyphen.
            key_id: its CKA_ID in hexadecimal; by default one by chance.

        Raises:
            pytest.fail.Exception: there is no such kind, or the token refuses it. The text says which.

        """
        # In a process of its own: in this one, the module may be a test's, who alone may end it by C_Finalize.
        label = label or kind.replace(":", "-")
        identified = ("--id", key_id) if key_id else ()
        command = (sys.executable, "-P", "-m", "softee", "key", "generate", kind, "--label", label, *identified)
        done = subprocess.run(
            [*command, "--slot", str(self.slot)],
            env=self.variables | {"PATH": "/usr/bin:/bin"},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            pytest.fail(f"pytest-softee: no key {kind}: {done.stderr.strip()}")
        return label

    def with_keys(self, kinds: tuple[str, ...]) -> "SofteeToken":
        """Make keys, whose CKA_IDs are 01, 02 and so on, and return the token that names them in ``keys``."""
        labels = tuple(
            self.generate(kind, label=_label(kind, kinds[:before]), key_id=f"{before + 1:02x}")
            for before, kind in enumerate(kinds)
        )
        return replace(self, keys=labels)


def _label(kind: str, before: tuple[str, ...]) -> str:
    count = before.count(kind)
    return kind.replace(":", "-") + (f"-{count + 1}" if count else "")


class Tokens:
    """Gives out tokens of a secure world; each is initialized anew, and has a label and a PIN that no other one had."""

    def __init__(self, module: Path, socket: Path, so_pin: str) -> None:
        self._module, self._socket, self._so_pin = module, socket, so_pin
        self._numbers = itertools.count(1)

    def new(self) -> SofteeToken:
        """Initialize the token of the next slot where that can be done.

        Raises:
            pytest.fail.Exception: it can be done on none: tests have left sessions open, or changed the SO's PIN.

        """
        number = next(self._numbers)
        slots = ((number + offset) % SLOTS for offset in range(SLOTS))
        made = next(filter(None, (self._initialized(slot, f"test-{number}") for slot in slots)), None)
        if made is None:
            pytest.fail(
                f"pytest-softee: tests have left sessions open on {SLOTS} tokens, or changed the SO's PIN there."
            )
        return made

    def _initialized(self, slot: int, label: str) -> SofteeToken | None:
        try:
            made = initialized_token(self._socket, slot=slot, label=label, so_pin=self._so_pin)
        except RefusedCommandError:
            return None
        return SofteeToken(self._module, self._socket, slot, label, made["SOFTEE_PIN"], self._so_pin)
