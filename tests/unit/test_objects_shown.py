# SPDX-License-Identifier: Apache-2.0
"""What objects show: attribute by attribute and byte by byte what the real OP-TEE shows of its own (recorded)."""

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from softee.names import CKA, CKK, CKM, CKO, CKR, UNAVAILABLE_INFORMATION, TeeResult
from softee.pkcs11_ta.abi.template import encode_template
from support.commands import c
from support.object_calls import Values, create, fresh_caller, generate, get, pair
from support.samples.ec import P256
from support.token_world import Caller, template, u32


@pytest.fixture(scope="module")
def caller() -> Caller:
    return fresh_caller()[0]


@pytest.fixture
def session(caller: Caller) -> int:
    """Return a read-write session in which the user is logged in."""
    return caller.open()


T, F = b"\1", b"\0"
RSA_BITS = 1024
NOT_THERE, HIDDEN = CKR.ATTRIBUTE_TYPE_INVALID, CKR.ATTRIBUTE_SENSITIVE
EMPTY = b""

Shown = dict[CKA, bytes | CKR]

ANY: Shown = {
    CKA.TOKEN: F,
    CKA.PRIVATE: F,
    CKA.LABEL: EMPTY,
    CKA.MODIFIABLE: T,
    CKA.COPYABLE: T,
    CKA.DESTROYABLE: T,
    CKA.ALLOWED_MECHANISMS: NOT_THERE,
    CKA.UNIQUE_ID: NOT_THERE,
    CKA.PROFILE_ID: NOT_THERE,
    CKA.APPLICATION: NOT_THERE,
    CKA.OBJECT_ID: NOT_THERE,
    CKA(CKA.VENDOR_DEFINED): NOT_THERE,
}
KEY: Shown = ANY | {
    CKA.ID: EMPTY,
    CKA.START_DATE: EMPTY,
    CKA.END_DATE: EMPTY,
    CKA.DERIVE: F,
    CKA.LOCAL: T,
    CKA.NEVER_EXTRACTABLE: T,
    CKA.ALWAYS_SENSITIVE: F,
    CKA.CHECK_VALUE: NOT_THERE,
    CKA.ALWAYS_AUTHENTICATE: NOT_THERE,
    CKA.VALUE_LEN: NOT_THERE,
    CKA.MODULUS_BITS: NOT_THERE,
    CKA.SEED: NOT_THERE,
}
PUBLIC: Shown = KEY | {
    CKA.CLASS: u32(CKO.PUBLIC_KEY),
    CKA.SUBJECT: EMPTY,
    CKA.PUBLIC_KEY_INFO: EMPTY,
    CKA.SENSITIVE: NOT_THERE,
    CKA.ENCRYPT: F,
    CKA.DECRYPT: NOT_THERE,
    CKA.SIGN: NOT_THERE,
    CKA.SIGN_RECOVER: NOT_THERE,
    CKA.VERIFY: F,
    CKA.VERIFY_RECOVER: F,
    CKA.WRAP: F,
    CKA.UNWRAP: NOT_THERE,
    CKA.EXTRACTABLE: NOT_THERE,
    CKA.WRAP_WITH_TRUSTED: NOT_THERE,
    CKA.TRUSTED: F,
    CKA.VALUE: NOT_THERE,
    CKA.PRIVATE_EXPONENT: NOT_THERE,
    CKA.PRIME_1: NOT_THERE,
}
PRIVATE: Shown = KEY | {
    CKA.CLASS: u32(CKO.PRIVATE_KEY),
    CKA.SUBJECT: EMPTY,
    CKA.PUBLIC_KEY_INFO: EMPTY,
    CKA.SENSITIVE: F,
    CKA.ENCRYPT: NOT_THERE,
    CKA.DECRYPT: F,
    CKA.SIGN: F,
    CKA.SIGN_RECOVER: F,
    CKA.VERIFY: NOT_THERE,
    CKA.VERIFY_RECOVER: NOT_THERE,
    CKA.WRAP: NOT_THERE,
    CKA.UNWRAP: F,
    CKA.EXTRACTABLE: F,
    CKA.WRAP_WITH_TRUSTED: F,
    CKA.TRUSTED: NOT_THERE,
    CKA.ALWAYS_AUTHENTICATE: F,
    CKA.VALUE: HIDDEN,
    CKA.PRIVATE_EXPONENT: HIDDEN,
    CKA.PRIME_1: HIDDEN,
}
RSA: Shown = {
    CKA.KEY_TYPE: u32(CKK.RSA),
    CKA.KEY_GEN_MECHANISM: u32(CKM.RSA_PKCS_KEY_PAIR_GEN),
    CKA.PUBLIC_EXPONENT: b"\1\0\1",
    CKA.EC_PARAMS: NOT_THERE,
    CKA.EC_POINT: NOT_THERE,
}
EC: Shown = {
    CKA.KEY_TYPE: u32(CKK.EC),
    CKA.KEY_GEN_MECHANISM: u32(CKM.EC_KEY_PAIR_GEN),
    CKA.EC_PARAMS: P256,
    CKA.MODULUS: NOT_THERE,
    CKA.PUBLIC_EXPONENT: NOT_THERE,
}
AES: Shown = KEY | {
    CKA.CLASS: u32(CKO.SECRET_KEY),
    CKA.KEY_TYPE: u32(CKK.AES),
    CKA.KEY_GEN_MECHANISM: u32(CKM.AES_KEY_GEN),
    CKA.SUBJECT: NOT_THERE,
    CKA.PUBLIC_KEY_INFO: NOT_THERE,
    CKA.SENSITIVE: F,
    CKA.ENCRYPT: F,
    CKA.DECRYPT: F,
    CKA.SIGN: F,
    CKA.SIGN_RECOVER: NOT_THERE,
    CKA.VERIFY: F,
    CKA.VERIFY_RECOVER: NOT_THERE,
    CKA.WRAP: F,
    CKA.UNWRAP: F,
    CKA.EXTRACTABLE: F,
    CKA.WRAP_WITH_TRUSTED: F,
    CKA.TRUSTED: F,
    CKA.VALUE: HIDDEN,
    CKA.VALUE_LEN: u32(16),
    CKA.MODULUS: NOT_THERE,
    CKA.PRIVATE_EXPONENT: HIDDEN,
    CKA.PRIME_1: HIDDEN,
}
DATA: Shown = ANY | {
    CKA.CLASS: u32(CKO.DATA),
    CKA.LOCAL: F,
    CKA.VALUE: b"hello",
    CKA.APPLICATION: EMPTY,
    CKA.OBJECT_ID: EMPTY,
    CKA.KEY_TYPE: NOT_THERE,
    CKA.ID: NOT_THERE,
    CKA.KEY_GEN_MECHANISM: NOT_THERE,
    CKA.SENSITIVE: NOT_THERE,
    CKA.EXTRACTABLE: NOT_THERE,
    CKA.TRUSTED: NOT_THERE,
    CKA.CHECK_VALUE: NOT_THERE,
}
del AES[CKA.CHECK_VALUE]  # random


def assert_shows(caller: Caller, session: int, handle: int, shown: Shown, size: int) -> None:
    assert {attribute: get(caller, session, handle, attribute) for attribute in shown} == shown
    assert caller.ok(c.GET_OBJECT_SIZE, session, handle).handle == size


def key_without_leading_zeros() -> rsa.RSAPrivateKey:
    """Return an RSA key that is as long as the recorded one: one of fifty or so has a number that is a byte shorter."""
    while True:
        key = rsa.generate_private_key(65537, RSA_BITS)
        numbers = key.private_numbers()
        halves = (numbers.dmp1, numbers.dmq1, numbers.iqmp)
        if numbers.d.bit_length() > 1016 and min(half.bit_length() for half in halves) > 504:
            return key


def test_an_rsa_key_pair_shows_what_op_tees_does(caller: Caller, session: int, monkeypatch: pytest.MonkeyPatch) -> None:
    key = key_without_leading_zeros()
    monkeypatch.setattr(rsa, "generate_private_key", lambda *_: key)
    public, private = pair(caller, session, CKM.RSA_PKCS_KEY_PAIR_GEN, ((CKA.MODULUS_BITS, RSA_BITS),))
    assert_shows(caller, session, public, PUBLIC | RSA | {CKA.MODULUS_BITS: u32(RSA_BITS)}, 385)
    assert_shows(caller, session, private, PRIVATE | RSA, 896)
    modulus = get(caller, session, public, CKA.MODULUS)
    assert modulus == get(caller, session, private, CKA.MODULUS)
    assert isinstance(modulus, bytes)
    assert len(modulus) == 128


def test_an_ec_key_pair_shows_what_op_tees_does(caller: Caller, session: int) -> None:
    public, private = pair(caller, session, CKM.EC_KEY_PAIR_GEN, ((CKA.EC_PARAMS, P256),))
    assert_shows(caller, session, public, PUBLIC | EC, 319)
    # OP-TEE counts 75 bytes more: it keeps the point in the private key, and does not show it.
    assert_shows(caller, session, private, PRIVATE | EC | {CKA.EC_POINT: NOT_THERE}, 386 - 75)
    point = get(caller, session, public, CKA.EC_POINT)
    assert isinstance(point, bytes)
    assert point[:3] == b"\x04\x41\x04"


def test_an_aes_key_shows_what_op_tees_does(caller: Caller, session: int) -> None:
    assert_shows(caller, session, generate(caller, session), AES, 318)
    open_key = generate(caller, session, (CKA.EXTRACTABLE, True), (CKA.SENSITIVE, False))
    value = get(caller, session, open_key, CKA.VALUE)
    assert isinstance(value, bytes)
    shown: Shown = {CKA.EXTRACTABLE: T, CKA.NEVER_EXTRACTABLE: F, CKA.VALUE: value, CKA.PRIME_1: NOT_THERE}
    assert_shows(caller, session, open_key, AES | shown | {CKA.PRIVATE_EXPONENT: NOT_THERE}, 318)


def test_a_data_object_shows_what_op_tees_does(caller: Caller, session: int) -> None:
    assert_shows(caller, session, create(caller, session, VALUE=b"hello"), DATA, 111)


def test_a_sensitive_key_says_how_it_was_always_protected(caller: Caller, session: int) -> None:
    key = generate(caller, session, (CKA.SENSITIVE, True))
    assert get(caller, session, key, CKA.ALWAYS_SENSITIVE) == T
    imported = create(caller, session, "AES key", SENSITIVE=True)
    assert get(caller, session, imported, CKA.ALWAYS_SENSITIVE) == F
    assert get(caller, session, imported, CKA.NEVER_EXTRACTABLE) == F
    assert get(caller, session, imported, CKA.LOCAL) == F
    assert get(caller, session, imported, CKA.KEY_GEN_MECHANISM) == u32(UNAVAILABLE_INFORMATION)


def test_allowed_mechanisms_read_back_as_they_were_given(caller: Caller, session: int) -> None:
    mechanisms = u32(CKM.SHA_1_HMAC, CKM.SHA224_HMAC, CKM.SHA256_HMAC)
    key = generate(caller, session, (CKA.ALLOWED_MECHANISMS, mechanisms))
    assert get(caller, session, key, CKA.ALLOWED_MECHANISMS) == mechanisms


def test_several_attributes_are_read_at_once_in_op_tees_layout(caller: Caller, session: int) -> None:
    data = create(caller, session, VALUE=b"\1\2\3\4\5")
    wanted = template((CKA.TOKEN, T), (CKA.VALUE, b"\xcc" * 8), (CKA.CLASS, b"\xff" * 4), (CKA.TOKEN, b""))
    answer = caller.ok(c.GET_ATTRIBUTE_VALUE, session, data, wanted, capacity=len(encode_template(wanted)))
    assert answer.output == bytes.fromhex(
        "2d000000 04000000 01000000 01000000 00 11000000 05000000 0102030405cccccc 00000000 04000000 00000000"
        "01000000 01000000"
    )


def test_what_can_be_read_is_given_together_with_the_refusal_of_the_rest(caller: Caller, session: int) -> None:
    key = generate(caller, session)
    wanted = template((CKA.VALUE, bytes(16)), (CKA.VALUE_LEN, bytes(4)))
    answer = caller.call(c.GET_ATTRIBUTE_VALUE, session, key, wanted, capacity=len(encode_template(wanted)))
    assert (answer.result, answer.rv) == (TeeResult.SUCCESS, CKR.ATTRIBUTE_SENSITIVE)
    assert answer.output[12:16] == u32(UNAVAILABLE_INFORMATION)
    assert answer.output[-4:] == u32(16)


@pytest.mark.parametrize(
    ("wanted", "rv"),
    [
        (((CKA.VALUE, b""),), CKR.ATTRIBUTE_SENSITIVE),
        (((CKA.VALUE, b""), (CKA.SUBJECT, b"")), CKR.ATTRIBUTE_TYPE_INVALID),
        (((CKA.VALUE, b""), (CKA.SUBJECT, b""), (CKA.CLASS, b"\0")), CKR.BUFFER_TOO_SMALL),
        (((CKA.CLASS, b"\0"), (CKA.VALUE, b"")), CKR.BUFFER_TOO_SMALL),
        ((), CKR.OK),
    ],
)
def test_of_several_reasons_op_tees_last_is_the_return_value(
    caller: Caller, session: int, wanted: Values, rv: CKR
) -> None:
    assert caller.call(c.GET_ATTRIBUTE_VALUE, session, generate(caller, session), template(*wanted)).rv is rv


def test_an_attribute_that_does_not_fit_says_how_large_it_is(caller: Caller, session: int) -> None:
    data = create(caller, session, VALUE=b"hello")
    wanted = template((CKA.VALUE, b"\xcc" * 4))
    answer = caller.call(c.GET_ATTRIBUTE_VALUE, session, data, wanted, capacity=len(encode_template(wanted)))
    assert (answer.result, answer.rv) == (TeeResult.SHORT_BUFFER, CKR.BUFFER_TOO_SMALL)
    assert answer.output == u32(12, 1, CKA.VALUE, 5) + b"\xcc" * 4


def test_templates_within_objects_are_not_shown(caller: Caller, session: int) -> None:
    key = generate(caller, session, (CKA.WRAP_TEMPLATE, template((CKA.SENSITIVE, True))))
    assert get(caller, session, key, CKA.WRAP_TEMPLATE) is CKR.ATTRIBUTE_TYPE_INVALID
