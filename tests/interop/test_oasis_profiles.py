# SPDX-License-Identifier: Apache-2.0
"""Test cases in the grammar of the OASIS profiles pass; a token says that it has a profile where its case passes alone.

The cases of ``oasis/cases`` are our own. SOFTEE_OASIS names a directory with others: the official ones, which stand in
https://docs.oasis-open.org/pkcs11/pkcs11-profiles/v3.2/os/test-cases/pkcs11-v3.2/mandatory/.
"""

import datetime as dt
import os
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from interop.oasis.document import Step, read_case
from interop.oasis.runner import Run, run
from interop.oasis.signatures import check_signatures
from interop.oasis.values import Value
from interop.tools import PIN, Programs, copied_module
from softee.names import CKP
from softee.pkcs11_ta.token.presented import profiles_of
from softee.pkcs11_ta.token.profiles import PROFILES
from support.cryptoki import Module
from support.secure_world import running_daemon

OASIS = Path(__file__).parent / "oasis"
OURS = sorted((OASIS / "cases").glob("*.xml"))
OTHERS = sorted(Path(os.environ["SOFTEE_OASIS"]).glob("*.xml")) if "SOFTEE_OASIS" in os.environ else []
NAMED = {
    CKP.BASELINE_PROVIDER: "baseline.xml",
    CKP.EXTENDED_PROVIDER: "extended.xml",
    CKP.AUTHENTICATION_TOKEN: "authentication.xml",
    CKP.PUBLIC_CERTIFICATES_TOKEN: "certificates.xml",
}
ROOTS = "Mozilla Builtin Roots\0"
"""The label that the official case of the last one reads, with the zero byte that its length counts."""

Runner = Callable[[Path], Run]


def own_certificate() -> bytes:
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a test")])
    start = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    about = x509.CertificateBuilder(name, name, key.public_key(), 1, start, start + dt.timedelta(days=1))
    return about.sign(key, SHA256()).public_bytes(Encoding.DER)


def certificate_in(steps: Iterable[Step]) -> bytes | None:
    """Return the certificate that a test case reads: it must be on the token, for the case knows its size."""
    templates = [template for step in steps if (template := step.response.child("Template")) is not None]
    values = [one.facets.get("value", "") for template in templates for one in template.children if one.type == "VALUE"]
    return next((bytes.fromhex(value) for value in values if value.startswith("3082")), None)


def known(certificate: bytes) -> dict[str, Value]:
    parsed = x509.load_der_x509_certificate(certificate)
    return {
        "Pin": PIN,
        "Roots": ROOTS,
        "Certificate": certificate,
        "Certificate.Subject": parsed.subject.public_bytes(),
        "Certificate.Issuer": parsed.issuer.public_bytes(),
    }


@pytest.fixture
def runner(module: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Runner:
    """Runs a case with a token of its own, which has what the cases read; in the profile that the test names."""
    profile = getattr(request, "param", "portable")

    def run_case(path: Path) -> Run:
        steps = read_case(path)
        certificate = certificate_in(steps) or own_certificate()
        directory = tmp_path / path.stem
        directory.mkdir()
        with running_daemon(directory, options=("--profile", profile)) as daemon:
            Programs(module, daemon.socket, directory).init_token()
            monkeypatch.setenv("SOFTEE_SOCKET", str(daemon.socket))
            loaded = Module(copied_module(module, directory), (3, 2), initialized=False)
            prepared = run(read_case(OASIS / "prepared.xml"), loaded, known(certificate))
            assert prepared.failures == []
            return run(steps, loaded, {"Pin": PIN})

    return run_case


@pytest.mark.parametrize("path", [*OURS, *OTHERS], ids=lambda path: path.stem)
def test_a_case_of_the_profiles_passes(runner: Runner, path: Path) -> None:
    done = runner(path)
    assert done.failures == []
    assert check_signatures(done) == sum(one.function == "C_Sign" and signs(one) for one in read_case(path))


def signs(step: Step) -> bool:
    signature = step.response.child("Signature")
    return signature is not None and "value" in signature.facets


@pytest.mark.parametrize("runner", ["portable", "strict"], indirect=True)
@pytest.mark.parametrize("profile", NAMED, ids=lambda profile: profile.name)
def test_a_token_has_a_profile_exactly_where_its_case_passes(
    runner: Runner, profile: CKP, request: pytest.FixtureRequest
) -> None:
    policy = PROFILES[request.node.callspec.params["runner"]]
    passes = runner(OASIS / "cases" / NAMED[profile]).failures == []
    assert passes is (profile in profiles_of(policy))
