# SPDX-License-Identifier: Apache-2.0
"""The demo's interpreter: every way in which a step can fail is told, with what was expected and what came."""

import datetime as dt
import sys
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from softee.cli.demo import checks
from softee.cli.demo.mechanisms import DOCUMENTED, Listed
from softee.cli.demo.runner import Runner
from softee.cli.demo.stage import Stage
from softee.cli.demo.step import Answer, CheckFailedError, DemoStep, Outcome
from softee.cli.demo.walkthrough import STEPS

PATH = {"PATH": "/usr/bin:/bin"}


def answer(output: str, *, status: int = 0, directory: Path = Path("/nonexistent")) -> Answer:
    return Answer(status, output, directory, {})


def run(directory: Path, *steps: DemoStep) -> list[Outcome]:
    with Runner(Stage(directory, PATH, Path("/no/module.so"), directory / "conf")) as runner:
        return [runner.run(step) for step in steps]


def test_a_step_passes_when_all_its_checks_hold(tmp_path: Path) -> None:
    (outcome,) = run(tmp_path, DemoStep("echo", "echo one two", (checks.exits(0), checks.says("one  two"))))
    assert outcome.passed
    assert outcome.output == "one two\n"


def test_a_step_with_a_wrong_answer_says_what_was_expected_and_what_came(tmp_path: Path) -> None:
    (outcome,) = run(tmp_path, DemoStep("echo", "echo one", (checks.says("two"),)))
    assert outcome.failure
    assert "two" in outcome.failure.expected
    assert "one" in outcome.failure.got


def test_a_step_with_a_wrong_status_fails(tmp_path: Path) -> None:
    (outcome,) = run(tmp_path, DemoStep("false", "false", (checks.exits(0),)))
    assert not outcome.passed


def test_a_step_that_needs_a_fact_of_a_failed_step_fails_too(tmp_path: Path) -> None:
    outcomes = run(
        tmp_path,
        DemoStep("learn", "echo nothing", (checks.remembers("port", r"^ACCEPT (\d+)$"),)),
        DemoStep("use", "echo {port}", (checks.exits(0),)),
    )
    assert [outcome.passed for outcome in outcomes] == [False, False]


def test_facts_reach_later_steps(tmp_path: Path) -> None:
    outcomes = run(
        tmp_path,
        DemoStep("learn", "echo ACCEPT 4711", (checks.remembers("port", r"^ACCEPT (\d+)$"),)),
        DemoStep("use", "echo got {port}", (checks.says("got 4711"),)),
    )
    assert all(outcome.passed for outcome in outcomes)


def test_servers_stay_for_later_steps_and_end_with_the_walkthrough(tmp_path: Path) -> None:
    server = f"{sys.executable} -c \"import os; print('pid', os.getpid()); print('ready', flush=True); input()\""
    outcomes = run(
        tmp_path,
        DemoStep("start", server, (checks.remembers("pid", r"^pid (\d+)$"),), ready="ready"),
        DemoStep("look", "test -d /proc/{pid}", (checks.exits(0),)),
    )
    assert all(outcome.passed for outcome in outcomes)
    pid = outcomes[0].output.split()[1]
    assert not Path(f"/proc/{pid}").exists()


def test_a_server_that_ends_before_it_is_ready_fails_its_step(tmp_path: Path) -> None:
    (outcome,) = run(tmp_path, DemoStep("start", "echo broken", (checks.says("ready"),), ready="ready"))
    assert not outcome.passed


def test_as_many_lines_alike_are_wanted_as_are_said() -> None:
    check = checks.says_times(2, r"^Slot \d: (.*)$")
    check(answer("Slot 0: same\nSlot 1: same\n"))
    for output in ("Slot 0: same\n", "Slot 0: same\nSlot 1: other\n", "Slot 0: a\nSlot 1: a\nSlot 2: a\n"):
        with pytest.raises(CheckFailedError):
            check(answer(output))


def test_a_refusal_is_wanted_where_one_belongs() -> None:
    checks.fails(answer("", status=56))
    with pytest.raises(CheckFailedError):
        checks.fails(answer("", status=0))


def as_printed(mechanism: Listed) -> str:
    sizes = f", keySize={{{mechanism.sizes[0]},{mechanism.sizes[1]}}}" if mechanism.sizes else ""
    return "  " + ", ".join([f"{mechanism.name}{sizes}", *sorted(mechanism.functions)])


def test_the_documentation_lists_49_mechanisms_once_each() -> None:
    assert len(DOCUMENTED) == len({mechanism.name for mechanism in DOCUMENTED}) == 49


@pytest.mark.parametrize("left_out", DOCUMENTED, ids=lambda mechanism: mechanism.name)
def test_every_mechanism_that_is_left_out_is_missed(left_out: Listed) -> None:
    lines = [as_printed(mechanism) for mechanism in DOCUMENTED]
    checks.lists_documented_mechanisms(answer("\n".join(["Supported mechanisms:", *lines])))
    lines.remove(as_printed(left_out))
    with pytest.raises(CheckFailedError, match=left_out.name):
        checks.lists_documented_mechanisms(answer("\n".join(lines)))


def test_a_mechanism_with_a_function_less_or_other_sizes_is_missed() -> None:
    wanted = Listed("AES-CBC", (16, 32), frozenset({"encrypt", "wrap"}))
    assert wanted.is_offered_by(Listed("AES-CBC", (16, 32), frozenset({"encrypt", "wrap", "unwrap"})))
    assert not wanted.is_offered_by(Listed("AES-CBC", (16, 32), frozenset({"encrypt"})))
    assert not wanted.is_offered_by(Listed("AES-CBC", (16, 24), frozenset({"encrypt", "wrap"})))


def self_signed(key: ec.EllipticCurvePrivateKey, signer: ec.EllipticCurvePrivateKey) -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "My CSR")])
    now = dt.datetime.now(dt.UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + dt.timedelta(1))
    return builder.sign(signer, SHA256()).public_bytes(Encoding.PEM)


def ec_point(key: ec.EllipticCurvePrivateKey) -> str:
    return "0441" + key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint).hex()


def test_a_certificate_must_be_of_the_tokens_key_and_signed_by_it(tmp_path: Path) -> None:
    key, other = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    check = checks.certificate_is_signed_by_the_token("cert.pem")
    given = Answer(0, "", tmp_path, {"point": ec_point(key)})
    (tmp_path / "cert.pem").write_bytes(self_signed(key, key))
    check(given)
    for wrong in (self_signed(other, other), self_signed(key, other)):
        (tmp_path / "cert.pem").write_bytes(wrong)
        with pytest.raises(CheckFailedError):
            check(given)


def test_a_request_must_be_of_the_tokens_key(tmp_path: Path) -> None:
    key, other = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "My CSR")])
    request = x509.CertificateSigningRequestBuilder(name).sign(key, SHA256())
    (tmp_path / "csr.pem").write_bytes(request.public_bytes(Encoding.PEM))
    check = checks.request_is_signed_by_the_token("csr.pem")
    check(Answer(0, "", tmp_path, {"point": ec_point(key)}))
    with pytest.raises(CheckFailedError):
        check(Answer(0, "", tmp_path, {"point": ec_point(other)}))


def test_steps_have_names_of_their_own_and_checks() -> None:
    assert len({step.name for step in STEPS}) == len(STEPS)
    assert all(step.checks for step in STEPS)
