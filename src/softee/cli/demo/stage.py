# SPDX-License-Identifier: Apache-2.0
"""The throw-away secure world, directory and environment that the walkthrough runs in."""

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from softee.cli import secure_world
from softee.cli.failure import CliError
from softee.cli.library import module_path
from softee.cli.programs import missing_programs, pkcs11_engine

OPENSSL_CONF = """\
openssl_conf = openssl_conf

[openssl_conf]
engines = engine_section

[engine_section]
pkcs11 = pkcs11_section

[pkcs11_section]
engine_id = pkcs11
dynamic_path = {engine}
MODULE_PATH = {module}
PIN = 12345
init = 0

[req]
distinguished_name = req_distinguished_name

[req_distinguished_name]
"""
"""The documentation's optee_hsm.conf."""

SETTINGS = """\
[pkcs11]
profile = "optee"
"""
"""The documentation's token is a board's. The user's own settings do not count."""

_NOT_INHERITED = frozenset({"OPENSSL_CONF", "OPENSSL_ENGINES", "SSLKEYLOGFILE", "CKTEEC_LOGIN_TYPE"})
"""Variables of the user's that would change what the walkthrough's programs do."""


@dataclass(frozen=True)
class Stage:
    """Where the walkthrough runs: the commands' working directory, their environment, the module they load.

    ``socket`` is the secure world's, for the checks that ask it directly.
    """

    directory: Path
    socket: Path
    environment: Mapping[str, str]
    module: Path
    openssl_conf: Path


@contextmanager
def stage() -> Iterator[Stage]:
    """Set the stage, and clear it away afterwards.

    Raises:
        CliError: a program is missing, or the secure world does not start.

    """
    engine = _require_programs()
    module = module_path()
    with tempfile.TemporaryDirectory(prefix="softee-demo-") as name:
        base = Path(name)
        directory = base / "walkthrough"
        directory.mkdir()
        conf = directory / "optee_hsm.conf"
        conf.write_text(OPENSSL_CONF.format(engine=engine, module=module))
        paths = secure_world.StartPaths(base / "state", base / "key" / "root.key", base / "softee.log")
        settings = base / "softee.toml"
        settings.write_text(SETTINGS)
        with secure_world.running(paths, ("--config", str(settings))) as socket:
            yield Stage(directory, socket, _environment(socket), module, conf)


def _require_programs() -> Path:
    """Return the path of OpenSSL's engine, once everything is known to be installed."""
    missing = missing_programs()
    engine = pkcs11_engine()
    if missing or engine is None:
        packages = " ".join(program.package for program in missing)
        names = ", ".join(program.name for program in missing)
        raise CliError(f"The demo needs {names}; on Debian: apt-get install {packages}")
    return engine


def _environment(socket: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in _NOT_INHERITED}
    unproxied = {name: value for name, value in kept.items() if not name.lower().endswith("_proxy")}
    return unproxied | {"SOFTEE_SOCKET": str(socket), "LC_ALL": "C"}
