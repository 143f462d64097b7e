# SPDX-License-Identifier: Apache-2.0
"""AES-GCM at its edges: nothing is given before the tag is right, what is held has a limit, one error for a bad tag."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softee.names import CKA, CKK, CKM, CKO, CKR
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.mechanisms.aes import gcm
from softee.pkcs11_ta.mechanisms.functions import Wrapping
from softee.pkcs11_ta.mechanisms.shapes.ciphering import ByteStream
from softee.pkcs11_ta.mechanisms.table import MECHANISMS
from softee.pkcs11_ta.token.profiles import PORTABLE
from support import keys
from support import mechanism_runs as run
from support.commands import c
from support.mechanism_runs import gcm_params
from support.object_calls import create, get
from support.samples.aes import AES_KEY
from support.token_world import Caller, make_application, template

GCM = MECHANISMS[CKM.AES_GCM]
KEY = keys.aes_key(bytes(range(32)))
IV = bytes(range(100, 112))
PARAMETER = gcm_params(IV, b"associated")
PLAIN = b"forty bytes of data that nobody sees yet"
TAG = 16


@given(plain=st.binary(max_size=70), place=st.integers(0, 1000), bit=st.integers(0, 7), cut=st.integers(0, 100))
def test_a_changed_bit_anywhere_gives_nothing_and_one_error(plain: bytes, place: int, bit: int, cut: int) -> None:
    changed = bytearray(run.encrypt(CKM.AES_GCM, KEY, PARAMETER, plain))
    changed[place % len(changed)] ^= 1 << bit
    operation = run.decryption(CKM.AES_GCM, KEY, PARAMETER)
    assert operation.update(bytes(changed[:cut])) + operation.update(bytes(changed[cut:])) == b""
    with pytest.raises(Pkcs11Error) as caught:
        operation.finish()
    assert str(caught.value) == "CKR_ENCRYPTED_DATA_INVALID: the tag is another one"
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("parameter", [gcm_params(IV, b"other"), gcm_params(IV[::-1], b"associated"), gcm_params(IV)])
def test_another_parameter_is_a_bad_tag(parameter: bytes) -> None:
    sealed = run.encrypt(CKM.AES_GCM, KEY, PARAMETER, PLAIN)
    with pytest.raises(Pkcs11Error, match="ENCRYPTED_DATA_INVALID: the tag is another one"):
        run.decrypt(CKM.AES_GCM, KEY, parameter, sealed)
    with pytest.raises(Pkcs11Error, match="WRAPPED_KEY_INVALID: the tag is another one"):
        GCM.of(Wrapping).unwrap(KEY, GCM.parameter(parameter), sealed)


@pytest.mark.parametrize("tag_bits", [32, 64, 96, 104, 112, 120, 128])
def test_a_short_tag_is_the_beginning_of_the_whole(tag_bits: int) -> None:
    parameter = gcm_params(IV, b"associated", tag_bits)
    sealed = run.encrypt(CKM.AES_GCM, KEY, parameter, PLAIN)
    assert sealed == run.encrypt(CKM.AES_GCM, KEY, PARAMETER, PLAIN)[: len(PLAIN) + tag_bits // 8]
    assert run.decrypt(CKM.AES_GCM, KEY, parameter, sealed) == PLAIN


@pytest.mark.parametrize("size", [0, 1, 15])
def test_less_than_a_tag_is_refused_for_its_length(size: int) -> None:
    with pytest.raises(Pkcs11Error, match=f"ENCRYPTED_DATA_LEN_RANGE: {size} bytes of data where at least 16"):
        run.decrypt(CKM.AES_GCM, KEY, PARAMETER, bytes(size))


@pytest.mark.parametrize("parts", [1, 2, 1024])
def test_what_is_held_back_has_a_limit_however_it_is_cut(parts: int) -> None:
    part = bytes(gcm.LARGEST_CIPHERTEXT // parts)
    operation = run.decryption(CKM.AES_GCM, KEY, PARAMETER)
    for _ in range(parts):
        assert operation.update(part) == b""
    with pytest.raises(Pkcs11Error, match="DEVICE_MEMORY: 1048577 bytes of data, of which 1048576 can be held"):
        operation.update(b"\0")


def test_the_largest_ciphertext_decrypts() -> None:
    plain = bytes(gcm.LARGEST_CIPHERTEXT - TAG)
    sealed = run.encrypt(CKM.AES_GCM, KEY, PARAMETER, plain)
    assert run.decrypt(CKM.AES_GCM, KEY, PARAMETER, sealed) == plain


def test_a_larger_ciphertext_decrypts_as_a_whole_and_a_bad_tag_gives_nothing_of_it() -> None:
    plain = bytes(2 * gcm.LARGEST_CIPHERTEXT)
    sealed = run.encryption(CKM.AES_GCM, KEY, PARAMETER).whole(plain)
    assert run.decryption(CKM.AES_GCM, KEY, PARAMETER).whole(bytearray(sealed)) == plain
    with pytest.raises(Pkcs11Error, match="ENCRYPTED_DATA_INVALID: the tag is another one"):
        run.decryption(CKM.AES_GCM, KEY, PARAMETER).whole(sealed[:-1] + bytes([sealed[-1] ^ 1]))


def test_the_counter_is_not_let_wrap_around() -> None:
    operation = run.encryption(CKM.AES_GCM, KEY, PARAMETER)
    assert isinstance(operation, ByteStream)
    operation._taken = gcm._LONGEST_MESSAGE - 1
    assert len(operation.update(b"\0")) == 1
    with pytest.raises(Pkcs11Error, match="the counter would wrap") as caught:
        operation.update(b"\0")
    assert caught.value.rv is CKR.DATA_LEN_RANGE


@pytest.mark.parametrize("size", [0, gcm.LARGEST_IV + 1])
def test_an_initialization_vector_of_another_size_is_refused(size: int) -> None:
    with pytest.raises(Pkcs11Error, match=f"MECHANISM_PARAM_INVALID: ulIvLen {size} "):
        GCM.parameter(gcm_params(bytes(size)))


@pytest.mark.parametrize("size", [1, 7, 8, 128, 129, gcm.LARGEST_IV])
@pytest.mark.parametrize("tag_bits", [32, 128])
def test_initialization_vectors_of_all_sizes_do_by_whichever_library(size: int, tag_bits: int) -> None:
    parameter = gcm_params(bytes(range(size % 251)) + bytes(size - size % 251), b"associated", tag_bits)
    sealed = run.encrypt(CKM.AES_GCM, KEY, parameter, PLAIN[:7], PLAIN[7:])
    assert run.decrypt(CKM.AES_GCM, KEY, parameter, sealed[:1], sealed[1:]) == PLAIN
    with pytest.raises(Pkcs11Error, match="ENCRYPTED_DATA_INVALID: the tag is another one"):
        run.decrypt(CKM.AES_GCM, KEY, parameter, sealed[:-1] + bytes([sealed[-1] ^ 1]))
    params = GCM.parameter(parameter)
    assert GCM.of(Wrapping).unwrap(KEY, params, GCM.of(Wrapping).wrap(KEY, params, PLAIN)) == PLAIN


@pytest.mark.parametrize("tag_bits", [0, 1, 31, 40, 127, 129, 136, 2**32 - 1])
def test_a_tag_of_another_size_is_refused(tag_bits: int) -> None:
    with pytest.raises(Pkcs11Error, match=f"MECHANISM_PARAM_INVALID: ulTagBits {tag_bits} "):
        GCM.parameter(gcm_params(IV, b"", tag_bits))


def test_more_associated_data_than_the_limit_is_refused() -> None:
    assert GCM.parameter(gcm_params(bytes(8), bytes(gcm.LARGEST_AAD), 32)).tag_size == 4
    with pytest.raises(Pkcs11Error, match="MECHANISM_PARAM_INVALID: ulAADLen 65537"):
        GCM.parameter(gcm_params(IV, bytes(gcm.LARGEST_AAD + 1)))


def test_a_key_of_a_size_between_is_refused_before_any_data() -> None:
    for begin in (run.encryption, run.decryption):
        with pytest.raises(Pkcs11Error, match="KEY_SIZE_RANGE: AES has no keys of 20 bytes"):
            begin(CKM.AES_GCM, keys.aes_key(bytes(20)), PARAMETER)


@pytest.fixture
def caller() -> Caller:
    return Caller(make_application(policy=PORTABLE))


@pytest.fixture
def session(caller: Caller) -> int:
    return caller.set_up()


@pytest.fixture
def key(caller: Caller, session: int) -> int:
    return create(caller, session, "AES key", ENCRYPT=True, DECRYPT=True, WRAP=True, UNWRAP=True)


def test_the_commands_give_the_data_at_the_end_alone(caller: Caller, session: int, key: int) -> None:
    caller.ok(c.ENCRYPT_INIT, session, key, CKM.AES_GCM, PARAMETER)
    sealed = caller.ok(c.ENCRYPT_UPDATE, session, data=PLAIN).output + caller.ok(c.ENCRYPT_FINAL, session).output
    assert len(sealed) == len(PLAIN) + TAG
    caller.ok(c.DECRYPT_INIT, session, key, CKM.AES_GCM, PARAMETER)
    assert [caller.ok(c.DECRYPT_UPDATE, session, data=sealed[i : i + 8]).size for i in range(0, 56, 8)] == [0] * 7
    small = caller.call(c.DECRYPT_FINAL, session, capacity=len(PLAIN) - 1)
    assert (small.rv, small.size, small.output) == (CKR.BUFFER_TOO_SMALL, len(PLAIN), b"")
    assert caller.ok(c.DECRYPT_FINAL, session).output == PLAIN


def test_the_commands_give_nothing_for_a_bad_tag_and_end(caller: Caller, session: int, key: int) -> None:
    caller.ok(c.ENCRYPT_INIT, session, key, CKM.AES_GCM, PARAMETER)
    sealed = caller.ok(c.ENCRYPT_ONESHOT, session, data=PLAIN).output
    bad = sealed[:-1] + bytes([sealed[-1] ^ 1])
    for command, data in ((c.DECRYPT_ONESHOT, bad), (c.DECRYPT_FINAL, None)):
        caller.ok(c.DECRYPT_INIT, session, key, CKM.AES_GCM, PARAMETER)
        if data is None:
            caller.ok(c.DECRYPT_UPDATE, session, data=bad)
        answer = caller.call(command, session, data=data)
        assert (answer.rv, answer.output) == (CKR.ENCRYPTED_DATA_INVALID, b"")
        assert caller.call(c.DECRYPT_FINAL, session).rv is CKR.OPERATION_NOT_INITIALIZED


def test_a_wrapped_key_comes_back_or_is_refused(caller: Caller, session: int, key: int) -> None:
    target = create(caller, session, "AES key", EXTRACTABLE=True)
    wrapped = caller.ok(c.WRAP_KEY, session, key, target, CKM.AES_GCM, PARAMETER).output
    assert len(wrapped) == len(AES_KEY) + TAG
    wanted = template(
        (CKA.CLASS, CKO.SECRET_KEY), (CKA.KEY_TYPE, CKK.AES), (CKA.EXTRACTABLE, True), (CKA.SENSITIVE, False)
    )
    back = caller.ok(c.UNWRAP_KEY, session, key, CKM.AES_GCM, PARAMETER, wanted, data=wrapped).handle
    assert get(caller, session, back, CKA.VALUE) == AES_KEY
    for sent, rv in ((wrapped[1:], CKR.WRAPPED_KEY_INVALID), (wrapped[:TAG], CKR.WRAPPED_KEY_LEN_RANGE)):
        assert caller.call(c.UNWRAP_KEY, session, key, CKM.AES_GCM, PARAMETER, wanted, data=sent).rv is rv
