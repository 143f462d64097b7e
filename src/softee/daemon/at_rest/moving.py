# SPDX-License-Identifier: Apache-2.0
"""Moves one token to another installation: into its state, or into a file that a passphrase opens, and from there.

The file is a backup of a state that has this token alone; a token may come out of any backup. Where a token moves, its
slot is emptied when the copy is on the disk and no moment before: a crash in between leaves both, never none. Who has
two living copies has the tries of a PIN twice.
"""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from softee.daemon.at_rest.application import application_at_rest, noted, token_named, tokens_of
from softee.daemon.at_rest.passphrase_file import PassphraseFileError
from softee.daemon.at_rest.portable import Portable, read_portable, write_portable
from softee.daemon.errors import StartError
from softee.daemon.settings import Settings
from softee.names import CKR, PKCS11_APPLICATION
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.application import Pkcs11Application, vaults
from softee.pkcs11_ta.token.copying import AskPin, copy_token
from softee.pkcs11_ta.token.profiles import PORTABLE
from softee.pkcs11_ta.token.slots import is_token
from softee.pkcs11_ta.token.state import TokenState
from softee.pkcs11_ta.token.token import Token
from softee.stores.memory import MemoryStore
from softee.tee.installation import installation_place, open_installation
from softee.tee.keys import KEY_SIZE
from softee.tee.sealing import TamperedError
from softee.tee.secure_storage import SecureStorage, WrongRootKeyError
from softee.tee.wiping import wipe


@dataclass(frozen=True)
class Destination:
    """The state that gets a token, made if it is not there; and the slot, None for the first one that is empty."""

    settings: Settings
    slot: int | None = None


def move_to_state(settings: Settings, label: str, ask: AskPin, there: Destination) -> Token:
    """Move a token into another state, and return the token that it is now.

    Args:
        settings: the state that has it. No secure world may use it meanwhile, nor the other one.
        label: the token's.
        ask: returns its PINs.
        there: where to.

    Raises:
        StartError: there is no such token, no such empty slot, or a token of that label already; a PIN is wrong; a
            state or its root key cannot be used. The token is where it was.
        StoreError: a store failed; the token is where it was, or in both states.

    """
    with application_at_rest(settings) as here, application_at_rest(there.settings, make=True) as other:
        source, target = token_named(here, label), _free(other, label, there.slot)
        with noted(here, source, "move-away"), noted(other, target, "move-here"):
            _copy(source, target, here, ask)
            source.reset(TokenState())
        return target


def move_to_file(settings: Settings, label: str, ask: AskPin, file: Path, passphrase: bytearray) -> None:
    """Move a token into a new file, which is read again before the token's slot is emptied.

    Raises:
        StartError: as ``move_to_state``, or the file cannot be written.
        StoreError: the store failed; the token is where it was, in the file, or in both.

    """
    with application_at_rest(settings) as here:
        source = token_named(here, label)
        alone = Portable(MemoryStore(str(file)), bytearray(os.urandom(KEY_SIZE)))
        with noted(here, source, "move-away"):
            try:
                _copy(source, application_over(alone, slots=1).slots.token(0), here, ask)
                write_portable(file, alone, passphrase)
            finally:
                alone.wipe()
            source.reset(TokenState())


def import_token(file: Path, passphrase: bytearray, ask: AskPin, there: Destination, label: str | None = None) -> Token:
    """Put a token from a file into an empty slot, and return it. The file stays as it is.

    Args:
        file: what ``move_to_file`` or a backup wrote.
        passphrase: what opens the file.
        ask: returns the token's PINs.
        there: where to.
        label: which token, where the file has several.

    Raises:
        StartError: as ``move_to_state``, or the file does not open. Nothing has changed.
        StoreError: the store failed. Nothing has changed.

    """
    portable = read_portable(file, passphrase)
    try:
        with _opening(file):
            found = tokens_of(application_over(portable, slots=_slots_of(portable)), label)
            if len(found) != 1:
                raise StartError(f"{file} has {len(found)} such tokens; name one by --token LABEL.")
            with application_at_rest(there.settings, make=True) as application:
                target = _free(application, label_of(found[0]), there.slot)
                with noted(application, target, "move-here"):
                    _copy(found[0], target, application, ask)
                return target
    finally:
        portable.wipe()


def _free(application: Pkcs11Application, label: str, slot: int | None) -> Token:
    """Return an uninitialized token, where there is no other one of that label."""
    if tokens_of(application, label):
        raise StartError(f'There is a token called "{label}" there already; wipe it, if a move was interrupted.')
    if slot is not None and not 0 <= slot < application.slots.count:
        raise StartError(f"There is no slot {slot} there, only 0 to {application.slots.count - 1}.")
    slots = range(application.slots.count) if slot is None else [slot]
    empty = [token for token in map(application.slots.token, slots) if token.state.so is None]
    if not empty:
        raise StartError("There is a token in each slot there; the setting `slots` makes more.")
    return empty[0]


def _copy(source: Token, target: Token, application: Pkcs11Application, ask: AskPin) -> None:
    try:
        copy_token(source, target, application.pins, ask)
    except Pkcs11Error as error:
        if error.rv is CKR.PIN_INCORRECT:
            raise StartError("A PIN is wrong; nothing was changed.") from None
        raise StartError(f"The token cannot be copied: {error.detail}.") from None
    except TamperedError as error:
        raise StartError(f"The token cannot be copied: {error}.") from None


def application_over(state: Portable, slots: int) -> Pkcs11Application:
    """Return an application over what is in a file, or will be."""
    storage = SecureStorage(state.store, state.root_key, PKCS11_APPLICATION, vaults(slots))
    return Pkcs11Application(storage, clock=lambda: datetime.now(UTC), policies=(PORTABLE,) * slots)


def _slots_of(state: Portable) -> int:
    """Return how many slots a state has."""
    stored = state.store.get(installation_place(PKCS11_APPLICATION).key)
    if stored is None:
        raise TamperedError("no token is in it")
    installation, _ = open_installation(state.root_key, PKCS11_APPLICATION, stored.value)
    wipe(installation.secret)
    return sum(map(is_token, installation.names))


@contextlib.contextmanager
def _opening(file: Path) -> Iterator[None]:
    try:
        yield
    except (WrongRootKeyError, TamperedError) as error:
        raise PassphraseFileError(f"{file} opens, but holds no state: {error}.") from None


def label_of(token: Token) -> str:
    """Return a token's label as text."""
    return token.state.label.decode(errors="replace").rstrip(" ")
