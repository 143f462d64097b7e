# SPDX-License-Identifier: Apache-2.0
"""The commands of the recipes for other people's programs do what the recipes say, as they stand there."""

import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from interop.clients.conftest import programs_of
from interop.clients.debian import DEBIAN_13, WORK, Debian
from interop.clients.fetched import fetched
from interop.clients.provider import BACKPORTED
from interop.clients.test_graphene import PACKAGES, install
from interop.recipes import Block, blocks, follow
from interop.tools import PIN, SO_PIN, Programs, run_in
from support.secure_world import running_daemon

PAGES = (
    "code-signing.md",
    "firmware.md",
    "nss.md",
    "openssh.md",
    "openssl-engine.md",
    "p11-kit.md",
    "strongswan.md",
)
WITH_PROVIDER = (
    "apache.md",
    "dnssec.md",
    "haproxy.md",
    "mosquitto.md",
    "nginx.md",
    "openvpn.md",
    "stunnel.md",
    "wpa-supplicant.md",
)
"""Those that are followed in Debian 13, which has the programs; they go on from pkcs11-provider's certificate."""

BEFORE = ("The configuration", "Keys", "A certificate request, a certificate")

WITHIN = 300


@pytest.fixture
def services(module: Path, tmp_path: Path) -> Iterator[Debian]:
    """Debian 13 with the softee command, and with a token that services may use, which have users of their own."""
    with running_daemon(tmp_path, settings="socket_mode = 0o666\n") as daemon:
        daemon.socket.parent.chmod(0o711)
        work, registered = tmp_path / "work", tmp_path / "registered"
        work.mkdir()
        registered.mkdir()
        yield with_softee(programs_of(DEBIAN_13, module, daemon, work)).with_bind(registered, "/etc/pkcs11/modules")


def with_softee(debian: Debian) -> Debian:
    """Return its programs with a token, and with the softee command."""
    debian.init_token()
    return debian.with_own_python().with_variables({"HOME": WORK, "SOFTEE_PIN": PIN, "SOFTEE_SO_PIN": SO_PIN})


def followed(debian: Debian, commands: Sequence[Block]) -> str:
    """Follow blocks inside; what they leave running ends with them."""
    alone = ("unshare", "--pid", "--fork", "--kill-child")

    def run(*command: str) -> str:
        return run_in(None, debian.environment, [*alone, *debian.command(*command)], within=WITHIN)

    return follow(commands, debian.directory, run)


@pytest.mark.parametrize("page", [*PAGES, *WITH_PROVIDER])
def test_the_page_s_commands_do_what_it_says_on_debian_13(services: Debian, page: str) -> None:
    before = BEFORE if page in WITH_PROVIDER else ()
    followed(services, [block for heading in before for block in blocks("pkcs11-provider.md", heading)] + blocks(page))


def test_node(programs: Programs) -> None:
    """The page's program, with what the tests of graphene-pk11 have installed."""
    programs.init_token()
    modules = fetched("graphene", " ".join(PACKAGES), install) / "node_modules"
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    variables = {"PATH": path, "NODE_PATH": str(modules), "SOFTEE_PIN": PIN}
    user = Programs(programs.module, programs.socket, programs.directory, variables)
    follow(blocks("node.md"), user.directory, user.run)


def test_pkcs11_provider_on_debian_13(debian13: Debian) -> None:
    said = followed(with_softee(debian13), blocks("pkcs11-provider.md"))
    for result in (
        "Certificate request self-signature verify OK",
        "subject=CN=localhost",
        "Signature Verified Successfully",
        "Verification: OK",
        "HTTP/1.0 200 ok",
        "Client certificate",
    ):
        assert result in said
    assert "hello" in said.splitlines(), "what was decrypted"


def follow_post_quantum_openssl(debian: Debian) -> str:
    configuration = blocks("pkcs11-provider.md", "The configuration")
    return followed(with_softee(debian), [*configuration, *blocks("post-quantum.md", "OpenSSL")])


POST_QUANTUM_OPENSSL = (
    "Certificate request self-signature verify OK",
    "web65_cert.pem: OK",
    "Signature Verified Successfully",
    "Verification: OK",
    "Signature type: mldsa65",
    "Negotiated TLS1.3 group: X25519MLKEM768",
)


def test_post_quantum_openssl_on_debian_13_with_its_backports(debian13: Debian) -> None:
    said = follow_post_quantum_openssl(debian13.with_variables(BACKPORTED))
    assert not [result for result in POST_QUANTUM_OPENSSL if result not in said]


def test_post_quantum_openssl_on_debian_14(debian14: Debian) -> None:
    said = follow_post_quantum_openssl(debian14)
    assert not [result for result in POST_QUANTUM_OPENSSL if result not in said]


def test_post_quantum_pkcs11_tool_on_debian_14(debian14: Debian) -> None:
    said = followed(with_softee(debian14), blocks("post-quantum.md", "pkcs11-tool"))
    for result in ("Private Key Object; ML-DSA-65", "Private Key Object; ML-KEM-768", "Signature is valid"):
        assert result in said
    assert "Signature Verified Successfully" in said


def test_post_quantum_python_pkcs11(programs: Programs) -> None:
    programs.init_token()
    (program,) = (block.text for block in blocks("post-quantum.md") if block.language == "python")
    found = Programs(programs.module, programs.socket, programs.directory, {"SOFTEE_MODULE": str(programs.module)})
    found.run(sys.executable, "-c", program)
