# SPDX-License-Identifier: Apache-2.0
"""Slots whose settings differ, as programs see them: who may use them, what they do, which keys they take."""

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from interop.tools import LABEL, Programs, key_id
from softee.cli.token_client import token_client
from support.secure_world import running_daemon

SETTINGS = f"""
[pkcs11]
refused_mechanisms = ["CKM_MD5"]
[pkcs11.slot.0]
users = [{os.geteuid()}]
curves = ["P-384"]
check_values = false
[pkcs11.slot.0.key_sizes]
RSA = [3072, 4096]
[pkcs11.slot.1]
users = [4242]
groups = [4243]
[pkcs11.slot.2]
profile = "strict"
"""


@pytest.fixture(scope="module")
def slots(module: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Programs]:
    directory = tmp_path_factory.mktemp("slots")
    with running_daemon(directory, settings=SETTINGS) as daemon:
        programs = Programs(module, daemon.socket, directory)
        programs.init_token()
        yield programs


def mechanism(programs: Programs, slot: int, name: str) -> str:
    """Return what pkcs11-tool says of a mechanism, nothing where it is not there."""
    listed = programs.p11("--slot", str(slot), "--list-mechanisms")
    found = re.search(rf"^  {name}, (.*)$", listed, re.MULTILINE)
    return found[1] if found else ""


def test_a_slot_of_other_users_is_not_there(slots: Programs) -> None:
    assert re.findall(r"^Slot \d \(0x(\d)\)", slots.p11("--list-slots"), re.MULTILINE) == ["0", "2"]
    with token_client(slots.socket) as client:
        assert [token.slot for token in client.tokens()] == [0, 2]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes another user")
def test_a_slot_is_its_users_and_its_groups(module: Path, tmp_path: Path) -> None:
    settings = f"socket_mode = 0o666\n{SETTINGS}"
    with running_daemon(tmp_path, settings=settings) as daemon:
        place = daemon.socket.parent
        place.chmod(0o755)
        for library in ("libckteec.so.0", "libteec.so.2"):  # others may not reach the wheel
            shutil.copy(module.with_name(library), place / library)
        programs = Programs(place / "libckteec.so.0", daemon.socket, Path("/"), {"SOFTEE_SERVER_UID": "0"})
        for who, seen in (("--reuid=4242 --regid=9", ["1", "2"]), ("--reuid=9 --regid=4243", ["1", "2"]),
                          ("--reuid=9 --regid=9", ["2"])):  # fmt: skip
            become = ("setpriv", "--clear-groups", *who.split())
            listed = programs.run(*become, "pkcs11-tool", "--module", programs.module, "--list-slots")
            assert re.findall(r"^Slot \d \(0x(\d)\)", listed, re.MULTILINE) == seen


def test_each_slot_says_what_its_policy_leaves(slots: Programs) -> None:
    assert mechanism(slots, 0, "RSA-PKCS").startswith("keySize={3072,4096}, encrypt")
    assert mechanism(slots, 2, "RSA-PKCS").startswith("keySize={2048,4096}, sign")
    assert (mechanism(slots, 0, "MD5"), mechanism(slots, 2, "MD5")) == ("", "")
    assert (mechanism(slots, 0, "SHA-1"), mechanism(slots, 2, "SHA-1")) == ("digest", "")


def test_keys_that_the_policy_does_not_allow_are_not_made(slots: Programs) -> None:
    named = ("--token-label", LABEL, "--keypairgen", "--label", "wanted", "--id", key_id("wanted"))
    assert "CKR_KEY_SIZE_RANGE" in slots.p11_in(*named, "--key-type", "rsa:2048", fails=True)
    assert "(0x140)" in slots.p11_in(*named, "--key-type", "EC:prime256v1", fails=True)
    slots.p11_in(*named, "--key-type", "EC:secp384r1")
