# SPDX-License-Identifier: Apache-2.0
"""nginx with pkcs11-provider serves on, whatever happens to it and to the secure world meanwhile.

The provider signs in several parts. A signature that is half-made when its secure world dies is an error, by the
standard and here; with libp11's engine, which signs in one, no handshake fails.
"""

from pathlib import Path

from interop.clients.conftest import programs_of
from interop.clients.debian import DEBIAN_13, WORK
from interop.clients.ports import free_port
from interop.clients.provider import certify, generate, with_provider
from interop.nginx import CLIENTS, ROUNDS, Clients, Nginx, hard_times
from interop.restarts import World

KEYS = {"ec": ("EC", "group:P-256"), "rsa": ("RSA", "rsa_keygen_bits:2048")}


def test_no_handshake_fails_but_those_whose_signature_was_half_made(module: Path, world: World, tmp_path: Path) -> None:
    world.restart_with("socket_mode = 0o666\n")  # nginx' workers are another user's
    world.socket.parent.chmod(0o711)
    (tmp_path / "work").mkdir()
    debian = with_provider(programs_of(DEBIAN_13, module, world.daemon, tmp_path / "work"))
    for name, (algorithm, option) in KEYS.items():
        generate(debian, name, algorithm, option)
        certify(debian, name, f"{name}.key")
    trusted = debian.directory / "trusted.pem"
    trusted.write_text("".join((debian.directory / f"{name}.pem").read_text() for name in KEYS))
    nginx = Nginx(debian.run, free_port(), debian.directory, WORK)
    nginx.configure({f"{name}.pem": f"{WORK}/{name}.key" for name in KEYS})
    with nginx.running():
        clients = Clients(nginx.port, trusted, CLIENTS)
        with clients.busy():
            for event in (nginx.reload, nginx.upgrade) * ROUNDS:
                event()
                clients.get_on()
            for event in hard_times(nginx, world) * ROUNDS:
                event()
                clients.get_on(lost=CLIENTS)
                clients.get_on()
