# SPDX-License-Identifier: Apache-2.0
"""RSA wraps keys: what fits, what comes back, and one answer to whatever does not unwrap."""

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15

from softee.names import CKA, CKG, CKK, CKM, CKO, CKR
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.keys.rsa import public_key
from softee.pkcs11_ta.mechanisms.functions import Wrapping
from softee.pkcs11_ta.mechanisms.table import MECHANISMS
from softee.pkcs11_ta.token.profiles import OPTEE, PORTABLE, STRICT
from support import keys
from support import mechanism_runs as run
from support.commands import c
from support.mechanism_runs import u32
from support.object_calls import create, get
from support.samples import IN_PKCS8, as_template, sample
from support.samples.rsa import rsa_key
from support.token_world import Attribute, Caller, make_application, template

KEY = keys.rsa_pair(1024)
SIZE = 128
OAEP = u32(CKM.SHA_1, CKG.MGF1_SHA1, 1, 0)
PARAMETER = {CKM.RSA_PKCS: b"", CKM.RSA_PKCS_OAEP: OAEP, CKM.RSA_AES_KEY_WRAP: u32(256) + OAEP}
LARGEST = {CKM.RSA_PKCS: SIZE - 11, CKM.RSA_PKCS_OAEP: SIZE - 42}
each = pytest.mark.parametrize("mechanism", PARAMETER, ids=lambda one: one.name)
SECRET = (CKA.CLASS, CKO.SECRET_KEY)
GENERIC = (SECRET, (CKA.KEY_TYPE, CKK.GENERIC_SECRET))
SHOWN = ((CKA.SENSITIVE, False), (CKA.EXTRACTABLE, True))


@pytest.mark.parametrize("mechanism", LARGEST, ids=lambda one: one.name)
def test_a_value_as_long_as_fits_is_wrapped_and_no_longer_one(mechanism: CKM) -> None:
    value = bytes(range(LARGEST[mechanism]))
    wrapped = run.wrap(mechanism, KEY, PARAMETER[mechanism], value)
    assert run.unwrap(mechanism, KEY, PARAMETER[mechanism], wrapped) == value
    with pytest.raises(Pkcs11Error, match="KEY_SIZE_RANGE"):
        run.wrap(mechanism, KEY, PARAMETER[mechanism], value + b"\0")


@pytest.mark.parametrize("bits", [0, 64, 127, 129, 512, 2**32 - 1])
def test_an_aes_key_of_another_size_is_refused(bits: int) -> None:
    with pytest.raises(Pkcs11Error, match=f"MECHANISM_PARAM_INVALID: ulAESKeyBits {bits} "):
        MECHANISMS[CKM.RSA_AES_KEY_WRAP].parameter(u32(bits) + OAEP)


def test_an_rsa_key_without_room_for_the_aes_key_is_refused() -> None:
    sha512 = u32(256, CKM.SHA512, CKG.MGF1_SHA512, 1, 0)
    with pytest.raises(Pkcs11Error, match="WRAPPING_KEY_SIZE_RANGE"):
        run.wrap(CKM.RSA_AES_KEY_WRAP, KEY, sha512, bytes(16))


@pytest.mark.parametrize("mechanism", [CKM.RSA_PKCS_OAEP, CKM.RSA_AES_KEY_WRAP], ids=lambda one: one.name)
def test_an_altered_bit_anywhere_is_refused_with_one_error(mechanism: CKM) -> None:
    wrapped = run.wrap(mechanism, KEY, PARAMETER[mechanism], bytes(range(32)))
    for place in range(0, len(wrapped), 7):
        altered = wrapped[:place] + bytes([wrapped[place] ^ 1]) + wrapped[place + 1 :]
        with pytest.raises(Pkcs11Error) as caught:
            run.unwrap(mechanism, KEY, PARAMETER[mechanism], altered)
        assert str(caught.value) == "CKR_WRAPPED_KEY_INVALID: the bytes were not wrapped so for this key"
        assert caught.value.__cause__ is None


def test_an_aes_key_of_no_aes_size_inside_is_refused_with_the_same_error() -> None:
    by_oaep = run.encrypt(CKM.RSA_PKCS_OAEP, KEY, OAEP, bytes(20))
    with pytest.raises(Pkcs11Error, match="WRAPPED_KEY_INVALID: the bytes were not wrapped so for this key"):
        run.unwrap(CKM.RSA_AES_KEY_WRAP, KEY, PARAMETER[CKM.RSA_AES_KEY_WRAP], by_oaep + bytes(24))


def test_a_number_above_the_modulus_is_refused() -> None:
    for mechanism in LARGEST:
        with pytest.raises(Pkcs11Error, match="WRAPPED_KEY_INVALID"):
            run.unwrap(mechanism, KEY, PARAMETER[mechanism], b"\xff" * SIZE)


def test_each_wraps_on_a_board_what_it_wraps_there() -> None:
    wrapping = {
        policy.name: {
            number
            for number in PARAMETER
            if any(isinstance(one, Wrapping) for one in policy.mechanism(number).functions)
        }
        for policy in (OPTEE, PORTABLE, STRICT)
    }
    assert wrapping == {
        "optee": {CKM.RSA_AES_KEY_WRAP},
        "portable": set(PARAMETER),
        "strict": {CKM.RSA_PKCS_OAEP, CKM.RSA_AES_KEY_WRAP},
    }


@pytest.fixture(scope="module")
def caller() -> Caller:
    return Caller(make_application(policy=PORTABLE))


@pytest.fixture(scope="module")
def session(caller: Caller) -> int:
    return caller.set_up()


@pytest.fixture(scope="module")
def pair(caller: Caller, session: int) -> tuple[int, int]:
    """Return an RSA key that wraps, and its private half that unwraps."""
    public = create(caller, session, "RSA public key", WRAP=True)
    return public, create(caller, session, "RSA private key", UNWRAP=True)


def unwrap(
    caller: Caller, session: int, key: int, mechanism: CKM, wrapped: bytes, *attributes: Attribute
) -> tuple[CKR, int]:
    answer = caller.call(
        c.UNWRAP_KEY, session, key, mechanism, PARAMETER[mechanism], template(*attributes), data=wrapped
    )
    return answer.rv, answer.handle


@each
@pytest.mark.parametrize("size", [16, 24, 32])
def test_an_aes_key_comes_back(caller: Caller, session: int, pair: tuple[int, int], mechanism: CKM, size: int) -> None:
    value = bytes(range(size))
    key = create(caller, session, "AES key", EXTRACTABLE=True, VALUE=value)
    wrapped = caller.ok(c.WRAP_KEY, session, pair[0], key, mechanism, PARAMETER[mechanism]).output
    rv, back = unwrap(caller, session, pair[1], mechanism, wrapped, SECRET, (CKA.KEY_TYPE, CKK.AES), *SHOWN)
    assert rv is CKR.OK
    assert get(caller, session, back, CKA.VALUE) == value


@pytest.mark.parametrize("kind", IN_PKCS8)
def test_a_private_key_of_every_type_comes_back_from_rsa_aes_key_wrap(
    caller: Caller, session: int, pair: tuple[int, int], kind: str
) -> None:
    key = create(caller, session, kind, EXTRACTABLE=True, SENSITIVE=False)
    by = CKM.RSA_AES_KEY_WRAP
    wrapped = caller.ok(c.WRAP_KEY, session, pair[0], key, by, PARAMETER[by]).output
    said = {attribute: value for attribute, value in sample(kind).items() if attribute in (CKA.CLASS, CKA.KEY_TYPE)}
    wanted = as_template({**said, CKA.SENSITIVE: False, CKA.EXTRACTABLE: True})
    back = caller.ok(c.UNWRAP_KEY, session, pair[1], by, PARAMETER[by], wanted, data=wrapped).handle
    for attribute in sample(kind):
        assert get(caller, session, back, attribute) == get(caller, session, key, attribute)


@pytest.mark.parametrize("mechanism", LARGEST, ids=lambda one: one.name)
def test_a_private_key_is_too_long_for_the_others(
    caller: Caller, session: int, pair: tuple[int, int], mechanism: CKM
) -> None:
    key = create(caller, session, "RSA private key", EXTRACTABLE=True)
    answer = caller.call(c.WRAP_KEY, session, pair[0], key, mechanism, PARAMETER[mechanism])
    assert answer.rv is CKR.KEY_SIZE_RANGE


@pytest.mark.parametrize("mechanism", LARGEST, ids=lambda one: one.name)
def test_a_protected_secret_of_any_length_comes_from_a_padding_where_the_template_says_its_length(
    caller: Caller, session: int, pair: tuple[int, int], mechanism: CKM
) -> None:
    """So a premaster secret of TLS is unwrapped: 48 bytes."""
    key = create(caller, session, "generic secret key", EXTRACTABLE=True, VALUE=bytes(range(48)))
    wrapped = caller.ok(c.WRAP_KEY, session, pair[0], key, mechanism, PARAMETER[mechanism]).output
    assert unwrap(caller, session, pair[1], mechanism, wrapped, *GENERIC)[0] is CKR.TEMPLATE_INCOMPLETE
    for size in (1, 47, 49):
        rv, _ = unwrap(caller, session, pair[1], mechanism, wrapped, *GENERIC, (CKA.VALUE_LEN, size))
        assert rv is CKR.WRAPPED_KEY_INVALID
    rv, back = unwrap(caller, session, pair[1], mechanism, wrapped, *GENERIC, (CKA.VALUE_LEN, 48))
    assert rv is CKR.OK
    assert get(caller, session, back, CKA.VALUE_LEN) == u32(48)


def test_a_protected_secret_of_any_length_keeps_it_in_rsa_aes_key_wrap(
    caller: Caller, session: int, pair: tuple[int, int]
) -> None:
    by = CKM.RSA_AES_KEY_WRAP
    key = create(caller, session, "generic secret key", EXTRACTABLE=True, VALUE=bytes(range(48)))
    wrapped = caller.ok(c.WRAP_KEY, session, pair[0], key, by, PARAMETER[by]).output
    for size in (1, 16, 47, 49):
        rv, _ = unwrap(caller, session, pair[1], by, wrapped, *GENERIC, (CKA.VALUE_LEN, size))
        assert rv is CKR.WRAPPED_KEY_LEN_RANGE
    assert unwrap(caller, session, pair[1], by, wrapped, *GENERIC)[0] is CKR.OK


def test_a_bad_pkcs1_padding_unwraps_to_no_key_or_to_any_and_each_time_to_the_same(
    caller: Caller, session: int, pair: tuple[int, int]
) -> None:
    """What OpenSSL makes up has any length, so one in some eighty becomes an AES key: success tells no padding."""
    native = public_key(keys.private_key(rsa_key()))
    good = native.encrypt(bytes(range(16)), PKCS1v15())
    answers = set()
    for number in range(40):
        bad = good[:-1] + bytes([good[-1] ^ (number + 1)])
        both = []
        for _ in range(2):
            rv, back = unwrap(caller, session, pair[1], CKM.RSA_PKCS, bad, SECRET, (CKA.KEY_TYPE, CKK.AES), *SHOWN)
            both.append((rv, get(caller, session, back, CKA.VALUE) if rv is CKR.OK else None))
            answers.add(rv)
        assert both[0] == both[1]
    assert answers <= {CKR.OK, CKR.WRAPPED_KEY_INVALID}


def test_optee_unwraps_a_private_key_whose_template_has_a_usage_of_other_keys() -> None:
    caller = Caller(make_application(policy=OPTEE))
    session = caller.set_up()
    public = create(caller, session, "RSA public key", WRAP=True)
    private = create(caller, session, "RSA private key", UNWRAP=True, EXTRACTABLE=True)
    kek = create(caller, session, "RSA private key", UNWRAP=True)
    by = CKM.RSA_AES_KEY_WRAP
    wrapped = caller.ok(c.WRAP_KEY, session, public, private, by, PARAMETER[by]).output
    wanted = ((CKA.CLASS, CKO.PRIVATE_KEY), (CKA.KEY_TYPE, CKK.RSA), (CKA.ENCRYPT, True), (CKA.DECRYPT, True))
    rv, back = unwrap(caller, session, kek, by, wrapped, *wanted)
    assert rv is CKR.OK
    assert get(caller, session, back, CKA.ENCRYPT) is CKR.ATTRIBUTE_TYPE_INVALID


@pytest.fixture(scope="module")
def on_a_board() -> tuple[Caller, int, int, int]:
    """A client of a token like OP-TEE's, its session, and an RSA key with its private half."""
    caller = Caller(make_application(policy=OPTEE))
    session = caller.set_up()
    public = create(caller, session, "RSA public key", ENCRYPT=True, WRAP=True)
    return caller, session, public, create(caller, session, "RSA private key", DECRYPT=True)


@pytest.mark.parametrize("size", [1, 7, 8, 9, 1000])
def test_optee_encrypts_data_as_it_wraps_keys(on_a_board: tuple[Caller, int, int, int], size: int) -> None:
    caller, session, public, private = on_a_board
    by, data = (CKM.RSA_AES_KEY_WRAP, PARAMETER[CKM.RSA_AES_KEY_WRAP]), bytes(range(256)) * 4
    key = create(caller, session, "generic secret key", EXTRACTABLE=True, VALUE=data[:size])
    wrapped = caller.ok(c.WRAP_KEY, session, public, key, *by).output
    caller.ok(c.ENCRYPT_INIT, session, public, *by)
    encrypted = caller.ok(c.ENCRYPT_ONESHOT, session, data=data[:size]).output
    assert len(encrypted) == len(wrapped) == SIZE + 8 + -(-size // 8) * 8
    for taken in (encrypted, wrapped):
        caller.ok(c.DECRYPT_INIT, session, private, *by)
        assert caller.ok(c.DECRYPT_ONESHOT, session, data=taken).output == data[:size]


def test_data_that_optee_has_not_encrypted_so_has_one_error(on_a_board: tuple[Caller, int, int, int]) -> None:
    caller, session, public, private = on_a_board
    by = (CKM.RSA_AES_KEY_WRAP, PARAMETER[CKM.RSA_AES_KEY_WRAP])
    caller.ok(c.ENCRYPT_INIT, session, public, *by)
    good = caller.ok(c.ENCRYPT_ONESHOT, session, data=bytes(9)).output
    for bad, rv in (
        *(
            (good[:place] + bytes([good[place] ^ 1]) + good[place + 1 :], CKR.ENCRYPTED_DATA_INVALID)
            for place in (5, 140)
        ),
        (b"\xff" * len(good), CKR.ENCRYPTED_DATA_INVALID),
        (good[:-8], CKR.ENCRYPTED_DATA_INVALID),
        (good[:-1], CKR.ENCRYPTED_DATA_LEN_RANGE),
        (good[:SIZE], CKR.ENCRYPTED_DATA_LEN_RANGE),
        (b"", CKR.ENCRYPTED_DATA_LEN_RANGE),
    ):
        caller.ok(c.DECRYPT_INIT, session, private, *by)
        assert caller.call(c.DECRYPT_ONESHOT, session, data=bad).rv is rv


def test_data_that_optee_cannot_encrypt_so_has_a_wrong_length(on_a_board: tuple[Caller, int, int, int]) -> None:
    caller, session, public, _ = on_a_board
    without_room = u32(256, CKM.SHA512, CKG.MGF1_SHA512, 1, 0)
    for parameter, data in ((PARAMETER[CKM.RSA_AES_KEY_WRAP], b""), (without_room, b"x")):
        caller.ok(c.ENCRYPT_INIT, session, public, CKM.RSA_AES_KEY_WRAP, parameter)
        assert caller.call(c.ENCRYPT_ONESHOT, session, data=data).rv is CKR.DATA_LEN_RANGE
