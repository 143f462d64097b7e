# SPDX-License-Identifier: Apache-2.0
"""The attestation key and its chain, what a statement may hold, and which certificates belong together."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import msgspec
import pytest
from Crypto.Util.asn1 import DerObject
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtensionOID

from softee.names import CKR
from softee.pkcs11_ta.attestation import evidence
from softee.pkcs11_ta.attestation.attester import VAULT
from softee.pkcs11_ta.attestation.chain import ChainError
from softee.pkcs11_ta.attestation.evidence import PROFILE, Evidence, EvidenceError, TokenClaims, base64url
from softee.pkcs11_ta.token.profiles import PORTABLE
from softee.stores.memory import MemoryStore
from support.attestations import (
    CA,
    NONCE,
    Authority,
    as_pem,
    attest,
    attestation_key,
    authority,
    certificates,
    chain_of,
    request_of,
    stated,
)
from support.commands import c
from support.token_world import NOW, Caller, make_application

CLAIMS = Evidence(
    eat_profile=PROFILE,
    iat=1,
    swname="softee",
    swversion=("1",),
    token=TokenClaims("label", "serial"),
    key={"CKA_LOCAL": True},
)


@pytest.fixture
def caller() -> Caller:
    return Caller(make_application(policy=PORTABLE))


def test_the_key_is_made_once_and_stays_the_installation_s() -> None:
    store = MemoryStore()
    with ThreadPoolExecutor(4) as threads:
        application = make_application(store)
        chains = set(threads.map(lambda _: chain_of(Caller(application)), range(8)))
    assert chains == {chain_of(Caller(make_application(store)))}
    assert chain_of(Caller(make_application())) not in chains


def test_nothing_is_stored_before_the_key_is_needed() -> None:
    store = MemoryStore()
    caller = Caller(make_application(store))
    caller.set_up()
    vault = caller.application.attester._storage.vault(VAULT)
    assert (vault.head, dict(vault.entries)) == (b"", {})


def test_the_certificate_of_the_key_s_own_is_a_root_for_one_step(caller: Caller) -> None:
    (root,) = certificates(chain_of(caller))
    root.verify_directly_issued_by(root)
    assert isinstance(root.public_key(), ec.EllipticCurvePublicKey)
    constraints = root.extensions.get_extension_for_class(x509.BasicConstraints)
    assert (constraints.critical, constraints.value) == (True, x509.BasicConstraints(ca=True, path_length=0))
    usage = root.extensions.get_extension_for_class(x509.KeyUsage)
    assert (usage.critical, usage.value.key_cert_sign, usage.value.digital_signature) == (True, True, False)
    assert root.not_valid_before_utc == NOW
    assert root.not_valid_after_utc.year == 9999


def test_the_request_is_the_key_s_and_asks_for_the_same(caller: Caller) -> None:
    request, (root,) = request_of(caller), certificates(chain_of(caller))
    assert request.is_signature_valid
    assert request.public_key() == root.public_key()
    assert request.subject == root.subject
    for extension in request.extensions:
        assert extension == root.extensions.get_extension_for_oid(extension.oid)


def test_a_statement_says_who_when_and_of_which_token(caller: Caller) -> None:
    session = caller.set_up()
    said = stated(attest(caller, session, caller.ec_pair(session)[1]))
    assert (said.eat_profile, said.iat, said.swname, said.nonce) == (PROFILE, NOW.timestamp(), "softee", NONCE)
    assert said.token == TokenClaims("test", caller.application.slots.token(0).serial_number)


def test_a_statement_is_valid_as_long_as_its_issuer(caller: Caller) -> None:
    session = caller.set_up()
    leaf, above = certificates(attest(caller, session, caller.ec_pair(session)[1]))
    assert leaf.not_valid_before_utc == above.not_valid_before_utc
    assert leaf.not_valid_after_utc == above.not_valid_after_utc


def test_a_ca_s_chain_takes_the_place_of_the_key_s_own_certificate(caller: Caller) -> None:
    session = caller.set_up()
    root = authority()
    own = root.issue(attestation_key(caller), "attesting", (CA, True))
    caller.application.attester.install(as_pem(own, root.certificate))
    assert chain_of(caller) == as_pem(own, root.certificate)
    leaf, *above = certificates(attest(caller, session, caller.ec_pair(session)[1]))
    assert above == [own, root.certificate]
    leaf.verify_directly_issued_by(own)


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )


def test_an_issuer_that_says_what_its_key_is_for_says_that_it_signs_certificates(caller: Caller) -> None:
    root = authority()
    key = attestation_key(caller)
    caller.application.attester.install(as_pem(root.issue(key, "good", (CA, True), (_usage(signs=True), True))))
    bad = root.issue(key, "bad", (CA, True), (_usage(signs=False), True))
    assert_not_installed(caller, as_pem(bad), "may not sign certificates")


def test_a_chain_that_is_not_the_key_s_or_does_not_hang_together_is_refused(caller: Caller) -> None:
    root, other, key = authority(), authority("another root"), attestation_key(caller)
    own = root.issue(key, "attesting", (CA, True))
    assert_not_installed(caller, b"", "does not decode")
    assert_not_installed(caller, as_pem(root.certificate, own), "not that of this installation's attestation key")
    assert_not_installed(caller, as_pem(own, other.certificate), "was not signed by")
    assert_not_installed(caller, as_pem(root.issue(key, "no CA")), "is not a CA's certificate")
    no_ca = x509.BasicConstraints(ca=False, path_length=None)
    assert_not_installed(caller, as_pem(root.issue(key, "no CA", (no_ca, True))), "is not a CA's certificate")
    (kept,) = certificates(chain_of(caller))
    assert kept.issuer == kept.subject


def test_a_ca_that_allows_too_few_cas_below_it_does_not_certify_the_key(caller: Caller) -> None:
    key = attestation_key(caller)
    for length in range(3):
        root = authority(path_length=length)
        middle = ec.generate_private_key(ec.SECP256R1())
        between = Authority(middle, root.issue(middle.public_key(), "between", (CA, True)))
        direct = as_pem(root.issue(key, "attesting", (CA, True)), root.certificate)
        indirect = as_pem(between.issue(key, "attesting", (CA, True)), between.certificate, root.certificate)
        for chain, needed in ((direct, 1), (indirect, 2)):
            if length < needed:
                assert_not_installed(caller, chain, f"allows a path of {length} CAs below it, not of {needed}")
            else:
                caller.application.attester.install(chain)


def test_a_certificate_whose_extensions_do_not_decode_is_no_chain(caller: Caller) -> None:
    broken = x509.UnrecognizedExtension(ExtensionOID.BASIC_CONSTRAINTS, b"\x30\x03\x01")
    own = authority().issue(attestation_key(caller), "attesting", (broken, True))
    assert_not_installed(caller, as_pem(own), "does not decode")


def _pkcs8(key: ed25519.Ed25519PrivateKey) -> bytes:
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


@pytest.mark.parametrize("key", [None, b"", ed25519.Ed25519PrivateKey.generate()], ids=["gone", "empty", "another"])
def test_an_attestation_key_that_does_not_decode_is_taken_for_damaged(
    key: bytes | ed25519.Ed25519PrivateKey | None,
) -> None:
    store = MemoryStore()
    chain_of(Caller(make_application(store)))
    vault = make_application(store).attester._storage.vault(VAULT)
    change = vault.change()
    if key is None:
        change.remove(1)
    else:
        encoded = key if isinstance(key, bytes) else _pkcs8(key)
        change.replace(1, encoded, vault.key, 0, ())
    change.commit()
    assert Caller(make_application(store)).call(c.ATTESTATION_CHAIN, 0).rv is CKR.DEVICE_ERROR


def test_what_a_certificate_demands_and_nobody_here_understands_is_refused(caller: Caller) -> None:
    constraints = x509.NameConstraints(permitted_subtrees=[x509.DNSName("example.org")], excluded_subtrees=None)
    root = authority()
    own = root.issue(attestation_key(caller), "attesting", (CA, True), (constraints, True))
    assert_not_installed(caller, as_pem(own), r"critical extension that is not understood here: 2\.5\.29\.30")


def assert_not_installed(caller: Caller, pem: bytes, why: str) -> None:
    with pytest.raises(ChainError, match=why):
        caller.application.attester.install(pem)


def test_what_is_encoded_decodes_to_itself() -> None:
    assert evidence.decode(evidence.encode(CLAIMS)) == CLAIMS
    with_nonce = msgspec.structs.replace(CLAIMS, eat_nonce=base64url(NONCE))
    assert evidence.decode(evidence.encode(with_nonce)).nonce == NONCE


def wrapped(record: object, tag: int = 0x0C) -> bytes:
    return DerObject(tag, record if isinstance(record, bytes) else msgspec.json.encode(record)).encode()


def with_claims(**changes: object) -> bytes:
    """Return an extension with claims that are changed; None leaves one out."""
    claims = {name: value for name, value in (msgspec.to_builtins(CLAIMS) | changes).items() if value is not None}
    return wrapped(("application/eat-ucs+json", base64url(msgspec.json.encode(claims)), 4))


def test_claims_that_are_built_by_hand_are_softee_s() -> None:
    assert evidence.decode(with_claims()) == CLAIMS


@pytest.mark.parametrize(
    "extension",
    [
        b"",
        b"\x0c",
        b"\x0c\x82\xff",
        evidence.encode(CLAIMS) + b"\0",
        evidence.encode(CLAIMS)[:-1],
        wrapped(b"not JSON"),
        wrapped(b"\xff"),
        wrapped(["application/eat-ucs+json", "e30", 4], tag=0x04),
        wrapped({}),
        wrapped(["application/eat-ucs+json", "e30"]),
        wrapped(["application/eat-ucs+json", "e30", 4]),
        wrapped(["application/eat-ucs+json", "A", 4]),
        wrapped(["application/eat+jwt", base64url(msgspec.json.encode(CLAIMS)), 4]),
        with_claims(eat_profile="urn:uuid:00000000-0000-0000-0000-000000000000"),
        with_claims(eat_profile=None),
        with_claims(iat=-1),
        with_claims(iat=2**63),
        with_claims(iat="now"),
        with_claims(eat_nonce="A"),
        with_claims(key={"CKA_LOCAL": 1}),
        with_claims(key=None),
        with_claims(more=True),
    ],
)
def test_an_extension_that_is_no_statement_of_ours_is_refused(extension: bytes) -> None:
    with pytest.raises(EvidenceError, match="none of softee's"):
        evidence.decode(extension)


def test_times_are_those_of_the_clock(caller: Caller) -> None:
    caller.application.attester._clock = lambda: NOW + timedelta(days=3)
    session = caller.set_up()
    said = stated(attest(caller, session, caller.ec_pair(session)[1]))
    assert said.iat == (NOW + timedelta(days=3)).timestamp()
