# SPDX-License-Identifier: Apache-2.0
"""Puts a state back from a file that a passphrase opens, under this machine's root key; no secure world uses it then.

The state is written beside the one that is there, looked at record by record, and takes its place by one rename. What
was there is kept in a folder of its own. Whenever this is interrupted, the old state is in its place or the new one is,
whole; done again, it goes on.
"""

import contextlib
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from softee.daemon.account import borrowed
from softee.daemon.at_rest.afterwards import note_done
from softee.daemon.at_rest.application import application_at_rest
from softee.daemon.at_rest.portable import Portable, installed, read_portable
from softee.daemon.at_rest.verification import Report, verify_store
from softee.daemon.errors import StartError
from softee.daemon.failures import opening
from softee.daemon.settings import Settings
from softee.daemon.store import DATABASE, locked_folder
from softee.daemon.tpm_counter import TpmCounter
from softee.disk.files import sync_names
from softee.stores.base import Store, StoreError
from softee.stores.sqlite import SqliteStore
from softee.tee.anchor import ANCHOR, AnchorRecord, anchor_key, heads_of, open_anchor, seal_anchor
from softee.tee.installation import rewrap
from softee.tee.sealing import TamperedError
from softee.tee.wiping import wipe

_LOG: Final = f"{DATABASE}-wal"
"""SQLite's log beside the database: part of it, where it was not closed."""
_BEING_RESTORED: Final = "being-restored"
_REPLACED: Final = "replaced"


@dataclass(frozen=True)
class Restored:
    """What was put back, and where that is now which was there before."""

    reports: list[Report]
    kept: Path | None


def restore(
    settings: Settings, file: Path, passphrase: bytearray, *, replace: bool = False, damaged: bool = False
) -> Restored:
    """Put a state back.

    Args:
        settings: where it goes, and the source of the root key that opens it from then on, made if it is missing.
        file: what ``write_portable`` wrote.
        passphrase: what opens it.
        replace: a state that is there is set aside; else that is refused.
        damaged: it is put back also where something in it is damaged.

    Raises:
        StartError: the file does not open, something in it is damaged, a state is there or in use, or a root key or the
            anchor cannot be used. Nothing has changed.
        StoreError: the state cannot be written. Nothing has changed.
        NotNotedError: it was put back, and that is not in the audit log.

    """
    restored = _restore(settings, file, passphrase, replace=replace, damaged=damaged)
    note_done(settings, application_at_rest(settings), "restore", "The state was put back")
    return restored


def _restore(settings: Settings, file: Path, passphrase: bytearray, *, replace: bool, damaged: bool) -> Restored:
    with locked_folder(settings) as account:
        with borrowed(account):
            _refuse_state(settings, replace=replace)
        state = read_portable(file, passphrase)
        root_key = settings.root_key.read_or_make(is_needed=lambda: False)
        try:
            with opening(state.store, settings.root_key), borrowed(account):
                return _restored(settings, state, root_key, damaged=damaged)
        except OSError as error:
            raise StartError(f"{error.filename} cannot be written: {error.strerror}.") from None
        finally:
            wipe(root_key)
            state.wipe()


def _refuse_state(settings: Settings, *, replace: bool) -> None:
    if (settings.state / DATABASE).exists() and not replace:
        raise StartError(f"There is a state in {settings.state} already; --replace sets it aside.")


def _restored(settings: Settings, state: Portable, root_key: bytearray, *, damaged: bool) -> Restored:
    rewrap(state.store, installed(state.store), state.root_key, root_key)
    _anchor(settings, state.store, root_key)
    current = settings.state / DATABASE
    with _written_beside(settings.state, state.store) as new:
        with contextlib.closing(SqliteStore(new)) as store:
            reports = verify_store(store, root_key, settings.pkcs11.slots)
        if not damaged:
            _refuse_damage(reports)
        kept = _set_aside(settings.state) if current.exists() else None
        new.replace(current)
        sync_names(settings.state)
    return Restored(reports, kept)


def _refuse_damage(reports: list[Report]) -> None:
    found = [damage for report in reports for damage in report.damaged]
    if found:
        raise StartError(f"The backup was made of a damaged state ({found[0]}); --damaged puts back what is good.")


@contextlib.contextmanager
def _written_beside(folder: Path, state: Store) -> Iterator[Path]:
    """Write records into a new database, beside the one that is there; what is left of it goes at the end."""
    beside = folder / _BEING_RESTORED
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(mode=0o700)
    try:
        new = beside / DATABASE
        with contextlib.closing(SqliteStore(new)) as store:
            store.commit(expected={}, puts={key: record.value for key, record in state.range(b"")})
        yield new
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _set_aside(folder: Path) -> Path:
    """Keep the database under a second name, so that one rename can take the place of the first; return the folder."""
    kept = next(place for number in range(1, 1 << 31) if not (place := folder / f"{_REPLACED}-{number}").exists())
    kept.mkdir(mode=0o700)
    os.link(folder / DATABASE, kept / DATABASE)
    log = folder / _LOG
    if log.exists():
        os.link(log, kept / _LOG)
    sync_names(kept)
    with contextlib.suppress(StoreError):
        SqliteStore(folder / DATABASE).close()  # folds its log in, unless it is damaged
    log.unlink(missing_ok=True)  # or the database that comes would be taken for the one that it belongs to
    return kept


def _anchor(settings: Settings, state: Store, root_key: bytearray) -> None:
    """Have the anchor vouch for the state that comes back, whichever it vouched for before.

    Who has the root key and says so may go back; the next start counts on, and then nothing else is taken any more.

    Raises:
        AnchorError: the anchor cannot be read.
        StartError: nobody knows its password.

    """
    stored = state.get(ANCHOR.key)
    counter = None if settings.anchor is None else TpmCounter(settings.anchor).read()
    if counter is None:
        state.commit(expected={}, puts={}, deletes=[ANCHOR.key])
        return
    key = anchor_key(root_key)
    known = _anchor_of(settings, root_key) or (open_anchor(key, stored.value) if stored else None)
    if known is None:
        raise StartError(
            f"The anchor {settings.anchor} is there, and neither the backup nor a state here knows its password; "
            "name another handle, or undefine it (tpm2_nvundefine)."
        )
    record = AnchorRecord(counter, known.auth, heads_of(state))
    state.commit(expected={}, puts={ANCHOR.key: seal_anchor(key, record)})


def _anchor_of(settings: Settings, root_key: bytearray) -> AnchorRecord | None:
    """Return the anchor record of the state that is there, if it has one that opens."""
    if not (settings.state / DATABASE).exists():
        return None
    try:
        with contextlib.closing(SqliteStore(settings.state / DATABASE)) as store:
            stored = store.get(ANCHOR.key)
        return open_anchor(anchor_key(root_key), stored.value) if stored else None
    except (StoreError, TamperedError):
        return None
