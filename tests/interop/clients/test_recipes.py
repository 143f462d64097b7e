# SPDX-License-Identifier: Apache-2.0
"""The commands of the recipes for other people's programs do what the recipes say, as they stand there."""

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from interop.clients.debian import WORK, Debian
from interop.clients.ports import free_port, wait_for_port
from interop.clients.provider import BACKPORTED
from interop.tools import Programs

RECIPES = Path(__file__).parents[3] / "docs/recipes"
PORT = "9876"
"""What the recipes' servers listen on; another one in the tests, which run beside each other."""


def blocks(page: str, language: str, heading: str = "") -> list[str]:
    """Return the commands of a page, or of what stands under one of its headings."""
    text = (RECIPES / page).read_text()
    if heading:
        (text,) = (part for part in text.split("\n## ") if part.startswith(f"{heading}\n"))
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def with_softee(debian: Debian) -> Debian:
    """Return its programs with a token, and with ``softee module``, all that the recipes want of our own commands."""
    debian.init_token()
    program = debian.directory / "softee"
    program.write_text(f"#!/bin/sh\necho {debian.inner_module}\n")
    program.chmod(0o755)
    return debian.with_variables({"PATH": f"{WORK}:{debian.environment['PATH']}"})


def follow(debian: Debian, commands: list[str]) -> str:
    """Run the commands one after the other, a server until the next one begins, and return what the others said."""
    said, port = "", free_port()
    with ExitStack() as running:
        for block in commands:
            command = block.replace(PORT, str(port))
            if " s_server " in command:
                running.close()
                running.enter_context(serving(debian, command, port))
            else:
                said += debian.run("bash", "-euo", "pipefail", "-c", command)
    return said


@contextmanager
def serving(debian: Debian, command: str, port: int) -> Iterator[None]:
    """Run a server, which is one command."""
    inside = debian.command("sh", "-c", f"exec env {command}")
    with subprocess.Popen(inside, env=debian.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as server:
        try:
            wait_for_port(port, server)
            yield
        finally:
            server.terminate()


def test_pkcs11_provider_on_debian_13(debian13: Debian) -> None:
    said = follow(with_softee(debian13), blocks("pkcs11-provider.md", "sh"))
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
    configuration = blocks("pkcs11-provider.md", "sh", "The configuration")
    return follow(with_softee(debian), [*configuration, *blocks("post-quantum.md", "sh", "OpenSSL")])


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
    said = follow(with_softee(debian14), blocks("post-quantum.md", "sh", "pkcs11-tool"))
    for result in ("Private Key Object; ML-DSA-65", "Private Key Object; ML-KEM-768", "Signature is valid"):
        assert result in said
    assert "Signature Verified Successfully" in said


def test_post_quantum_python_pkcs11(programs: Programs) -> None:
    programs.init_token()
    (program,) = blocks("post-quantum.md", "python")
    found = Programs(programs.module, programs.socket, programs.directory, {"SOFTEE_MODULE": str(programs.module)})
    found.run(sys.executable, "-c", program)
