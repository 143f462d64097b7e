# SPDX-License-Identifier: Apache-2.0
"""ChaCha20 and Poly1305 at their edges, and their keys."""

import pytest

from softee.names import CKA, CKK, CKM, CKO, CKR
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.mechanisms.chacha20 import authenticated
from softee.pkcs11_ta.mechanisms.shapes.ciphering import ByteStream
from softee.pkcs11_ta.mechanisms.table import MECHANISMS
from softee.pkcs11_ta.token.changes import PolicyChanges, changed
from softee.pkcs11_ta.token.profiles import OFF_BY_DEFAULT, PORTABLE
from support import keys
from support import mechanism_runs as run
from support.commands import c
from support.mechanism_runs import aead_params, chacha20_params, counted, u32
from support.object_calls import create, get
from support.samples import as_template, sample
from support.token_world import Caller, make_application, template

KEY = keys.secret_key(bytes(range(32)), CKK.CHACHA20)
NONCE = bytes(range(12))
SEALED = aead_params(NONCE, b"aad")
TAG = 16


def test_the_counter_starts_where_the_parameter_says() -> None:
    whole = run.encrypt(CKM.CHACHA20, KEY, chacha20_params(bytes(4), NONCE), bytes(256))
    for block in range(4):
        later = chacha20_params(bytes([block, 0, 0, 0]), NONCE)
        assert run.encrypt(CKM.CHACHA20, KEY, later, bytes(64)) == whole[64 * block :][:64]


def test_a_counter_of_64_bits_counts_on_where_one_of_32_ends() -> None:
    last, nonce = b"\xff\xff\xff\xff", NONCE[:8]
    two = run.encrypt(CKM.CHACHA20, KEY, chacha20_params(last + bytes(4), nonce), bytes(128))
    assert two[:64] == run.encrypt(CKM.CHACHA20, KEY, chacha20_params(last, nonce), bytes(64))
    assert two[64:] == run.encrypt(CKM.CHACHA20, KEY, chacha20_params(bytes(4) + b"\1\0\0\0", nonce), bytes(64))


@pytest.mark.parametrize(("counter", "nonce"), [(4, 8), (8, 8), (4, 12)])
def test_the_counter_is_not_let_wrap_around(counter: int, nonce: int) -> None:
    parameter = chacha20_params(b"\xff" * counter, NONCE[:nonce])
    for begin in (run.encryption, run.decryption):
        operation = begin(CKM.CHACHA20, KEY, parameter)
        assert len(operation.update(bytes(64))) == 64
        with pytest.raises(Pkcs11Error, match="DATA_LEN_RANGE: 65 bytes"):
            operation.update(b"\0")


@pytest.mark.parametrize(
    ("counter", "nonce"), [(8, 12), (0, 12), (3, 12), (5, 12), (16, 12), (4, 0), (4, 11), (4, 13), (4, 24), (8, 24)]
)
def test_other_sizes_of_counter_and_nonce_are_refused(counter: int, nonce: int) -> None:
    with pytest.raises(Pkcs11Error, match="MECHANISM_PARAM_INVALID: blockCounterBits"):
        MECHANISMS[CKM.CHACHA20].parameter(chacha20_params(bytes(counter), bytes(nonce)))


@pytest.mark.parametrize("size", [0, 8, 11, 13, 24])
def test_another_size_of_nonce_is_refused_where_a_tag_is_made(size: int) -> None:
    with pytest.raises(Pkcs11Error, match=f"MECHANISM_PARAM_INVALID: a nonce of {size} bytes"):
        MECHANISMS[CKM.CHACHA20_POLY1305].parameter(aead_params(bytes(size)))


def test_additional_data_has_a_limit() -> None:
    aead = MECHANISMS[CKM.CHACHA20_POLY1305]
    aead.parameter(aead_params(NONCE, bytes(authenticated.LARGEST_AAD)))
    with pytest.raises(Pkcs11Error, match="MECHANISM_PARAM_INVALID: ulAADLen"):
        aead.parameter(aead_params(NONCE, bytes(authenticated.LARGEST_AAD + 1)))


def test_decryption_gives_nothing_before_the_tag_is_found_right() -> None:
    sealed = run.encrypt(CKM.CHACHA20_POLY1305, KEY, SEALED, bytes(1000))
    operation = run.decryption(CKM.CHACHA20_POLY1305, KEY, SEALED)
    for at in range(0, len(sealed), 100):
        assert operation.update_size(100) == 0
        assert operation.update(sealed[at : at + 100]) == b""
    assert operation.finish() == bytes(1000)


@pytest.mark.parametrize("place", [0, 999, 1000, 1000 + TAG - 1])
def test_whatever_is_changed_has_one_error(place: int) -> None:
    sealed = bytearray(run.encrypt(CKM.CHACHA20_POLY1305, KEY, SEALED, bytes(1000)))
    sealed[place] ^= 1
    for parameter in (SEALED, aead_params(NONCE, b"other"), aead_params(bytes(12), b"aad")):
        with pytest.raises(Pkcs11Error, match="ENCRYPTED_DATA_INVALID: the tag is another one") as caught:
            run.decrypt(CKM.CHACHA20_POLY1305, KEY, parameter, bytes(sealed))
        assert caught.value.__cause__ is None


@pytest.mark.parametrize("size", [0, 1, TAG - 1])
def test_less_than_a_tag_is_refused(size: int) -> None:
    with pytest.raises(Pkcs11Error, match=f"ENCRYPTED_DATA_LEN_RANGE: {size} bytes"):
        run.decrypt(CKM.CHACHA20_POLY1305, KEY, SEALED, bytes(size))


def test_the_largest_ciphertext_decrypts_and_a_larger_one_is_not_held() -> None:
    plain = bytes(authenticated.LARGEST_CIPHERTEXT - TAG)
    sealed = run.encrypt(CKM.CHACHA20_POLY1305, KEY, SEALED, plain)
    assert run.decrypt(CKM.CHACHA20_POLY1305, KEY, SEALED, sealed) == plain
    with pytest.raises(Pkcs11Error, match="DEVICE_MEMORY"):
        run.decrypt(CKM.CHACHA20_POLY1305, KEY, SEALED, sealed, b"\0")


def test_a_larger_ciphertext_decrypts_as_a_whole() -> None:
    plain = bytes(2 * authenticated.LARGEST_CIPHERTEXT)
    sealed = run.encryption(CKM.CHACHA20_POLY1305, KEY, SEALED).whole(plain)
    assert run.decryption(CKM.CHACHA20_POLY1305, KEY, SEALED).whole(sealed) == plain


def test_a_message_is_no_longer_than_the_counter_allows() -> None:
    operation = run.encryption(CKM.CHACHA20_POLY1305, KEY, SEALED)
    assert isinstance(operation, ByteStream)
    operation._taken = authenticated._LONGEST_MESSAGE - 1
    assert len(operation.update(b"\0")) == 1
    with pytest.raises(Pkcs11Error, match="the counter would wrap"):
        operation.update(b"\0")


@pytest.fixture(scope="module")
def caller() -> Caller:
    return Caller(make_application(policy=changed(PORTABLE, PolicyChanges(added=OFF_BY_DEFAULT & MECHANISMS.keys()))))


@pytest.fixture(scope="module")
def session(caller: Caller) -> int:
    return caller.set_up()


@pytest.mark.parametrize("name", ["ChaCha20 key", "Poly1305 key"])
@pytest.mark.parametrize("size", [16, 31, 33, 64])
def test_a_key_of_another_size_is_refused(caller: Caller, session: int, name: str, size: int) -> None:
    answer = caller.call(c.CREATE_OBJECT, session, as_template(sample(name, VALUE=bytes(size))))
    assert answer.rv is CKR.ATTRIBUTE_VALUE_INVALID


@pytest.mark.parametrize(
    ("mechanism", "key_type"),
    [(CKM.CHACHA20_KEY_GEN, CKK.CHACHA20), (CKM.POLY1305_KEY_GEN, CKK.POLY1305)],
)
def test_a_key_is_generated_whose_size_need_not_be_said(
    caller: Caller, session: int, mechanism: CKM, key_type: CKK
) -> None:
    shown = ((CKA.SENSITIVE, False), (CKA.EXTRACTABLE, True))
    for wanted in (template(*shown), template((CKA.VALUE_LEN, 32), *shown)):
        key = caller.ok(c.GENERATE_KEY, session, mechanism, b"", wanted).handle
        assert get(caller, session, key, CKA.KEY_TYPE) == u32(key_type)
        assert get(caller, session, key, CKA.VALUE_LEN) == u32(32)
        value = get(caller, session, key, CKA.VALUE)
        assert isinstance(value, bytes)
        assert len(set(value)) > 8
    for size in (0, 16, 31, 33):
        answer = caller.call(c.GENERATE_KEY, session, mechanism, b"", template((CKA.VALUE_LEN, size)))
        assert answer.rv is CKR.KEY_SIZE_RANGE


def test_the_two_types_of_keys_are_not_used_for_each_other(caller: Caller, session: int) -> None:
    cipher = create(caller, session, "ChaCha20 key", ENCRYPT=True, SIGN=True)
    mac = create(caller, session, "Poly1305 key", ENCRYPT=True, SIGN=True)
    assert caller.call(c.SIGN_INIT, session, cipher, CKM.POLY1305, b"").rv is CKR.KEY_TYPE_INCONSISTENT
    assert caller.call(c.ENCRYPT_INIT, session, mac, CKM.CHACHA20_POLY1305, SEALED).rv is CKR.KEY_TYPE_INCONSISTENT


def test_a_key_comes_back_from_its_wrapping(caller: Caller, session: int) -> None:
    kek = create(caller, session, "AES key", WRAP=True, UNWRAP=True)
    key = create(caller, session, "ChaCha20 key", EXTRACTABLE=True)
    wrapped = caller.ok(c.WRAP_KEY, session, kek, key, CKM.AES_KEY_WRAP, b"").output
    wanted = template((CKA.CLASS, CKO.SECRET_KEY), (CKA.KEY_TYPE, CKK.CHACHA20), (CKA.SENSITIVE, False))
    back = caller.ok(c.UNWRAP_KEY, session, kek, CKM.AES_KEY_WRAP, b"", wanted, data=wrapped).handle
    assert get(caller, session, back, CKA.VALUE) == bytes(range(1, 33))


def test_invariant_1_poly1305_whose_macs_tell_the_key_is_off_by_default() -> None:
    """Two messages with one key: the difference of their MACs has no more than the first half of the key in it."""
    assert not {CKM.POLY1305, CKM.POLY1305_KEY_GEN} & PORTABLE.mechanisms.keys()
    assert {CKM.CHACHA20, CKM.CHACHA20_POLY1305, CKM.CHACHA20_KEY_GEN} <= PORTABLE.mechanisms.keys()


def test_a_message_is_what_c_encrypt_makes_with_the_tag_apart() -> None:
    caller = Caller(make_application(policy=PORTABLE))
    session = caller.set_up()
    key = create(caller, session, "ChaCha20 key", VALUE=bytes(range(32)))
    for init in (c.MESSAGE_ENCRYPT_INIT, c.MESSAGE_DECRYPT_INIT):
        caller.ok(init, session, key, CKM.CHACHA20_POLY1305, b"")
    message = counted(NONCE)
    output = caller.ok(c.ENCRYPT_MESSAGE, session, message, b"aad", data=b"data").output
    tag, encrypted = output[4 + len(NONCE) :][:TAG], output[4 + len(NONCE) + TAG :]
    assert output[: 4 + len(NONCE)] == u32(len(NONCE) + TAG) + NONCE
    assert encrypted + tag == run.encrypt(CKM.CHACHA20_POLY1305, KEY, SEALED, b"data")
    assert caller.ok(c.DECRYPT_MESSAGE, session, message, b"aad", tag, data=encrypted).output == u32(0) + b"data"
    altered = caller.call(c.DECRYPT_MESSAGE, session, message, b"bad", tag, data=encrypted)
    assert altered.rv is CKR.AEAD_DECRYPT_FAILED
    for size in (0, 8, 11, 13, 24):
        other = caller.call(c.ENCRYPT_MESSAGE, session, counted(bytes(size)), b"aad", data=b"data")
        assert other.rv is CKR.MECHANISM_PARAM_INVALID
