# SPDX-License-Identifier: Apache-2.0
"""How what keeps a secure world's state from being used is told: one sentence each, from one table."""

import contextlib
from collections.abc import Iterator
from typing import Final

from softee.daemon.errors import StartError
from softee.daemon.root_key.source import RootKeySource
from softee.daemon.settings import SettingsError
from softee.stores.base import Store, StoreDamagedError, StoreError, StoreUnavailableError
from softee.tee.anchor import AnchorError
from softee.tee.sealing import TamperedError
from softee.tee.secure_storage import WrongRootKeyError

_SENTENCES: tuple[tuple[type[Exception], str], ...] = (
    (StartError, "{error}"),
    (SettingsError, "{error}"),
    (StoreDamagedError, "The store is damaged or was tampered with: {error}."),
    (StoreUnavailableError, "The store cannot be reached now: {error}; try again later."),
    (StoreError, "The store cannot be used: {error}."),
)

FAILURES: Final = tuple(kind for kind, _ in _SENTENCES)
"""What can keep it from being used."""


def sentence(error: Exception) -> str:
    """Return how one of ``FAILURES`` is told."""
    return next(text for kind, text in _SENTENCES if isinstance(error, kind)).format(error=error)


@contextlib.contextmanager
def opening(store: Store, source: RootKeySource) -> Iterator[None]:
    """Turn what does not open, in a store or with a root key, into a StartError that names both."""
    try:
        yield
    except WrongRootKeyError as error:
        raise StartError(f"The root key {source} does not fit what is stored in {store.name}: {error}.") from error
    except AnchorError as error:
        raise StartError(f"The anchor of what is stored in {store.name} cannot be used: {error}.") from error
    except TamperedError as error:
        raise StartError(f"What is stored in {store.name} is damaged or was tampered with: {error}.") from error
