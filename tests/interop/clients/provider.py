# SPDX-License-Identifier: Apache-2.0
"""OpenSSL with pkcs11-provider: its configuration, keys that genpkey makes in the token, their certificates, TLS."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from interop.clients.debian import BESIDE, WORK, Debian
from interop.clients.ports import free_port, wait_for_port
from interop.tools import LABEL, PIN

CONFIGURATION = """\
openssl_conf = openssl
[openssl]
providers = providers
[providers]
default = built_in
pkcs11 = pkcs11
[built_in]
activate = 1
[pkcs11]
activate = 1
pkcs11-module-path = {module}
pkcs11-module-token-pin = {pin}
pkcs11-module-encode-provider-uri-to-pem = true
pkcs11-module-cache-keys = false
[req]
distinguished_name = name
[name]
"""
OUTSIDE = {"OPENSSL_CONF": "/dev/null"}
"""The environment of an OpenSSL that has no token."""

BACKPORTED = {"OPENSSL_MODULES": f"{BESIDE}/usr/lib/x86_64-linux-gnu/ossl-modules"}
"""The environment of an OpenSSL that takes the provider of Debian's backports."""

CHECKS = ("-verify_return_error", "-verify_hostname", "localhost", "-servername", "localhost")
REQUEST = "GET / HTTP/1.0\r\n\r\n"


def with_provider(debian: Debian, variables: dict[str, str] | None = None) -> Debian:
    """Return its programs with an OpenSSL that is set up for the token, and other variables in its environment."""
    (debian.directory / "openssl.cnf").write_text(CONFIGURATION.format(module=debian.inner_module, pin=PIN))
    return debian.with_variables({"OPENSSL_CONF": f"{WORK}/openssl.cnf", **(variables or {})})


def url(name: str, half: str = "private") -> str:
    """Return where a key is."""
    return f"pkcs11:token={LABEL};object={name};type={half}"


def generate(openssl: Debian, name: str, algorithm: str, *options: str) -> None:
    """Make a key in the token; NAME.key is where it is, in a file."""
    place = f"pkcs11_uri:pkcs11:token={LABEL};object={name}"
    asked = [part for option in (*options, place) for part in ("-pkeyopt", option)]
    token = ("-propquery", "provider=pkcs11", "-algorithm", algorithm)
    openssl.run("openssl", "genpkey", *token, *asked, "-out", f"{name}.key")


def certify(openssl: Debian, name: str, key: str) -> None:
    """Make NAME.pem, a certificate which the key signs itself, and take NAME.pub out of it."""
    subject = ("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost")
    openssl.run("openssl", "req", "-x509", "-new", "-key", key, *subject, "-out", f"{name}.pem")
    openssl.run("openssl", "x509", "-in", f"{name}.pem", "-noout", "-pubkey", "-out", f"{name}.pub")


def wants_client(openssl: Debian, certificate: str) -> tuple[str, ...]:
    """Return the options of a server that has no token, server.pem, and wants a client with the certificate."""
    own = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-keyout", "server.key", "-out", "server.pem")
    openssl.with_variables(OUTSIDE).run("openssl", "req", "-x509", "-nodes", "-subj", "/CN=localhost", *own)
    wanted = ("-Verify", "1", "-CAfile", certificate, "-verify_return_error")
    return ("-cert", "server.pem", "-key", "server.key", *wanted)


@contextmanager
def s_server(openssl: Debian, *options: str) -> Iterator[str]:
    """Run a server that sends each client a page about itself, and yield its address."""
    port = free_port()
    command = openssl.command("openssl", "s_server", "-www", "-accept", f"127.0.0.1:{port}", *options)
    with subprocess.Popen(command, env=openssl.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as server:
        try:
            wait_for_port(port, server)
            yield f"127.0.0.1:{port}"
        finally:
            server.terminate()


def ask(openssl: Debian, address: str, certificate: str, *options: str) -> str:
    """Ask a server that has the certificate for its page, and return all that s_client says."""
    client = ("s_client", "-connect", address, "-CAfile", certificate, *CHECKS, "-ign_eof", *options)
    return openssl.run("openssl", *client, stdin=REQUEST)
