# SPDX-License-Identifier: Apache-2.0
"""What somebody would try to have a key attested as it is not, or to have a forged statement believed."""

from base64 import encodebytes
from datetime import datetime, timedelta

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtensionOID

from softee.cli.failure import CliError
from softee.cli.key.verification import Attestation, require_nonce, require_true, verified
from softee.names import CKA, CKK, CKM, CKO, CKR, CKU
from softee.pkcs11_ta.attestation.attester import VAULT
from softee.pkcs11_ta.attestation.evidence import EXTENSION, encode
from softee.pkcs11_ta.token.profiles import OPTEE, PORTABLE
from softee.stores.memory import MemoryStore
from support.attestations import (
    CA,
    NONCE,
    as_pem,
    attest,
    attestation_key,
    authority,
    certificates,
    chain_of,
    name_in,
    stated,
)
from support.commands import c
from support.object_calls import create, fresh_caller, search, wire
from support.stores import restore, snapshot
from support.token_world import NOW, SO_PIN, Caller, make_application, template

LATER = NOW + timedelta(days=1)
SIGNED_NONE = "the root has signed none of its certificates"


@pytest.fixture
def caller() -> Caller:
    return Caller(make_application(policy=PORTABLE))


@pytest.fixture
def session(caller: Caller) -> int:
    return caller.set_up()


@pytest.fixture
def statement(caller: Caller, session: int) -> bytes:
    return attest(caller, session, caller.ec_pair(session)[1])


def check(statement: bytes, root: bytes, now: datetime = LATER) -> Attestation:
    return verified(statement, root, now)


def assert_refused(statement: bytes, root: bytes, why: str, now: datetime = LATER) -> None:
    with pytest.raises(CliError, match=why):
        check(statement, root, now)


def test_a_statement_holds_below_its_root(caller: Caller, statement: bytes) -> None:
    assert check(statement, chain_of(caller)).statement.nonce == NONCE


def test_a_statement_with_another_attribute_is_not_the_installation_s(caller: Caller, statement: bytes) -> None:
    leaf, *above = certificates(statement)
    said = stated(statement)
    forged = msgspec.structs.replace(said, key=said.key | {"CKA_LOCAL": False})
    assert_refused(as_pem(signed_by_somebody(leaf, encode(forged)), *above), chain_of(caller), SIGNED_NONE)


def test_a_byte_that_changes_anywhere_in_the_certificate_is_noticed(caller: Caller, statement: bytes) -> None:
    """Of what is signed and of the signature; the byte between says how many bits of the last one do not count.

    A library may take it for one where that bit is zero: signature and statement are the same then.
    """
    leaf, *above = certificates(statement)
    der, root = leaf.public_bytes(Encoding.DER), chain_of(caller)
    between = len(der) - len(leaf.signature) - 1
    for at in (*range(between), *range(between + 1, len(der))):
        changed = der[:at] + bytes([der[at] ^ 1]) + der[at + 1 :]
        pem = b"-----BEGIN CERTIFICATE-----\n" + encodebytes(changed) + b"-----END CERTIFICATE-----\n" + as_pem(*above)
        with pytest.raises(CliError):
            check(pem, root)


def signed_by_somebody(leaf: x509.Certificate, extension: bytes) -> x509.Certificate:
    """Return a certificate of the same names and the same key with another statement."""
    return issued(leaf, extension, ec.generate_private_key(ec.SECP256R1()), leaf.issuer)


def issued(
    leaf: x509.Certificate, extension: bytes, key: ec.EllipticCurvePrivateKey, issuer: x509.Name
) -> x509.Certificate:
    builder = x509.CertificateBuilder(
        issuer, leaf.subject, leaf.public_key(), 1, leaf.not_valid_before_utc, leaf.not_valid_after_utc
    )
    builder = builder.add_extension(x509.UnrecognizedExtension(EXTENSION, extension), critical=False)
    return builder.sign(key, SHA256())


def test_a_root_of_the_same_name_and_another_key_is_another_root(caller: Caller, statement: bytes) -> None:
    (root,) = certificates(chain_of(caller))
    forged = authority(name_in(root))
    assert_refused(statement, as_pem(forged.certificate), SIGNED_NONE)
    assert_refused(as_pem(certificates(statement)[0]), as_pem(forged.certificate), SIGNED_NONE)


def test_of_two_roots_of_one_name_the_right_one_is_taken(caller: Caller, statement: bytes) -> None:
    (root,) = certificates(chain_of(caller))
    renewed = authority(name_in(root))
    leaf = certificates(statement)[0]
    assert check(as_pem(leaf), as_pem(renewed.certificate, root)).path[-1] == root


def test_a_statement_of_another_installation_does_not_lead_to_the_root(statement: bytes) -> None:
    other = Caller(make_application(policy=PORTABLE))
    assert_refused(statement, chain_of(other), SIGNED_NONE)


def test_a_certificate_in_between_that_signed_nothing_is_noticed(statement: bytes) -> None:
    leaf, _ = certificates(statement)
    root = authority()
    stranger = root.issue(ec.generate_private_key(ec.SECP256R1()).public_key(), name_in(root.certificate), (CA, True))
    assert_refused(as_pem(leaf, stranger), as_pem(root.certificate), "was not signed by")


def test_who_trusts_the_key_s_own_certificate_goes_on_to_when_a_ca_certifies_it(caller: Caller, session: int) -> None:
    old, root = chain_of(caller), authority()
    (own,) = certificates(old)
    caller.application.attester.install(as_pem(root.issue(attestation_key(caller), name_in(own), (CA, True))))
    statement = attest(caller, session, caller.ec_pair(session)[1])
    for trusted in (old, as_pem(root.certificate)):
        assert check(statement, trusted).path[-1] == certificates(trusted)[0]


def test_an_attested_key_attests_no_other(caller: Caller, session: int) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    own = create(caller, session, "EC private key", VALUE=key.private_numbers().private_value.to_bytes(32, "big"))
    root, alone = authority(), chain_of(caller)
    any_length = root.issue(attestation_key(caller), "attesting", (CA, True))
    for trusted, why in ((alone, "allows a path of 0 CAs below it, not of 1"), (None, "is not a CA's certificate")):
        if trusted is None:
            caller.application.attester.install(as_pem(any_length))
        statement = attest(caller, session, own)
        leaf, *above = certificates(statement)
        forged = issued(leaf, encode(stated(statement)), key, leaf.subject)
        assert_refused(as_pem(forged, leaf, *above), trusted or as_pem(root.certificate), why)


def test_a_root_states_nothing_of_itself(caller: Caller) -> None:
    root = authority()
    assert_refused(as_pem(root.certificate), as_pem(root.certificate), SIGNED_NONE)
    below = root.issue(ec.generate_private_key(ec.SECP256R1()).public_key(), "a server")
    assert_refused(as_pem(below), as_pem(root.certificate), "has no statement")
    assert_refused(chain_of(caller), chain_of(caller), SIGNED_NONE)


def test_another_nonce_or_none_is_not_what_was_asked_for(caller: Caller, session: int, statement: bytes) -> None:
    root = chain_of(caller)
    require_nonce(check(statement, root), NONCE)
    with pytest.raises(CliError, match="another nonce"):
        require_nonce(check(statement, root), NONCE[::-1])
    without = attest(caller, session, caller.ec_pair(session)[1], b"")
    with pytest.raises(CliError, match="without a nonce"):
        require_nonce(check(without, root), NONCE)


def test_an_attribute_that_must_be_true_is_stated_and_is(caller: Caller, statement: bytes) -> None:
    attestation = check(statement, chain_of(caller))
    require_true(attestation, ["CKA_LOCAL", "CKA_NEVER_EXTRACTABLE"])
    for name in ("CKA_EXTRACTABLE", "CKA_LABEL"):
        with pytest.raises(CliError, match=f"{name} of the key is not true"):
            require_true(attestation, [name])
    with pytest.raises(CliError, match="says nothing of CKA_TRUSTED"):
        require_true(attestation, ["CKA_TRUSTED"])


@pytest.mark.parametrize("size", [1, 7, 65, 4096])
def test_a_nonce_that_is_none_is_refused(caller: Caller, session: int, size: int) -> None:
    _, private = caller.ec_pair(session)
    assert caller.call(c.ATTEST_KEY, session, private, bytes(size)).rv is CKR.ARGUMENTS_BAD


def test_only_private_keys_are_attested(caller: Caller, session: int) -> None:
    public, _ = caller.ec_pair(session)
    for handle in (public, caller.aes_key(session)):
        assert caller.call(c.ATTEST_KEY, session, handle, NONCE).rv is CKR.KEY_TYPE_INCONSISTENT
    for handle in (create(caller, session), create(caller, session, "X.509 certificate"), 0, 0x7FFFFFFF):
        assert caller.call(c.ATTEST_KEY, session, handle, NONCE).rv is CKR.KEY_HANDLE_INVALID


def test_a_private_key_is_attested_to_its_user_alone(caller: Caller, session: int) -> None:
    _, private = caller.ec_pair(session, (CKA.TOKEN, True))
    assert caller.logout(session) is CKR.OK
    assert caller.call(c.ATTEST_KEY, session, private, NONCE).rv is CKR.KEY_HANDLE_INVALID
    assert caller.login(session, CKU.SO, SO_PIN) is CKR.OK
    assert caller.call(c.ATTEST_KEY, session, private, NONCE).rv is CKR.KEY_HANDLE_INVALID
    assert caller.logout(session) is CKR.OK
    assert caller.login(session) is CKR.OK
    assert caller.call(c.ATTEST_KEY, session, private, NONCE).rv is CKR.KEY_HANDLE_INVALID, "a handle of before"


def test_another_client_s_session_object_is_not_attested(caller: Caller, session: int) -> None:
    _, private = caller.ec_pair(session)
    other = Caller(caller.application)
    theirs = other.open()
    assert other.login(theirs) is CKR.OK
    assert other.call(c.ATTEST_KEY, theirs, private, NONCE).rv is CKR.KEY_HANDLE_INVALID


def test_a_key_from_elsewhere_is_never_stated_to_be_made_here(caller: Caller, session: int) -> None:
    claimed = ((CKA.LOCAL, True), (CKA.NEVER_EXTRACTABLE, True), (CKA.ALWAYS_SENSITIVE, True))
    for attribute in claimed:
        answer = caller.call(c.CREATE_OBJECT, session, (*wire("EC private key"), *template(attribute)))
        assert answer.rv is CKR.TEMPLATE_INCONSISTENT
    imported = create(caller, session, "EC private key", EXTRACTABLE=False, SENSITIVE=True)
    copied = caller.ok(c.COPY_OBJECT, session, imported, template((CKA.LABEL, b"copy"))).handle
    for handle in (imported, copied, unwrapped(caller, session)):
        key = stated(attest(caller, session, handle)).key
        assert key["CKA_LOCAL"] is key["CKA_NEVER_EXTRACTABLE"] is key["CKA_ALWAYS_SENSITIVE"] is False


def unwrapped(caller: Caller, session: int) -> int:
    """Have a key wrapped and unwrapped again, and return its new handle."""
    _, private = caller.ec_pair(session, (CKA.EXTRACTABLE, True))
    wrapping = caller.aes_key(session, (CKA.WRAP, True), (CKA.UNWRAP, True))
    wrapped = caller.ok(c.WRAP_KEY, session, wrapping, private, CKM.AES_KEY_WRAP_KWP, b"").output
    wanted = template((CKA.CLASS, CKO.PRIVATE_KEY), (CKA.KEY_TYPE, CKK.EC))
    return caller.ok(c.UNWRAP_KEY, session, wrapping, CKM.AES_KEY_WRAP_KWP, b"", wanted, data=wrapped).handle


def test_a_key_that_once_was_extractable_is_stated_to_have_been(caller: Caller, session: int) -> None:
    _, private = caller.ec_pair(session, (CKA.EXTRACTABLE, True))
    caller.ok(c.SET_ATTRIBUTE_VALUE, session, private, template((CKA.EXTRACTABLE, False)))
    key = stated(attest(caller, session, private)).key
    assert key["CKA_EXTRACTABLE"] is key["CKA_NEVER_EXTRACTABLE"] is False


def test_a_label_adds_no_claim(caller: Caller, session: int) -> None:
    label = b'x", "CKA_LOCAL": true, "y": "\x1b[31m\n\xff'
    handle = create(caller, session, "EC private key", LABEL=label)
    said = stated(attest(caller, session, handle))
    assert said.key["CKA_LABEL"] == label.decode(errors="replace")
    assert said.key["CKA_LOCAL"] is False


def test_a_token_as_a_board_s_attests_nothing() -> None:
    caller, session = fresh_caller(policy=OPTEE)
    _, private = caller.ec_pair(session)
    assert caller.call(c.ATTEST_KEY, session, private, NONCE).rv is CKR.FUNCTION_NOT_SUPPORTED


def test_the_attestation_key_is_no_object_of_any_token(caller: Caller, session: int, statement: bytes) -> None:
    assert statement
    assert search(caller, session, template((CKA.CLASS, CKO.PRIVATE_KEY), (CKA.TOKEN, True))) == []


def test_a_statement_that_does_not_fit_asks_for_enough_room(caller: Caller, session: int) -> None:
    _, private = caller.ec_pair(session)
    answer = caller.call(c.ATTEST_KEY, session, private, NONCE, capacity=100)
    assert answer.rv is CKR.BUFFER_TOO_SMALL
    for _ in range(20):
        assert caller.call(c.ATTEST_KEY, session, private, NONCE, capacity=answer.size).rv is CKR.OK
    request = caller.call(c.ATTESTATION_REQUEST, 0, capacity=0)
    for _ in range(20):
        assert caller.call(c.ATTESTATION_REQUEST, 0, capacity=request.size).rv is CKR.OK


def test_a_damaged_attestation_key_hurts_no_token() -> None:
    store = MemoryStore()
    caller = Caller(make_application(store, policy=PORTABLE))
    session = caller.set_up()
    chain_of(caller)
    for key in [key for key in snapshot(store) if VAULT.encode() in key]:
        records = snapshot(store)
        restore(store, records | {key: records[key][:-1] + bytes([records[key][-1] ^ 1])})
        again = Caller(make_application(store, policy=PORTABLE))
        session = again.open()
        assert again.call(c.ATTESTATION_CHAIN, 0).rv is CKR.DEVICE_ERROR
        assert again.login(session) is CKR.OK
        restore(store, records)


def test_a_certificate_that_is_not_valid_now_proves_nothing(caller: Caller, statement: bytes) -> None:
    assert_refused(statement, chain_of(caller), "is not valid before", NOW - timedelta(seconds=1))
    root = authority()
    key = ec.generate_private_key(ec.SECP256R1())
    leaf = certificates(statement)[0]
    attesting = root.issue(key.public_key(), "attesting", (CA, True), end=NOW + timedelta(hours=1))
    long = issued(leaf, encode(stated(statement)), key, attesting.subject)
    assert check(as_pem(long, attesting), as_pem(root.certificate), NOW).path[-1] == root.certificate
    assert_refused(as_pem(long, attesting), as_pem(root.certificate), "was valid until")


def test_a_certificate_whose_parts_do_not_decode_proves_nothing(caller: Caller, statement: bytes) -> None:
    root, key = authority(), ec.generate_private_key(ec.SECP256R1())
    broken = x509.UnrecognizedExtension(ExtensionOID.BASIC_CONSTRAINTS, b"\x30\x03\x01")
    above = root.issue(key.public_key(), "attesting", (broken, True))
    leaf = issued(certificates(statement)[0], encode(stated(statement)), key, above.subject)
    assert_refused(as_pem(leaf, above), as_pem(root.certificate), "a part of a certificate does not decode")
    assert_refused(as_pem(leaf, above), chain_of(caller), SIGNED_NONE)


def test_what_is_no_certificate_is_told() -> None:
    assert_refused(b"", b"", "The attestation does not decode")
    root = as_pem(authority().certificate)
    assert_refused(root, b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "The root does not decode")
    assert_refused(root * 17, root, "more than 16")
