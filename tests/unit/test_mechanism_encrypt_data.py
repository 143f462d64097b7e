# SPDX-License-Identifier: Apache-2.0
"""Keys derived by encrypting data: the length of what comes out, and what the base key must not be able to do."""

import pytest

from softee.names import CKA, CKK, CKM, CKO, CKR
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.mechanisms.aes.encrypt_data import LARGEST_DATA
from softee.pkcs11_ta.mechanisms.table import MECHANISMS
from softee.pkcs11_ta.token.changes import PolicyChanges, changed
from softee.pkcs11_ta.token.policy import Policy
from softee.pkcs11_ta.token.profiles import OPTEE, PORTABLE, STRICT
from support import keys
from support import mechanism_runs as run
from support.commands import c
from support.mechanism_runs import u32
from support.object_calls import create, get
from support.token_world import Attribute, Caller, make_application, template

IV = bytes(range(16))
FRONT = {CKM.AES_ECB_ENCRYPT_DATA: b"", CKM.AES_CBC_ENCRYPT_DATA: IV}
SHOWN = ((CKA.SENSITIVE, False), (CKA.EXTRACTABLE, True), (CKA.PRIVATE, False))
SECRET = (CKA.CLASS, CKO.SECRET_KEY)
GENERIC = (SECRET, (CKA.KEY_TYPE, CKK.GENERIC_SECRET), *SHOWN)
AES = (SECRET, (CKA.KEY_TYPE, CKK.AES), *SHOWN)
both = pytest.mark.parametrize("mechanism", FRONT, ids=lambda mechanism: mechanism.name)


@pytest.fixture
def caller() -> Caller:
    return Caller(make_application(policy=PORTABLE))


@pytest.fixture
def session(caller: Caller) -> int:
    return caller.set_up()


@pytest.fixture
def base(caller: Caller, session: int) -> int:
    return create(caller, session, "AES key", DERIVE=True, PRIVATE=False)


def derive(
    caller: Caller, session: int, base: int, mechanism: CKM, data: bytes, *attributes: Attribute
) -> tuple[CKR, int]:
    parameter = FRONT[mechanism] + u32(len(data)) + data
    answer = caller.call(c.DERIVE_KEY, session, base, mechanism, parameter, template(*attributes))
    return answer.rv, answer.handle


@both
def test_the_key_is_the_beginning_of_the_ciphertext(caller: Caller, session: int, base: int, mechanism: CKM) -> None:
    same = keys.aes_key(bytes.fromhex("41df5c691c56c3880d8e44c1ebf8e23b"))
    encrypting = {CKM.AES_ECB_ENCRYPT_DATA: CKM.AES_ECB, CKM.AES_CBC_ENCRYPT_DATA: CKM.AES_CBC}[mechanism]
    whole = run.encrypt(encrypting, same, FRONT[mechanism], bytes(64))
    for attributes, size in (
        (GENERIC, 64),
        ((*GENERIC, (CKA.VALUE_LEN, 1)), 1),
        ((*GENERIC, (CKA.VALUE_LEN, 63)), 63),
        ((*AES, (CKA.VALUE_LEN, 24)), 24),
    ):
        rv, made = derive(caller, session, base, mechanism, bytes(64), *attributes)
        assert rv is CKR.OK
        assert get(caller, session, made, CKA.VALUE) == whole[:size]


@both
@pytest.mark.parametrize("size", [0, 1, 15, 17, 18, 31])
def test_data_that_is_not_whole_blocks_is_refused(
    caller: Caller, session: int, base: int, mechanism: CKM, size: int
) -> None:
    rv, _ = derive(caller, session, base, mechanism, bytes(size), *GENERIC, (CKA.VALUE_LEN, 1))
    assert rv is CKR.MECHANISM_PARAM_INVALID


@both
@pytest.mark.parametrize(("policy", "rv"), [(OPTEE, CKR.DATA_LEN_RANGE), (PORTABLE, CKR.MECHANISM_PARAM_INVALID)])
def test_the_length_of_the_data_has_a_return_value_that_the_standard_has(
    mechanism: CKM, policy: Policy, rv: CKR
) -> None:
    """PKCS#11 3.2 §5.18.5: C_DeriveKey has no CKR_DATA_LEN_RANGE, which is OP-TEE's."""
    caller = Caller(make_application(policy=policy))
    session = caller.set_up()
    base = create(caller, session, "AES key", DERIVE=True, PRIVATE=False)
    assert derive(caller, session, base, mechanism, bytes(15), *GENERIC, (CKA.VALUE_LEN, 1))[0] is rv


@both
def test_too_little_data_for_the_key_is_refused(caller: Caller, session: int, base: int, mechanism: CKM) -> None:
    wanted = (*AES, (CKA.VALUE_LEN, 32))
    assert derive(caller, session, base, mechanism, bytes(16), *wanted)[0] is CKR.MECHANISM_PARAM_INVALID
    assert derive(caller, session, base, mechanism, bytes(32), *wanted)[0] is CKR.OK


@both
def test_a_type_with_a_few_lengths_needs_one_of_them(caller: Caller, session: int, base: int, mechanism: CKM) -> None:
    assert derive(caller, session, base, mechanism, bytes(48), *AES)[0] is CKR.TEMPLATE_INCOMPLETE
    rv, _ = derive(caller, session, base, mechanism, bytes(48), *AES, (CKA.VALUE_LEN, 17))
    assert rv is CKR.ATTRIBUTE_VALUE_INVALID


@both
def test_as_optee_a_key_whose_length_nobody_says_is_the_whole_ciphertext(mechanism: CKM) -> None:
    caller = Caller(make_application(policy=OPTEE))
    session = caller.set_up()
    base = create(caller, session, "AES key", DERIVE=True)
    for attributes, size, answer in (
        (GENERIC, 48, CKR.OK),
        (AES, 32, CKR.OK),
        (AES, 48, CKR.KEY_SIZE_RANGE),
        ((*AES, (CKA.VALUE_LEN, 17)), 48, CKR.KEY_SIZE_RANGE),
    ):
        rv, made = derive(caller, session, base, mechanism, bytes(size), *attributes)
        assert rv is answer
        if rv is CKR.OK:
            assert get(caller, session, made, CKA.VALUE_LEN) == u32(size)


@both
def test_what_is_derived_is_a_secret_key(caller: Caller, session: int, base: int, mechanism: CKM) -> None:
    private = ((CKA.CLASS, CKO.PRIVATE_KEY), (CKA.KEY_TYPE, CKK.EC))
    assert derive(caller, session, base, mechanism, bytes(32), *private)[0] is CKR.TEMPLATE_INCONSISTENT


@both
def test_invariant_3_more_data_than_a_key_can_have_is_refused(mechanism: CKM) -> None:
    front = FRONT[mechanism]
    MECHANISMS[mechanism].parameter(front + u32(LARGEST_DATA) + bytes(LARGEST_DATA))
    with pytest.raises(Pkcs11Error, match="MECHANISM_PARAM_INVALID: 8193 bytes of data; 8192 are allowed"):
        MECHANISMS[mechanism].parameter(front + u32(LARGEST_DATA + 1) + bytes(LARGEST_DATA + 1))


@both
@pytest.mark.parametrize("length", [2, 2**31, 2**32 - 1])
def test_invariant_3_a_length_beyond_the_parameter_s_end_is_refused(mechanism: CKM, length: int) -> None:
    with pytest.raises(Pkcs11Error) as caught:
        MECHANISMS[mechanism].parameter(FRONT[mechanism] + u32(length) + b"x")
    assert caught.value.rv is CKR.MECHANISM_PARAM_INVALID


@both
def test_no_parameter_at_all_is_refused(caller: Caller, session: int, base: int, mechanism: CKM) -> None:
    answer = caller.call(c.DERIVE_KEY, session, base, mechanism, b"", template(*GENERIC))
    assert answer.rv is CKR.MECHANISM_PARAM_INVALID


APART = changed(STRICT, PolicyChanges(added=frozenset(FRONT), refused=frozenset()))


@both
@pytest.mark.parametrize(
    ("policy", "rv"), [(OPTEE, CKR.FUNCTION_FAILED), (PORTABLE, CKR.OK), (APART, CKR.FUNCTION_FAILED)]
)
def test_a_key_that_encrypts_derives_nothing_on_a_board_and_where_usages_are_apart(
    mechanism: CKM, policy: Policy, rv: CKR
) -> None:
    caller = Caller(make_application(policy=policy))
    session = caller.set_up()
    encrypting = create(caller, session, "AES key", DERIVE=True, ENCRYPT=True)
    assert derive(caller, session, encrypting, mechanism, bytes(32), *AES, (CKA.VALUE_LEN, 32))[0] is rv
    apart = create(caller, session, "AES key", DERIVE=True)
    assert derive(caller, session, apart, mechanism, bytes(32), *AES, (CKA.VALUE_LEN, 32))[0] is CKR.OK


def test_strict_does_not_encrypt_under_the_name_of_derivation() -> None:
    assert not FRONT.keys() & STRICT.mechanisms.keys()
