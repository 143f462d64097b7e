# SPDX-License-Identifier: Apache-2.0
"""Java serves TLS with a key of the token, which is one provider among others, or the first, asked for everything."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from interop.tools import PIN, Programs

SERVER = Path(__file__).with_name("TlsServer.java")


@pytest.fixture(params=["EC", "RSA"])
def java(request: pytest.FixtureRequest, programs: Programs) -> Programs:
    """Programs with a key of keytool's on the token, and its certificate in a file."""
    programs.init_token()
    (programs.directory / "provider.cfg").write_text(f"name = softee\nlibrary = {programs.module}\n")
    provider = ("-providerClass", "sun.security.pkcs11.SunPKCS11", "-providerArg", "provider.cfg")
    store = ("-keystore", "NONE", "-storetype", "PKCS11", *provider, "-storepass", PIN)
    names = ("-alias", "server", "-dname", "CN=localhost", "-ext", "san=dns:localhost")
    programs.run("keytool", "-genkeypair", "-keyalg", str(request.param), *names, *store)
    programs.run("keytool", "-exportcert", "-rfc", "-alias", "server", "-file", "cert.pem", *store)
    return programs


@contextmanager
def server(java: Programs, protocol: str, place: str) -> Iterator[subprocess.Popen[str]]:
    """Run the server, which serves one client."""
    command = ("java", SERVER, "provider.cfg", PIN, protocol, place)
    with subprocess.Popen(
        command,
        cwd=java.directory,
        env=java.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as running:
        try:
            yield running
        finally:
            running.kill()


@pytest.mark.parametrize("place", ["last", "first"])
@pytest.mark.parametrize(("protocol", "option"), [("TLSv1.2", "-tls1_2"), ("TLSv1.3", "-tls1_3")])
def test_a_server_of_javas_has_its_key_in_the_token(java: Programs, protocol: str, option: str, place: str) -> None:
    with server(java, protocol, place) as serving:
        assert serving.stdout
        port = serving.stdout.readline().strip()
        assert port.isdecimal(), port + serving.stdout.read()
        checks = (
            "-CAfile",
            "cert.pem",
            "-verify_return_error",
            "-verify_hostname",
            "localhost",
            "-quiet",
            "-no_ign_eof",
        )
        client = ("openssl", "s_client", "-connect", f"localhost:{port}", option, *checks)
        with subprocess.Popen(client, stdin=subprocess.PIPE, cwd=java.directory, stdout=subprocess.PIPE) as asking:
            assert asking.stdin
            asking.stdin.write(b"hello\n")
            asking.stdin.flush()
            said = serving.stdout.readline()
            assert said.endswith(" hello\n"), said + serving.stdout.read()
            assert serving.wait(30) == 0
