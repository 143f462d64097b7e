# SPDX-License-Identifier: Apache-2.0
"""The modules that are measured, each with a token: softee, what others have where it is installed, what is named.

softee and SoftHSM2 get throw-away tokens. A module that the user names keeps its token, whose PIN is in SOFTEE_PIN:
what is made there is destroyed at the end.
"""

import os
import secrets
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from softee.cli.bench.processes import cpu_seconds, server_of
from softee.cli.ephemeral import throw_away_world
from softee.cli.failure import CliError
from softee.cli.library import module_path
from softee.cli.secure_world import private_directory

SOFTEE = "softee"
_LABEL = "bench"
_SOFTHSM = ("/usr/lib*/softhsm", "/usr/lib/*/softhsm", "/usr/lib*/pkcs11", "/usr/local/lib/softhsm")
_P11_KIT = ("/usr/lib/*/pkcs11", "/usr/lib*/pkcs11", "/usr/local/lib/pkcs11")
_LISTENS_WITHIN = 5.0


@dataclass(frozen=True)
class Module:
    """A module to load, with the variables that lead it to its token.

    ``server_cpu`` tells the CPU seconds of the processes behind it; None where there are none, or nobody knows them.
    """

    name: str
    path: Path
    environment: Mapping[str, str] = field(repr=False)
    server_cpu: Callable[[], float] | None = None
    throw_away: bool = True


class MissingError(Exception):
    """A peer is not installed. The text says what is missing."""


@contextmanager
def found_modules(named: Sequence[Path], *, alone: bool) -> Iterator[tuple[list[Module], list[str]]]:
    """Make all modules ready; yield them, softee first, and a sentence for each that is missing.

    Args:
        named: those that the user names.
        alone: SoftHSM2 is not looked for.

    """
    others = list(map(_named, named))
    modules, missing = [], []
    with ExitStack() as stack:
        modules.append(stack.enter_context(_softee()))
        for peer in () if alone else (_softhsm, _softhsm_behind_p11_kit):
            try:
                modules.append(stack.enter_context(peer()))
            except MissingError as error:
                missing.append(str(error))
        yield [*modules, *others], missing


@contextmanager
def _softee() -> Iterator[Module]:
    with throw_away_world() as variables:
        socket = Path(variables["SOFTEE_SOCKET"])
        environment = variables | {"BENCH_PIN": variables["SOFTEE_PIN"]}
        yield Module(SOFTEE, module_path(), environment, partial(cpu_seconds, server_of(socket)))


@contextmanager
def _softhsm() -> Iterator[Module]:
    library = _installed(_SOFTHSM, "libsofthsm2.so", "SoftHSM2 is not installed (Debian's package softhsm2)")
    if shutil.which("softhsm2-util") is None:
        raise MissingError("SoftHSM2 is not measured: its softhsm2-util is missing.")
    with tempfile.TemporaryDirectory(prefix="softee-") as directory:
        tokens, conf = Path(directory, "tokens"), Path(directory, "softhsm2.conf")
        tokens.mkdir()
        conf.write_text(f"directories.tokendir = {tokens}\nlog.level = ERROR\n")
        pin = f"{secrets.randbelow(10**10):010}"
        environment = {"SOFTHSM2_CONF": str(conf), "BENCH_PIN": pin}
        pins = ["--so-pin", pin, "--pin", pin]
        made = subprocess.run(
            ["softhsm2-util", "--init-token", "--free", "--label", _LABEL, *pins],
            env=os.environ | environment,
            stdout=subprocess.DEVNULL,
            check=False,
        )
        if made.returncode != 0:
            raise MissingError("SoftHSM2 is not measured: softhsm2-util has made no token.")
        yield Module("SoftHSM2", library, environment)


@contextmanager
def _softhsm_behind_p11_kit() -> Iterator[Module]:
    client = _installed(_P11_KIT, "p11-kit-client.so", "p11-kit's client is not installed (Debian's p11-kit-modules)")
    if shutil.which("p11-kit") is None:
        raise MissingError("SoftHSM2 behind p11-kit is not measured: p11-kit is missing.")
    with _softhsm() as near, private_directory() as directory:
        socket = directory / "p11.sock"
        server = subprocess.Popen(
            ["p11-kit", "server", "--foreground", "--name", socket, "--provider", near.path, f"pkcs11:token={_LABEL}"],
            env=os.environ | dict(near.environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            _await(socket)
            environment = {"P11_KIT_SERVER_ADDRESS": f"unix:path={socket}", "BENCH_PIN": near.environment["BENCH_PIN"]}
            yield Module("SoftHSM2 behind p11-kit", client, environment, partial(cpu_seconds, server.pid))
        finally:
            server.terminate()
            server.wait()


def _named(path: Path) -> Module:
    pin = os.environ.get("SOFTEE_PIN")
    if pin is None:
        raise CliError(f"SOFTEE_PIN must be the PIN of the token of {path}.", 2)
    return Module(path.name, path.absolute(), {"BENCH_PIN": pin}, throw_away=False)


def _installed(directories: Sequence[str], name: str, otherwise: str) -> Path:
    candidates = (path for pattern in directories for path in Path("/").glob(f"{pattern[1:]}/{name}"))
    found = next(candidates, None)
    if found is None:
        raise MissingError(f"{otherwise}.")
    return found


def _await(socket: Path) -> None:
    """Wait until p11-kit's server listens: it has no way to say so."""
    deadline = time.monotonic() + _LISTENS_WITHIN
    while time.monotonic() < deadline:
        try:
            server_of(socket)
        except OSError:
            time.sleep(0.01)
        else:
            return
    raise MissingError("SoftHSM2 behind p11-kit is not measured: p11-kit's server does not listen.")
