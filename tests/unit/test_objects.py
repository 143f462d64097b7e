# SPDX-License-Identifier: Apache-2.0
"""Making, changing, copying and destroying objects through the command ABI: every return value.

The rules are those of PKCS#11 3.2 §5.7.1, PKCS#11 3.2 §5.7.2, PKCS#11 3.2 §5.7.3, PKCS#11 3.2 §5.7.5, PKCS#11 3.2
§5.7.6.
"""

import pytest

from softee.names import CKA, CKK, CKM, CKO, CKR, CKU
from support.commands import c
from support.object_calls import FIRST_SESSION_OBJECT, Values, create, fresh_caller, generate, get, search, wire
from support.samples import OBJECT_SAMPLES, as_template, sample
from support.samples.aes import AES_KEY
from support.token_world import SO_PIN, Caller, make_application, template

READ_ONLY = 4


@pytest.fixture(scope="module")
def caller() -> Caller:
    return fresh_caller()[0]


@pytest.fixture
def session(caller: Caller) -> int:
    """Return a read-write session in which the user is logged in."""
    return caller.open()


@pytest.mark.parametrize(
    ("attributes", "rv"),
    [
        (((CKA.VALUE, b"hello"),), CKR.TEMPLATE_INCONSISTENT),
        (((CKA.CLASS, CKO.DATA),), CKR.OK),
        (((CKA.CLASS, 0x99),), CKR.TEMPLATE_INCONSISTENT),
        (((CKA.CLASS, CKO.SECRET_KEY),), CKR.TEMPLATE_INCONSISTENT),
        (((CKA.CLASS, CKO.SECRET_KEY), (CKA.KEY_TYPE, CKK.RSA)), CKR.TEMPLATE_INCONSISTENT),
        (((CKA.CLASS, CKO.SECRET_KEY), (CKA.KEY_TYPE, CKK.AES)), CKR.TEMPLATE_INCOMPLETE),
        (((CKA.CLASS, CKO.DATA), (CKA.CLASS, CKO.CERTIFICATE)), CKR.TEMPLATE_INCONSISTENT),
        (((CKA.CLASS, CKO.DATA), (CKA.LABEL, b"a"), (CKA.LABEL, b"b")), CKR.TEMPLATE_INCONSISTENT),
        (((CKA.CLASS, CKO.DATA), (CKA.LABEL, b"a"), (CKA.LABEL, b"a")), CKR.OK),
        (((CKA.CLASS, CKO.DATA), (CKA.KEY_TYPE, CKK.AES)), CKR.ATTRIBUTE_TYPE_INVALID),
        (((CKA.CLASS, CKO.DATA), (0x80000001, b"")), CKR.ATTRIBUTE_TYPE_INVALID),
        (((CKA.CLASS, CKO.DATA), (CKA.TOKEN, b"\2")), CKR.ATTRIBUTE_VALUE_INVALID),
        (((CKA.CLASS, b"\0"),), CKR.ATTRIBUTE_VALUE_INVALID),
    ],
)
def test_a_template_that_makes_no_object_is_refused(caller: Caller, session: int, attributes: Values, rv: CKR) -> None:
    assert caller.call(c.CREATE_OBJECT, session, template(*attributes)).rv is rv


@pytest.mark.parametrize("kind", OBJECT_SAMPLES)
@pytest.mark.parametrize("token", [False, True])
def test_every_kind_of_object_is_created_found_and_destroyed(
    caller: Caller, session: int, kind: str, *, token: bool
) -> None:
    handle = create(caller, session, kind, TOKEN=token, PRIVATE=True, LABEL=b"one of all kinds")
    assert (handle >= FIRST_SESSION_OBJECT) is not token
    wanted = template((CKA.LABEL, b"one of all kinds"), (CKA.TOKEN, token))
    assert search(caller, session, wanted) == [handle]
    caller.ok(c.DESTROY_OBJECT, session, handle)
    assert search(caller, session, wanted) == []
    assert caller.call(c.DESTROY_OBJECT, session, handle).rv is CKR.OBJECT_HANDLE_INVALID


def test_a_certificate_category_out_of_range_is_refused_as_op_tee_does(caller: Caller, session: int) -> None:
    wanted = template(*as_template(sample("X.509 certificate")), (CKA.CERTIFICATE_CATEGORY, 0xFFFFFFFF))
    assert caller.call(c.CREATE_OBJECT, session, wanted).rv is CKR.ATTRIBUTE_VALUE_INVALID


def test_a_certificate_needs_a_value_or_a_url(caller: Caller, session: int) -> None:
    bare = template((CKA.CLASS, CKO.CERTIFICATE), (CKA.CERTIFICATE_TYPE, 0), (CKA.SUBJECT, b"\x30\0"))
    assert caller.call(c.CREATE_OBJECT, session, bare).rv is CKR.TEMPLATE_INCOMPLETE
    assert create(caller, session, "X.509 certificate", VALUE=b"", URL=b"https://example.com/cert")


def test_an_identifier_of_a_certificate_can_be_changed(caller: Caller, session: int) -> None:
    certificate = create(caller, session, "X.509 certificate")
    caller.ok(c.SET_ATTRIBUTE_VALUE, session, certificate, template((CKA.ID, b"\x99")))
    assert get(caller, session, certificate, CKA.ID) == b"\x99"


def test_a_trusted_certificate_cannot_be_changed(caller: Caller) -> None:
    caller = Caller(make_application())
    session = caller.set_up()
    certificate = create(caller, session, "X.509 certificate", TOKEN=True)
    trust = template((CKA.TRUSTED, True))
    assert caller.call(c.SET_ATTRIBUTE_VALUE, session, certificate, trust).rv is CKR.ATTRIBUTE_READ_ONLY
    caller.logout(session)
    caller.login(session, CKU.SO, SO_PIN)
    caller.ok(c.SET_ATTRIBUTE_VALUE, session, certificate, trust)
    label = template((CKA.LABEL, b"x"))
    assert caller.call(c.SET_ATTRIBUTE_VALUE, session, certificate, label).rv is CKR.ATTRIBUTE_READ_ONLY


def test_a_read_only_session_changes_no_token_object(caller: Caller, session: int) -> None:
    read_only = caller.open(flags=READ_ONLY)
    label = template((CKA.LABEL, b"x"))
    lasting = create(caller, session, TOKEN=True)
    for answer in (
        caller.call(c.CREATE_OBJECT, read_only, wire("data", TOKEN=True)),
        caller.call(c.SET_ATTRIBUTE_VALUE, read_only, lasting, label),
        caller.call(c.COPY_OBJECT, read_only, lasting, template()),
        caller.call(c.DESTROY_OBJECT, read_only, lasting),
        caller.call(c.GENERATE_KEY, read_only, CKM.AES_KEY_GEN, b"", template((CKA.VALUE_LEN, 16), (CKA.TOKEN, True))),
    ):
        assert answer.rv is CKR.SESSION_READ_ONLY
    volatile = create(caller, read_only)
    caller.ok(c.SET_ATTRIBUTE_VALUE, read_only, volatile, label)
    caller.ok(c.COPY_OBJECT, read_only, lasting, template((CKA.TOKEN, False)))
    caller.ok(c.DESTROY_OBJECT, read_only, volatile)


def test_private_objects_need_the_users_login(caller: Caller) -> None:
    stranger = Caller(caller.application)
    session = stranger.open()
    private = template((CKA.VALUE_LEN, 16), (CKA.PRIVATE, True))
    assert stranger.call(c.CREATE_OBJECT, session, wire("data", PRIVATE=True)).rv is CKR.USER_NOT_LOGGED_IN
    generated = stranger.call(c.GENERATE_KEY, session, CKM.AES_KEY_GEN, b"", private)
    assert generated.rv is CKR.USER_NOT_LOGGED_IN
    public = create(stranger, session)
    copied = stranger.call(c.COPY_OBJECT, session, public, template((CKA.PRIVATE, True)))
    assert copied.rv is CKR.USER_NOT_LOGGED_IN


def test_anybody_makes_public_objects_on_the_token(caller: Caller) -> None:
    stranger = Caller(caller.application)
    session = stranger.open()
    handle = create(stranger, session, "X.509 certificate", TOKEN=True, LABEL=b"public")
    stranger.ok(c.SET_ATTRIBUTE_VALUE, session, handle, template((CKA.LABEL, b"changed")))
    stranger.ok(c.DESTROY_OBJECT, session, handle)


def test_session_objects_go_with_their_session(caller: Caller, session: int) -> None:
    maker = caller.open()
    handle = create(caller, maker)
    assert get(caller, session, handle, CKA.TOKEN) == b"\0"
    caller.ok(c.CLOSE_SESSION, maker)
    gone = caller.call(c.GET_ATTRIBUTE_VALUE, session, handle, template((CKA.TOKEN, b"")))
    assert gone.rv is CKR.OBJECT_HANDLE_INVALID


def test_attributes_change_all_or_none(caller: Caller, session: int) -> None:
    key = generate(caller, session, (CKA.EXTRACTABLE, True))
    wanted = template((CKA.LABEL, b"new"), (CKA.SENSITIVE, True), (CKA.LOCAL, False))
    assert caller.call(c.SET_ATTRIBUTE_VALUE, session, key, wanted).rv is CKR.ATTRIBUTE_READ_ONLY
    assert (get(caller, session, key, CKA.LABEL), get(caller, session, key, CKA.SENSITIVE)) == (b"", b"\0")


@pytest.mark.parametrize(
    ("attribute", "rv"),
    [
        ((CKA.CLASS, 0), CKR.ATTRIBUTE_READ_ONLY),
        ((CKA.LOCAL, True), CKR.ATTRIBUTE_READ_ONLY),
        ((CKA.ALWAYS_SENSITIVE, False), CKR.ATTRIBUTE_READ_ONLY),
        ((CKA.NEVER_EXTRACTABLE, False), CKR.ATTRIBUTE_READ_ONLY),
        ((CKA.TOKEN, True), CKR.ATTRIBUTE_READ_ONLY),
        ((CKA.PRIVATE, True), CKR.ATTRIBUTE_READ_ONLY),
        ((CKA.MODIFIABLE, False), CKR.ATTRIBUTE_READ_ONLY),
        ((CKA.DESTROYABLE, False), CKR.ATTRIBUTE_READ_ONLY),
        ((CKA.SENSITIVE, False), CKR.ATTRIBUTE_READ_ONLY),
        ((CKA.EXTRACTABLE, True), CKR.ATTRIBUTE_READ_ONLY),
        ((CKA.COPYABLE, True), CKR.ATTRIBUTE_READ_ONLY),
        ((CKA.TRUSTED, True), CKR.ATTRIBUTE_READ_ONLY),
        ((CKA.APPLICATION, b"Dummy Ob"), CKR.ATTRIBUTE_TYPE_INVALID),
        ((CKA.LABEL, b"New Object lable"), CKR.OK),
    ],
)
def test_op_tees_own_test_of_changes_gets_op_tees_answers(
    caller: Caller, session: int, attribute: tuple[int, bytes | bool | int], rv: CKR
) -> None:
    key = generate(caller, session, (CKA.SENSITIVE, True), (CKA.COPYABLE, False))
    assert caller.call(c.SET_ATTRIBUTE_VALUE, session, key, template(attribute)).rv is rv


@pytest.mark.parametrize("token", [False, True])
def test_an_object_may_forbid_what_is_done_with_it(caller: Caller, session: int, *, token: bool) -> None:
    stiff = create(caller, session, TOKEN=token, MODIFIABLE=False, COPYABLE=False, DESTROYABLE=False)
    for answer in (
        caller.call(c.SET_ATTRIBUTE_VALUE, session, stiff, template((CKA.LABEL, b"x"))),
        caller.call(c.COPY_OBJECT, session, stiff, template()),
        caller.call(c.DESTROY_OBJECT, session, stiff),
    ):
        assert answer.rv is CKR.ACTION_PROHIBITED


def test_a_copy_moves_between_session_and_token_and_keeps_the_rest(caller: Caller, session: int) -> None:
    key = create(caller, session, "AES key", EXTRACTABLE=True, LABEL=b"original")
    copy = caller.ok(c.COPY_OBJECT, session, key, template((CKA.TOKEN, True), (CKA.PRIVATE, True))).handle
    assert copy < FIRST_SESSION_OBJECT
    assert get(caller, session, copy, CKA.VALUE) == AES_KEY
    assert get(caller, session, copy, CKA.LABEL) == b"original"
    caller.ok(c.DESTROY_OBJECT, session, key)
    assert get(caller, session, copy, CKA.VALUE) == AES_KEY
