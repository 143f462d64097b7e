# SPDX-License-Identifier: Apache-2.0
"""AES key wrap at its edges: sizes, initialization vectors, what each of its forms makes of another's bytes."""

import pytest

from softee.names import CKA, CKK, CKM, CKO, CKR
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.mechanisms.functions import Wrapping
from softee.pkcs11_ta.mechanisms.table import MECHANISMS
from softee.pkcs11_ta.token.profiles import PORTABLE
from support import keys
from support import mechanism_runs as run
from support.commands import c
from support.object_calls import create, get
from support.samples import IN_PKCS8, as_template, sample
from support.token_world import Caller, make_application, template

KEY = keys.aes_key(bytes(range(32)))
KW, KWP, PKCS7 = CKM.AES_KEY_WRAP, CKM.AES_KEY_WRAP_KWP, CKM.AES_KEY_WRAP_PKCS7
FORMS = (KW, KWP, PKCS7, CKM.AES_KEY_WRAP_PAD)
each = pytest.mark.parametrize("mechanism", FORMS, ids=lambda one: one.name)


@pytest.mark.parametrize(
    ("mechanism", "sizes"),
    [(KW, (0, 1, 8, 15, 17, 23)), (KWP, (0,)), (PKCS7, (0, 1, 7))],
    ids=lambda one: one.name if isinstance(one, CKM) else "",
)
def test_data_of_another_size_is_refused(mechanism: CKM, sizes: tuple[int, ...]) -> None:
    for size in sizes:
        with pytest.raises(Pkcs11Error) as caught:
            run.encrypt(mechanism, KEY, b"", bytes(size))
        assert caught.value.rv is CKR.DATA_LEN_RANGE


@pytest.mark.parametrize(("mechanism", "least"), [(KW, 24), (KWP, 16), (PKCS7, 24)])
def test_a_ciphertext_of_another_size_is_refused_for_it(mechanism: CKM, least: int) -> None:
    for size in (0, 7, least - 8, least - 1, least + 1, least + 7):
        with pytest.raises(Pkcs11Error) as caught:
            run.decrypt(mechanism, KEY, b"", bytes(size))
        assert caught.value.rv is CKR.ENCRYPTED_DATA_LEN_RANGE
    with pytest.raises(Pkcs11Error) as caught:
        run.decrypt(mechanism, KEY, b"", bytes(least))
    assert caught.value.rv is CKR.ENCRYPTED_DATA_INVALID


@pytest.mark.parametrize(("mechanism", "size"), [(KW, 8), (PKCS7, 7)])
def test_a_value_too_short_for_key_wrap_is_refused(mechanism: CKM, size: int) -> None:
    with pytest.raises(Pkcs11Error) as caught:
        MECHANISMS[mechanism].of(Wrapping).wrap(KEY, None, bytes(size))
    assert caught.value.rv is CKR.KEY_SIZE_RANGE


def test_the_default_initialization_vector_is_taken_and_no_other() -> None:
    for mechanism in FORMS:
        default = bytes.fromhex("a65959a6") if mechanism is KWP else b"\xa6" * 8
        for iv in (b"", default):
            MECHANISMS[mechanism].parameter(iv)
        for iv in (default[:-1], default + b"\0", bytes(len(default)), b"\xa6" * 16):
            with pytest.raises(Pkcs11Error) as caught:
                MECHANISMS[mechanism].parameter(iv)
            assert caught.value.rv is CKR.MECHANISM_PARAM_INVALID


@each
def test_an_altered_bit_anywhere_gives_nothing_and_one_error(mechanism: CKM) -> None:
    wrapped = run.encrypt(mechanism, KEY, b"", bytes(range(24)))
    for place in range(len(wrapped)):
        for altered in (
            wrapped[:place] + bytes([wrapped[place] ^ 1]) + wrapped[place + 1 :],
            wrapped[place:] + wrapped[:place],
        ):
            if altered == wrapped:
                continue
            with pytest.raises(Pkcs11Error) as caught:
                MECHANISMS[mechanism].of(Wrapping).unwrap(KEY, None, altered)
            assert str(caught.value) == "CKR_WRAPPED_KEY_INVALID: the bytes were not wrapped so with this key"


def test_what_one_form_has_wrapped_the_other_does_not_take() -> None:
    value = bytes(range(32))
    wrapped = {mechanism: MECHANISMS[mechanism].of(Wrapping).wrap(KEY, None, value) for mechanism in (KW, KWP)}
    for mechanism, other in ((KW, KWP), (KWP, KW), (KWP, PKCS7)):
        with pytest.raises(Pkcs11Error, match="WRAPPED_KEY_INVALID"):
            MECHANISMS[other].of(Wrapping).unwrap(KEY, None, wrapped[mechanism])


@each
def test_a_key_of_a_size_between_is_refused_before_any_data(mechanism: CKM) -> None:
    for begin in (run.encryption, run.decryption):
        with pytest.raises(Pkcs11Error, match="KEY_SIZE_RANGE: AES has no keys of 20 bytes"):
            begin(mechanism, keys.aes_key(bytes(20)), b"")


@pytest.fixture(scope="module")
def caller() -> Caller:
    return Caller(make_application(policy=PORTABLE))


@pytest.fixture(scope="module")
def session(caller: Caller) -> int:
    return caller.set_up()


@each
@pytest.mark.parametrize("kind", IN_PKCS8)
def test_a_private_key_comes_back_from_every_form(caller: Caller, session: int, mechanism: CKM, kind: str) -> None:
    kek = create(caller, session, "AES key", WRAP=True, UNWRAP=True)
    key = create(caller, session, kind, EXTRACTABLE=True, SENSITIVE=False)
    wrapped = caller.ok(c.WRAP_KEY, session, kek, key, mechanism, b"").output
    said = {attribute: value for attribute, value in sample(kind).items() if attribute in (CKA.CLASS, CKA.KEY_TYPE)}
    wanted = as_template({**said, CKA.SENSITIVE: False, CKA.EXTRACTABLE: True})
    back = caller.ok(c.UNWRAP_KEY, session, kek, mechanism, b"", wanted, data=wrapped).handle
    for attribute in sample(kind):
        assert get(caller, session, back, attribute) == get(caller, session, key, attribute)


@pytest.mark.parametrize("mechanism", [KWP, CKM.AES_CBC_PAD, PKCS7], ids=lambda one: one.name)
@pytest.mark.parametrize("size", [9, 20, 64])
def test_a_secret_of_any_length_keeps_it(caller: Caller, session: int, mechanism: CKM, size: int) -> None:
    parameter = bytes(16) if mechanism is CKM.AES_CBC_PAD else b""
    kek = create(caller, session, "AES key", WRAP=True, UNWRAP=True)
    value = bytes(range(size - 1)) + b"\0"
    key = create(caller, session, "generic secret key", EXTRACTABLE=True, VALUE=value)
    wrapped = caller.ok(c.WRAP_KEY, session, kek, key, mechanism, parameter).output
    shown = template(
        (CKA.CLASS, CKO.SECRET_KEY), (CKA.KEY_TYPE, CKK.GENERIC_SECRET), (CKA.SENSITIVE, False), (CKA.EXTRACTABLE, True)
    )
    back = caller.ok(c.UNWRAP_KEY, session, kek, mechanism, parameter, shown, data=wrapped).handle
    assert get(caller, session, back, CKA.VALUE) == value


def test_kw_fills_up_with_zeros_which_come_back(caller: Caller, session: int) -> None:
    kek = create(caller, session, "AES key", WRAP=True, UNWRAP=True)
    key = create(caller, session, "generic secret key", EXTRACTABLE=True, VALUE=b"twenty bytes of key.")
    wrapped = caller.ok(c.WRAP_KEY, session, kek, key, KW, b"").output
    assert len(wrapped) == 32
    shown = (
        (CKA.CLASS, CKO.SECRET_KEY),
        (CKA.KEY_TYPE, CKK.GENERIC_SECRET),
        (CKA.SENSITIVE, False),
        (CKA.EXTRACTABLE, True),
    )
    for length, value in (((), b"twenty bytes of key.\0\0\0\0"), (((CKA.VALUE_LEN, 20),), b"twenty bytes of key.")):
        wanted = template(*shown, *length)
        back = caller.ok(c.UNWRAP_KEY, session, kek, KW, b"", wanted, data=wrapped).handle
        assert get(caller, session, back, CKA.VALUE) == value
