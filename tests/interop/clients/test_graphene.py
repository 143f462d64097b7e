# SPDX-License-Identifier: Apache-2.0
"""Node's graphene-pk11 makes keys on the token, uses them, and checks what comes out with Node's own cryptography."""

import os
from pathlib import Path

import pytest

from interop.clients.fetched import fetched, run
from interop.tools import PIN, Programs

PACKAGES = ("graphene-pk11@2.3.6", "pkcs11js@2.1.7")
SCRIPT = Path(__file__).with_name("graphene.js")


def install(directory: Path) -> None:
    """Install the packages, and build pkcs11js, which is in C++."""
    # npm would fetch Node's headers from Node's site. Node's package has them in /usr/include/node, or libnode-dev.
    environment = os.environ | {"npm_config_nodedir": "/usr", "npm_config_update_notifier": "false"}
    (directory / "package.json").write_text('{"private": true}')
    run(
        "npm",
        "install",
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
        *PACKAGES,
        cwd=directory,
        environment=environment,
    )
    rebuilt = ("rebuild", "--ignore-scripts=false", "--foreground-scripts", "pkcs11js")
    run("npm", *rebuilt, cwd=directory, environment=environment)


@pytest.fixture(scope="session")
def modules() -> Path:
    return fetched("graphene", " ".join(PACKAGES), install) / "node_modules"


@pytest.mark.parametrize(
    "task",
    [
        "lists the token",
        "digests",
        "signs with RSA",
        "signs with RSA-PSS",
        "signs with ECDSA",
        "encrypts with AES-CBC",
        "encrypts with AES-GCM",
        "encrypts with RSA-OAEP",
        "derives with ECDH",
        "signs with HMAC",
        "wraps a key",
        "finds, changes and destroys objects",
    ],
)
def test_a_program_in_javascript(token: Programs, modules: Path, task: str) -> None:
    node = Programs(token.module, token.socket, token.directory, {"NODE_PATH": str(modules)})
    assert node.run("node", SCRIPT, token.module, PIN, task) == f"{task}: ok\n"
