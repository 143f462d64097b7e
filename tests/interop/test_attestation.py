# SPDX-License-Identifier: Apache-2.0
"""The recipe for attestation, command by command: with softee, with nothing but OpenSSL, and with a CA of one's own."""

import json
import os
import re
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from interop.tools import PIN, Programs
from support.secure_world import running_daemon

RECIPE = Path(__file__).parents[2] / "docs" / "recipes" / "attestation.md"
ROOT, STATEMENT, WITH_SOFTEE, WITH_OPENSSL, OWN_CA = re.findall(r"```sh\n(.*?)```", RECIPE.read_text(), re.DOTALL)


def as_user(programs: Programs) -> Programs:
    """Return the programs as a shell finds them, with ``softee`` and the PIN."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return replace(programs, variables={"SOFTEE_PIN": PIN, "PATH": path, "COLUMNS": "200"})


def shell(programs: Programs, script: str, *, fails: bool = False) -> str:
    return as_user(programs).run("sh", "-ec", script, fails=fails)


@pytest.fixture
def owner(programs: Programs) -> Programs:
    """A token "mytoken" with a key "mykey"."""
    programs.init_token()
    programs.generate("EC:prime256v1", "mykey")
    return programs


def test_the_recipe_proves_where_a_key_comes_from_with_softee_and_with_openssl(owner: Programs) -> None:
    shell(owner, ROOT)
    shell(owner, STATEMENT)
    assert "made on this token" in shell(owner, WITH_SOFTEE)
    shown = shell(owner, WITH_OPENSSL)
    assert "key.pem: OK" in shown
    owner.p11_in("--read-object", "--type", "pubkey", "--label", "mykey", "--output-file", "pub.der")
    assert owner.run("openssl", "pkey", "-pubin", "-inform", "DER", "-in", "pub.der") in shown
    said = json.loads(shown[shown.index("{") :])
    assert said["key"]["CKA_LOCAL"] is said["key"]["CKA_NEVER_EXTRACTABLE"] is True
    assert said["token"]["label"] == "mytoken"


@pytest.mark.parametrize("key_type", ["rsa:2048", "EC:secp521r1", "EC:edwards25519"])
def test_openssl_verifies_statements_of_keys_of_other_types(owner: Programs, key_type: str) -> None:
    owner.generate(key_type, "another")
    shell(owner, ROOT)
    shell(owner, STATEMENT.replace("mykey", "another"))
    assert "key.pem: OK" in shell(owner, WITH_OPENSSL)


def test_openssl_and_softee_refuse_a_statement_below_another_root(owner: Programs) -> None:
    shell(owner, STATEMENT)
    shell(owner, "openssl req -x509 -newkey rsa:2048 -nodes -keyout other.key -out root.pem -subj /CN=other")
    assert "key.pem: OK" not in shell(owner, WITH_OPENSSL, fails=True)
    assert "does not hold" in shell(owner, WITH_SOFTEE, fails=True)


def test_a_ca_of_the_operator_s_takes_the_root_s_place(module: Path, tmp_path: Path) -> None:
    with running_daemon(tmp_path) as daemon:
        programs = Programs(module, daemon.socket, tmp_path)
        programs.init_token()
        programs.generate("EC:prime256v1", "mykey")
        shell(programs, OWN_CA)
        shell(programs, ROOT)
        programs.run("mv", "root.pem", "old.pem")
    with running_daemon(tmp_path, settings=f'[attestation]\nchain = "{tmp_path}/attestation.pem"\n') as daemon:
        programs = Programs(module, daemon.socket, tmp_path)
        shell(programs, STATEMENT)
        programs.run("cp", "ca.pem", "root.pem")
        assert "CN=Attestation of Example Ltd" in shell(programs, WITH_SOFTEE)
        assert "key.pem: OK" in shell(programs, WITH_OPENSSL)
        programs.run("mv", "old.pem", "root.pem")
        assert "key.pem: OK" in shell(programs, WITH_OPENSSL), "it is the same key"


def test_a_chain_that_is_not_the_key_s_keeps_the_daemon_from_starting(module: Path, tmp_path: Path) -> None:
    with running_daemon(tmp_path) as daemon:
        shell(Programs(module, daemon.socket, tmp_path), OWN_CA)
    settings = f'[attestation]\nchain = "{tmp_path}/ca.pem"\n'
    with pytest.raises(AssertionError, match=r"ca\.pem cannot be used: its first certificate is not that of"):  # noqa: SIM117 - it does not start
        with running_daemon(tmp_path, settings=settings):
            pass
