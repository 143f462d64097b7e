# SPDX-License-Identifier: Apache-2.0
"""p11-kit's server passes the token on: programs with p11-kit's client module use it and know no socket of softee's."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from interop.clients.ports import wait_for_socket
from interop.tools import PIN, Programs
from support.secure_world import short_directory

CLIENT = next(Path("/usr/lib").glob("*/pkcs11/p11-kit-client.so"), Path("p11-kit-client.so"))


@pytest.fixture
def remote(programs: Programs) -> Iterator[Programs]:
    """Programs that load p11-kit's module, with a server behind it."""
    programs.init_token()
    with short_directory() as directory:
        near = Programs(programs.module, programs.socket, programs.directory, {"XDG_RUNTIME_DIR": str(directory)})
        # It goes to the background, with its end of a pipe, and says where it is before it listens there.
        said = near.run(
            "sh", "-c", f'p11-kit server --provider "{near.module}" "pkcs11:token=mytoken" </dev/null 2>/dev/null'
        )
        variables = dict(re.findall(r"^(P11_KIT_SERVER_\w+)=([^;]+);", said, re.MULTILINE))
        wait_for_socket(Path(variables["P11_KIT_SERVER_ADDRESS"].removeprefix("unix:path=")))
        try:
            yield Programs(CLIENT, Path("/nonexistent"), programs.directory, variables)
        finally:
            near.run("kill", variables["P11_KIT_SERVER_PID"])


def test_the_token_is_seen(remote: Programs) -> None:
    listed = remote.p11("--list-token-slots")
    assert re.search(r"token label +: mytoken", listed)
    assert "OP-TEE PKCS11 TA" in listed


@pytest.mark.parametrize("key_type", ["EC:prime256v1", "rsa:2048"])
def test_a_key_is_made_and_signs(remote: Programs, key_type: str) -> None:
    made = remote.generate(key_type, "remote", "--id", "01")
    assert "sensitive, always sensitive, never extractable, local" in made
    mechanism = "ECDSA" if key_type.startswith("EC") else "RSA-PKCS"
    (remote.directory / "digest").write_bytes(bytes(range(32)))
    signed = ("--mechanism", mechanism, "--id", "01", "-i", "digest")
    remote.p11_in("--sign", *signed, "-o", "signature")
    assert "Signature is valid" in remote.p11_in("--verify", *signed, "--signature-file", "signature")


def test_a_wrong_pin_is_refused_and_private_keys_stay_behind_it(remote: Programs) -> None:
    remote.generate("EC:prime256v1", "guarded", "--id", "02")
    assert "CKR_PIN_INCORRECT" in remote.p11("--login", "--pin", PIN[::-1], "--list-objects", fails=True)
    assert "Private Key Object" not in remote.p11("--list-objects")
