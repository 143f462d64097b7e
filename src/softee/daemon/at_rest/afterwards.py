# SPDX-License-Identifier: Apache-2.0
"""Notes in the audit log what was done to a state as a whole, once it opens again."""

import os
from contextlib import AbstractContextManager

from softee.daemon.errors import StartError
from softee.daemon.settings import Settings
from softee.pkcs11_ta.application import Pkcs11Application
from softee.stores.base import StoreError


class NotNotedError(StartError):
    """What is done is done, and must have been noted."""


def note_done(settings: Settings, opening: AbstractContextManager[Pkcs11Application], event: str, done: str) -> None:
    """Have the audit log of a state say what its operator did, if there is a log.

    Args:
        settings: of the state.
        opening: opens the application over the state as it is now.
        event: what it was.
        done: the same as a sentence without its full stop, for whoever learns that the log does not say it.

    Raises:
        NotNotedError: it could not be noted.

    """
    if settings.audit.log == "off":
        return
    try:
        with opening as application:
            if application.noting is not None:
                application.noting.note({"event": event, "uid": os.getuid()})
    except (StartError, StoreError) as error:
        raise NotNotedError(f"{done}, but that is not in its audit log: {error}.") from error
