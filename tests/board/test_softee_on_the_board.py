# SPDX-License-Identifier: Apache-2.0
"""Our libckteec on a board with the real OP-TEE, over the board's own libteec."""

from pathlib import Path

import pytest

from board import walkthrough, xtest
from board.arm64 import Ours
from board.machine import Board

ENGINE = "pkcs11.so"
PATHS = "export LD_LIBRARY_PATH=/payload"
P11 = 'p11() { pkcs11-tool --module /payload/libckteec.so.0 "$@"; }; export PATH=/payload:$PATH; touch openssl.cnf'


def test_optee_s_own_tests_pass_as_with_debian_s_library(board: Board, ours: Ours) -> None:
    (said,) = board.run(["xtest -t pkcs11"], ours.libckteec, before=PATHS)
    assert xtest.passed(said.output) | xtest.failed(said.output) == set(xtest.CASES), said.output[-2000:]
    bad = sorted(xtest.failed(said.output))
    if bad:
        (debian,) = board.run([f"xtest -t pkcs11 {' '.join(bad)}"])
        assert xtest.passed(debian.output) == set(), said.output


@pytest.fixture
def openssl(debian: Path) -> list[Path]:
    """What of Debian's the documentation's steps need that the board has not: OpenSSL and its engine."""
    return [debian / "usr" / "bin" / "openssl", debian / "usr" / "lib" / "aarch64-linux-gnu" / "engines-3" / ENGINE]


def with_id(command: str) -> str:
    """Give the key pair an ID: without one, Debian 13's engine does not find the public key of OP-TEE 4.5."""
    return f"{command} --id 01" if "--keypairgen" in command else command


def test_the_documentation_s_steps_pass(board: Board, ours: Ours, openssl: list[Path], tmp_path: Path) -> None:
    conf = tmp_path / walkthrough.CONF
    conf.write_text(walkthrough.openssl_conf(f"/payload/{ENGINE}", "/payload/libckteec.so.0"))
    files = walkthrough.written_files()
    commands = [with_id(walkthrough.shell_command(step)) for step in walkthrough.OFFLINE]
    said = board.run(
        [*commands, *(f"cat {name}" for name in files)],
        ours.libckteec,
        conf,
        *openssl,
        before=f"{PATHS} OPENSSL_CONF=/payload/openssl.cnf; {P11}",
    )
    for name, content in zip(files, said[len(walkthrough.OFFLINE) :], strict=True):
        (tmp_path / name).write_text(content.output)
    failures = [
        walkthrough.failure(step, one.status, one.output, tmp_path)
        for step, one in zip(walkthrough.OFFLINE, said, strict=False)
    ]
    assert [failure for failure in failures if failure] == []
