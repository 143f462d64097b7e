# SPDX-License-Identifier: Apache-2.0
"""What the demo asks the token itself: each check fails on a token that is not as the walkthrough leaves it."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from interop.tools import Programs
from softee.cli.demo import token
from softee.cli.demo.mechanisms import DOCUMENTED
from softee.cli.demo.step import Answer, Check, CheckFailedError
from softee.cli.demo.walkthrough import READY
from support.secure_world import RunningDaemon, running_daemon


@pytest.fixture
def programs(module: Path, tmp_path: Path) -> Iterator[Programs]:
    """Programs with tokens that are like a board's, as the walkthrough's is."""
    with running_daemon(tmp_path, options=("--profile", "optee")) as board:
        yield Programs(module, board.socket, tmp_path)


def judge(programs: Programs, check: Check, output: str = "") -> None:
    check(Answer(0, output, programs.directory, programs.socket, {}))


def refuses(programs: Programs, check: Check, output: str = "") -> None:
    with pytest.raises(CheckFailedError):
        judge(programs, check, output)


def test_the_tokens_and_their_flags(programs: Programs) -> None:
    judge(programs, token.has_tokens(None, None, None))
    refuses(programs, token.has_tokens("mytoken", None, None))
    refuses(programs, token.has_flags(READY))
    programs.init_token()
    judge(programs, token.has_tokens("mytoken", None, None))
    judge(programs, token.has_flags(READY))
    refuses(programs, token.has_tokens("other", None, None))
    refuses(programs, token.has_tokens("mytoken", None))
    programs.p11("--login", "--pin", "54321", "--list-objects", fails=True)
    refuses(programs, token.has_flags(READY))


def test_the_key_pair_is_one_that_was_made_there(programs: Programs) -> None:
    programs.init_token()
    refuses(programs, token.holds_the_key_pair)
    programs.generate("EC:secp384r1", "mykey")
    refuses(programs, token.holds_the_key_pair)
    programs.generate("EC:prime256v1", "other")
    refuses(programs, token.holds_the_key_pair)
    programs.generate("EC:prime256v1", "mykey")
    judge(programs, token.holds_the_key_pair)
    programs.generate("EC:prime256v1", "mykey")
    refuses(programs, token.holds_the_key_pair)


def test_a_key_that_came_from_outside_is_not_the_walkthroughs(programs: Programs) -> None:
    programs.init_token()
    programs.run("openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256",
                 "-outform", "DER", "-out", "key.der")  # fmt: skip
    programs.p11_in("--write-object", "key.der", "--type", "privkey", "--label", "mykey")
    refuses(programs, token.holds_the_key_pair)


def test_a_certificate_of_another_key_is_not_the_tokens(programs: Programs) -> None:
    programs.init_token()
    programs.generate("EC:prime256v1", "mykey")
    engine = ("-engine", "pkcs11", "-keyform", "engine", "-key", "label_mykey")
    programs.openssl("req", "-new", *engine, "-subj", "/CN=My CSR", "-out", "own.pem")
    judge(programs, token.holds_public_key_of("own.pem"))
    (programs.directory / "foreign.pem").write_bytes(foreign_certificate())
    refuses(programs, token.holds_public_key_of("foreign.pem"))


def foreign_certificate() -> bytes:
    key, now = ec.generate_private_key(ec.SECP256R1()), dt.datetime.now(dt.UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "My CSR")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + dt.timedelta(1))
    return builder.sign(key, SHA256()).public_bytes(Encoding.PEM)


def test_the_documented_mechanisms_are_offered_and_must_be_listed(programs: Programs) -> None:
    listed = programs.p11("--list-mechanisms")
    judge(programs, token.offers_documented_mechanisms, listed)
    refuses(programs, token.offers_documented_mechanisms, "\n".join(listed.splitlines()[: len(DOCUMENTED)]))


def test_a_secure_world_that_is_gone_fails_the_check(daemon: RunningDaemon, tmp_path: Path) -> None:
    daemon.kill()
    with pytest.raises(CheckFailedError, match="does not answer"):
        token.has_tokens(None, None, None)(Answer(0, "", tmp_path, daemon.socket, {}))
