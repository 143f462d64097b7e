# SPDX-License-Identifier: Apache-2.0
"""States on a disk that no secure world uses, as the commands for them find them; and a look into them."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from softee.daemon.anchoring import anchoring
from softee.daemon.applications import Surroundings, pkcs11
from softee.daemon.settings import Settings, load_settings
from softee.daemon.store import open_store
from support.token_world import Caller

PASSPHRASE = b"correct horse"


def settings_in(folder: Path, more: str = "") -> Settings:
    """Return the settings of an installation in a folder, where it has its file, its state and its root key."""
    folder.mkdir(exist_ok=True)
    file = folder / "softee.toml"
    file.write_text(f"state = '{folder}/state'\nroot_key = '{folder}/root.key'\n{more}")
    return load_settings(file)


@contextmanager
def opened(settings: Settings) -> Iterator[Caller]:
    """Yield a caller of the application over the state, as long as nobody else uses it."""
    root_key = settings.root_key.read_or_make(is_needed=lambda: False)
    with open_store(settings) as store, closing(anchoring(settings, store, root_key).store) as anchored:
        yield Caller(pkcs11(Surroundings(anchored, root_key, settings)))
