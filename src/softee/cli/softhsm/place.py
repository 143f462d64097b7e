# SPDX-License-Identifier: Apache-2.0
"""Where SoftHSM2 has its tokens, and which of them is meant."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from softee.cli.failure import CliError
from softee.cli.output import read_in
from softee.cli.softhsm.database import DATABASE, read_database
from softee.cli.softhsm.files import TOKEN_FILE, read_folder
from softee.cli.softhsm.stored import BadStoreError, StoredToken

LABEL: Final = 0x80005349
USER_PIN: Final = 0x8000534D
"""Attributes of a token, in SoftHSM2's own numbers."""

_SETTING: Final = "directories.tokendir"
_SYSTEM: Final = Path("/etc/softhsm/softhsm2.conf")


def token_folder() -> Path:
    """Return the folder of tokens that SoftHSM2's configuration names.

    Raises:
        CliError: there is no configuration, or it names none.

    """
    own = Path("~/.config/softhsm2/softhsm2.conf").expanduser()
    named = os.environ.get("SOFTHSM2_CONF")
    file = Path(named) if named else next((one for one in (own, _SYSTEM) if one.exists()), _SYSTEM)
    for line in read_in(file).decode(errors="replace").splitlines():
        key, _, value = line.partition("=")
        if key.strip() == _SETTING and value.strip():
            return Path(value.strip())
    raise CliError(f"{file} names no {_SETTING}; name the folder of SoftHSM2's tokens.")


def the_token(folder: Path, label: str | None) -> StoredToken:
    """Return the token that is meant, in a folder that is one, or that has several.

    Raises:
        CliError: there is none, or there are several, or it cannot be read.

    """
    try:
        found = [token for token in _tokens(folder) if label in {None, label_of(token)}]
    except BadStoreError as error:
        raise CliError(f"SoftHSM2's token cannot be read: {error}.") from None
    except OSError as error:
        raise CliError(f"{folder} cannot be read: {error.strerror}.") from None
    if len(found) == 1:
        return found[0]
    if found:
        raise CliError(f"{folder} has {len(found)} such tokens; give --from LABEL.", 2)
    raise CliError(f"{folder} has no such token of SoftHSM2's.")


def label_of(token: StoredToken) -> str:
    """Return a token's label."""
    label = token.about.attributes.get(LABEL)
    return label.decode(errors="replace").rstrip(" ") if isinstance(label, bytes) else ""


def _tokens(folder: Path) -> Iterator[StoredToken]:
    for place in (folder, *sorted(one for one in folder.iterdir() if one.is_dir())):
        if (place / DATABASE).is_file():  # a pipe would have to be waited for
            yield read_database(place / DATABASE)
        elif (place / TOKEN_FILE).is_file():
            yield read_folder(place)
