# SPDX-License-Identifier: Apache-2.0
"""nginx serves every handshake with keys of the token, whatever happens to it and to the secure world meanwhile."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from interop.clients.ports import free_port
from interop.nginx import CLIENTS, PROGRAM, ROUNDS, Clients, Nginx, hard_times
from interop.restarts import World
from interop.tools import ENGINE_CONF, LABEL, PIN, Programs

KEYS = {"ec": "EC:prime256v1", "rsa": "rsa:2048"}
ENGINE = ("-engine", "pkcs11", "-keyform", "engine")


def place(key: str) -> str:
    return f"pkcs11:token={LABEL};object={key};type=private;pin-value={PIN}"


@pytest.fixture
def nginx(module: Path, world: World) -> Iterator[Nginx]:
    if not Path(PROGRAM).exists():
        pytest.skip("needs nginx")
    world.restart_with("socket_mode = 0o666\n")  # nginx' workers are another user's
    for directory in (world.directory, world.socket.parent):
        directory.chmod(0o711)
    programs = Programs(module, world.socket, world.directory)
    certificates = [certify(programs, key, kind) for key, kind in KEYS.items()]
    (world.directory / "trusted.pem").write_text("".join(certificates))
    configuration = world.directory / "nginx-engine.conf"
    configuration.write_text(
        ENGINE_CONF.format(module=module, pin=PIN).replace("init = 0", "init = 1")
    )  # nginx does not
    configured = Programs(module, world.socket, world.directory, {"OPENSSL_CONF": str(configuration)})
    made = Nginx(configured.run, free_port(), world.directory, str(world.directory))
    made.configure({f"{key}.pem": f"engine:pkcs11:{place(key)}" for key in KEYS}, "ssl_engine pkcs11;")
    with made.running():
        yield made


def certify(programs: Programs, key: str, kind: str) -> str:
    programs.generate(kind, key)
    name = ("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost")
    programs.openssl("req", "-x509", "-new", *ENGINE, "-key", place(key), *name, "-out", f"{key}.pem")
    return (programs.directory / f"{key}.pem").read_text()


def test_no_handshake_fails(nginx: Nginx, world: World) -> None:
    clients = Clients(nginx.port, world.directory / "trusted.pem", CLIENTS)
    with clients.busy():
        for event in (nginx.reload, nginx.upgrade, *hard_times(nginx, world)) * ROUNDS:
            event()
            clients.get_on()
