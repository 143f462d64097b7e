# SPDX-License-Identifier: Apache-2.0
"""C_WrapKey and C_UnwrapKey: what comes back is the key, and OP-TEE's own test gets OP-TEE's answers.

The rules are those of PKCS#11 3.2 §5.18.3, PKCS#11 3.2 §5.18.4.
"""

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from softee.names import CKA, CKK, CKM, CKO, CKR, CKU, TeeResult
from support.commands import c
from support.object_calls import Values, create, fresh_caller, generate, get, wire
from support.samples import IN_PKCS8, UNWRAPPED, as_template, sample
from support.samples.aes import AES_KEY
from support.token_world import SO_PIN, Answer, Attribute, Caller, template

AES: Values = ((CKA.CLASS, CKO.SECRET_KEY), (CKA.KEY_TYPE, CKK.AES), (CKA.EXTRACTABLE, True))
GENERIC: Values = ((CKA.CLASS, CKO.SECRET_KEY), (CKA.KEY_TYPE, CKK.GENERIC_SECRET))
WRAPS: Values = ((CKA.WRAP, True), (CKA.UNWRAP, True))
WRAPPER = bytes(range(16))
IV = bytes.fromhex("00112233445566778899aabbccddeeff")


@pytest.fixture(scope="module")
def caller() -> Caller:
    return fresh_caller()[0]


@pytest.fixture
def session(caller: Caller) -> int:
    return caller.open()


@pytest.fixture
def wrapper(caller: Caller, session: int) -> int:
    """Return an AES key whose value we know, that wraps and unwraps."""
    return create(caller, session, "AES key", VALUE=WRAPPER, WRAP=True, UNWRAP=True)


@pytest.fixture
def target(caller: Caller, session: int) -> int:
    """Return an extractable AES key whose value we know."""
    return create(caller, session, "AES key", EXTRACTABLE=True)


def wrap(caller: Caller, session: int, wrapping: int, key: int, capacity: int = 4096) -> Answer:
    return caller.call(c.WRAP_KEY, session, wrapping, key, CKM.AES_ECB, b"", capacity=capacity)


def unwrap(caller: Caller, session: int, unwrapping: int, wrapped: bytes, *attributes: Attribute) -> Answer:
    return caller.call(c.UNWRAP_KEY, session, unwrapping, CKM.AES_ECB, b"", template(*attributes), data=wrapped)


def encrypted(plain: bytes) -> bytes:
    """Return what the wrapper makes of bytes: AES-ECB, filled up with zeros."""
    encryptor = Cipher(algorithms.AES(WRAPPER), modes.ECB()).encryptor()  # noqa: S305 - the mechanism under test
    return encryptor.update(plain + bytes(-len(plain) % 16)) + encryptor.finalize()


def test_a_wrapped_key_is_its_value_encrypted_and_comes_back(
    caller: Caller, session: int, wrapper: int, target: int
) -> None:
    wrapped = wrap(caller, session, wrapper, target).output
    assert wrapped == encrypted(AES_KEY)
    back = unwrap(caller, session, wrapper, wrapped, *AES)
    assert get(caller, session, back.handle, CKA.VALUE) == AES_KEY


def test_a_wrapped_key_asks_for_room_and_waits_for_it(caller: Caller, session: int, wrapper: int, target: int) -> None:
    for capacity in (0, 12):
        answer = wrap(caller, session, wrapper, target, capacity)
        assert (answer.result, answer.rv, answer.size) == (TeeResult.SHORT_BUFFER, CKR.BUFFER_TOO_SMALL, 16)
        assert answer.output == b""
    assert wrap(caller, session, wrapper, target, 16).rv is CKR.OK


@pytest.mark.parametrize("kind", IN_PKCS8)
def test_a_private_key_comes_back_from_its_wrapping(caller: Caller, session: int, wrapper: int, kind: str) -> None:
    key = create(caller, session, kind, EXTRACTABLE=True, SIGN=True)
    parameter = IV
    wrapped = caller.ok(c.WRAP_KEY, session, wrapper, key, CKM.AES_CBC, parameter).output
    said = sample(kind)
    wanted = template(*as_template({kind: said[kind] for kind in (CKA.CLASS, CKA.KEY_TYPE)}), (CKA.SIGN, True))
    back = caller.ok(c.UNWRAP_KEY, session, wrapper, CKM.AES_CBC, parameter, wanted, data=wrapped).handle
    for attribute, value in said.items():
        assert get(caller, session, back, attribute) in (value, get(caller, session, key, attribute))


def test_an_unwrapped_key_shows_what_op_tees_does(caller: Caller, session: int, wrapper: int) -> None:
    wrapped = encrypted(AES_KEY)
    back = unwrap(caller, session, wrapper, wrapped, *GENERIC, (CKA.SENSITIVE, True)).handle
    false, true = b"\0", b"\1"
    for attribute, value in {
        CKA.EXTRACTABLE: true,
        CKA.SENSITIVE: true,
        CKA.LOCAL: false,
        CKA.ALWAYS_SENSITIVE: false,
        CKA.NEVER_EXTRACTABLE: false,
        CKA.KEY_GEN_MECHANISM: b"\xff" * 4,
        CKA.VALUE_LEN: b"\x10\0\0\0",
    }.items():
        assert get(caller, session, back, attribute) == value, attribute.name


def test_a_length_in_the_template_cuts_what_filled_the_last_block(caller: Caller, session: int, wrapper: int) -> None:
    wrapped = encrypted(bytes(range(1, 25)))
    back = unwrap(caller, session, wrapper, wrapped, *AES, (CKA.VALUE_LEN, 24)).handle
    assert get(caller, session, back, CKA.VALUE) == bytes(range(1, 25))
    assert unwrap(caller, session, wrapper, wrapped, *AES, (CKA.VALUE_LEN, 33)).rv is CKR.ATTRIBUTE_VALUE_INVALID


@pytest.mark.parametrize("plain", [bytes(48), b"\x30\x82\xff\xff" + bytes(28), b"\x30\x80" + bytes(14)])
@pytest.mark.parametrize("key_type", [number for made, number in UNWRAPPED if made is CKO.PRIVATE_KEY])
def test_bytes_that_unwrap_to_no_key_are_told_apart_by_their_length_alone(
    caller: Caller, session: int, wrapper: int, plain: bytes, key_type: CKK
) -> None:
    private = ((CKA.CLASS, CKO.PRIVATE_KEY), (CKA.KEY_TYPE, key_type))
    assert unwrap(caller, session, wrapper, encrypted(plain), *private).rv is CKR.WRAPPED_KEY_INVALID
    assert unwrap(caller, session, wrapper, encrypted(bytes(48)), *AES).rv is CKR.WRAPPED_KEY_LEN_RANGE


def test_the_handles_are_checked_as_in_op_tee(caller: Caller, session: int, wrapper: int, target: int) -> None:
    assert wrap(caller, session, 0x7777, target).rv is CKR.WRAPPING_KEY_HANDLE_INVALID
    assert wrap(caller, session, wrapper, wrapper).rv is CKR.WRAPPING_KEY_HANDLE_INVALID
    assert wrap(caller, session, wrapper, 0x7777).rv is CKR.KEY_HANDLE_INVALID
    assert wrap(caller, session, wrapper, create(caller, session)).rv is CKR.KEY_NOT_WRAPPABLE
    assert unwrap(caller, session, 0x7777, bytes(16), *AES).rv is CKR.UNWRAPPING_KEY_HANDLE_INVALID


def test_a_key_that_may_not_wrap_or_unwrap_does_not(caller: Caller, session: int, target: int) -> None:
    idle = create(caller, session, "AES key")
    assert wrap(caller, session, idle, target).rv is CKR.WRAPPING_KEY_TYPE_INCONSISTENT
    assert unwrap(caller, session, idle, bytes(16), *AES).rv is CKR.UNWRAPPING_KEY_TYPE_INCONSISTENT
    generic = create(caller, session, "AES key", KEY_TYPE=int(CKK.GENERIC_SECRET), WRAP=True)
    assert wrap(caller, session, generic, target).rv is CKR.WRAPPING_KEY_TYPE_INCONSISTENT


def test_a_mechanism_that_does_not_wrap_is_refused(caller: Caller, session: int, wrapper: int, target: int) -> None:
    answer = caller.call(c.WRAP_KEY, session, wrapper, target, CKM.SHA_1_HMAC, b"")
    assert answer.rv is CKR.MECHANISM_INVALID


def test_an_active_operation_stands_in_the_way(caller: Caller, session: int, wrapper: int, target: int) -> None:
    caller.ok(c.DIGEST_INIT, session, CKM.SHA256, b"")
    assert wrap(caller, session, wrapper, target).rv is CKR.OPERATION_ACTIVE
    assert unwrap(caller, session, wrapper, bytes(16), *AES).rv is CKR.OPERATION_ACTIVE
    answer = caller.call(c.GENERATE_KEY, session, CKM.AES_KEY_GEN, b"", template((CKA.VALUE_LEN, 16)))
    assert answer.rv is CKR.OPERATION_ACTIVE


def test_the_wrapping_keys_template_must_fit(caller: Caller, session: int) -> None:
    sensitive = template((CKA.SENSITIVE, True))
    strict = generate(caller, session, *WRAPS, (CKA.WRAP_TEMPLATE, sensitive), (CKA.UNWRAP_TEMPLATE, sensitive))
    shown = create(caller, session, "AES key", EXTRACTABLE=True)
    kept = create(caller, session, "AES key", EXTRACTABLE=True, SENSITIVE=True)
    assert wrap(caller, session, strict, shown).rv is CKR.KEY_HANDLE_INVALID
    wrapped = wrap(caller, session, strict, kept).output
    refused = unwrap(caller, session, strict, wrapped, *AES, (CKA.SENSITIVE, False))
    assert refused.rv is CKR.TEMPLATE_INCONSISTENT
    back = unwrap(caller, session, strict, wrapped, *AES).handle
    assert get(caller, session, back, CKA.SENSITIVE) == b"\1"


def test_the_unwrapping_keys_template_alone_may_describe_the_key(caller: Caller, session: int) -> None:
    unwrapper = create(caller, session, "AES key", VALUE=WRAPPER, UNWRAP=True, UNWRAP_TEMPLATE=as_template(dict(AES)))
    back = unwrap(caller, session, unwrapper, encrypted(AES_KEY)).handle
    assert get(caller, session, back, CKA.VALUE) == AES_KEY


def test_a_template_without_a_class_or_for_a_public_key_is_refused(caller: Caller, session: int, wrapper: int) -> None:
    assert unwrap(caller, session, wrapper, bytes(16), (CKA.DERIVE, True)).rv is CKR.TEMPLATE_INCONSISTENT
    public = ((CKA.CLASS, CKO.PUBLIC_KEY), (CKA.KEY_TYPE, CKK.RSA))
    assert unwrap(caller, session, wrapper, bytes(16), *public).rv is CKR.TEMPLATE_INCONSISTENT
    valued = (*AES, (CKA.VALUE, bytes(16)))
    assert unwrap(caller, session, wrapper, bytes(16), *valued).rv is CKR.TEMPLATE_INCONSISTENT


def test_a_private_key_is_not_unwrapped_before_login(caller: Caller) -> None:
    stranger = Caller(caller.application)
    session = stranger.open()
    key = create(stranger, session, "AES key", UNWRAP=True)
    answer = unwrap(stranger, session, key, bytes(16), *GENERIC, (CKA.PRIVATE, True))
    assert answer.rv is CKR.USER_NOT_LOGGED_IN


def test_a_key_that_asks_for_a_trusted_wrapper_gets_one_from_the_security_officer() -> None:
    caller, session = fresh_caller()
    wrapper = generate(caller, session, *WRAPS)
    target = create(caller, session, "AES key", EXTRACTABLE=True)
    caller.ok(c.SET_ATTRIBUTE_VALUE, session, target, template((CKA.WRAP_WITH_TRUSTED, True)))
    assert wrap(caller, session, wrapper, target).rv is CKR.KEY_NOT_WRAPPABLE
    caller.logout(session)
    caller.login(session, CKU.SO, SO_PIN)
    caller.ok(c.SET_ATTRIBUTE_VALUE, session, wrapper, template((CKA.TRUSTED, True)))
    caller.logout(session)
    assert wrap(caller, session, wrapper, target).rv is CKR.OK


def test_public_keys_are_not_wrapped(caller: Caller, session: int, wrapper: int) -> None:
    public = caller.ok(c.CREATE_OBJECT, session, wire("EC public key")).handle
    assert wrap(caller, session, wrapper, public).rv is CKR.KEY_NOT_WRAPPABLE
