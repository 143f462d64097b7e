# SPDX-License-Identifier: Apache-2.0
"""The standard's tables of sessions (PKCS#11 3.2 §5.6): what each state of a session may do, with objects and PINs."""

import pytest

from softee.names import CKA, CKO, CKR, CKS, CKU
from softee.pkcs11_ta.abi.template import Template
from softee.pkcs11_ta.token.policy import Policy
from softee.pkcs11_ta.token.profiles import OPTEE, PORTABLE, STRICT
from support.commands import c
from support.object_calls import create, get, search, wire
from support.token_world import SO_PIN, USER_PIN, Caller, make_application, template

RO_PUBLIC, RW_PUBLIC = CKS.RO_PUBLIC_SESSION, CKS.RW_PUBLIC_SESSION
RO_USER, RW_USER, RW_SO = CKS.RO_USER_FUNCTIONS, CKS.RW_USER_FUNCTIONS, CKS.RW_SO_FUNCTIONS
READ_ONLY = {RO_PUBLIC, RO_USER}
PINS = {RO_USER: (CKU.USER, USER_PIN), RW_USER: (CKU.USER, USER_PIN), RW_SO: (CKU.SO, SO_PIN)}
STATES = (RO_PUBLIC, RW_PUBLIC, RO_USER, RW_USER, RW_SO)

IN_EVERY_STATE = pytest.mark.parametrize("state", STATES, ids=lambda state: state.name)
EVERY = pytest.mark.parametrize("policy", [OPTEE, PORTABLE, STRICT], ids=lambda policy: policy.name)
CHANGE = template((CKA.LABEL, b"changed"))
PUBLIC_ON_TOKEN = "public on the token"


def session_in(caller: Caller, state: CKS) -> int:
    session = caller.open(flags=4 if state in READ_ONLY else 6)
    if state in PINS:
        assert caller.login(session, *PINS[state]) is CKR.OK
    assert int.from_bytes(caller.ok(c.SESSION_INFO, session).output[4:8], "little") == state
    return session


def client_in(policy: Policy, state: CKS) -> tuple[Caller, int]:
    """Return a client's session in a state, on a token with a public and a private object of somebody else's making."""
    owner = Caller(make_application(policy=policy))
    session = owner.set_up()
    create(owner, session, TOKEN=True, PRIVATE=False, LABEL=PUBLIC_ON_TOKEN.encode())
    create(owner, session, TOKEN=True, PRIVATE=True, LABEL=b"private on the token")
    owner.tee.close()
    caller = Caller(owner.application)
    return caller, session_in(caller, state)


def writes_to_the_token(policy: Policy, state: CKS) -> CKR:
    """Return what becomes of a change of a public token object. That a login is needed is ours (docs/deviations.md)."""
    if state in READ_ONLY:
        return CKR.SESSION_READ_ONLY
    return CKR.USER_NOT_LOGGED_IN if state is RW_PUBLIC and policy is not OPTEE else CKR.OK


def labelled(label: bytes) -> Template:
    return template((CKA.CLASS, CKO.DATA), (CKA.LABEL, label))


@EVERY
@IN_EVERY_STATE
def test_public_session_objects_are_everybody_s_to_make_and_change(policy: Policy, state: CKS) -> None:
    caller, session = client_in(policy, state)
    handle = create(caller, session, TOKEN=False, PRIVATE=False)
    caller.ok(c.SET_ATTRIBUTE_VALUE, session, handle, CHANGE)
    assert get(caller, session, handle, CKA.LABEL) == b"changed"
    copied = caller.ok(c.COPY_OBJECT, session, handle, template()).handle
    for one in (handle, copied):
        caller.ok(c.DESTROY_OBJECT, session, one)


@EVERY
@IN_EVERY_STATE
def test_private_session_objects_are_the_user_s(policy: Policy, state: CKS) -> None:
    caller, session = client_in(policy, state)
    answer = caller.call(c.CREATE_OBJECT, session, wire("data", TOKEN=False, PRIVATE=True))
    assert answer.rv is (CKR.OK if state in {RO_USER, RW_USER} else CKR.USER_NOT_LOGGED_IN)
    if answer.rv is CKR.OK:
        caller.ok(c.SET_ATTRIBUTE_VALUE, session, answer.handle, CHANGE)
        caller.ok(c.DESTROY_OBJECT, session, answer.handle)


@EVERY
@IN_EVERY_STATE
def test_public_token_objects_are_read_by_all_and_changed_in_read_write_sessions(policy: Policy, state: CKS) -> None:
    caller, session = client_in(policy, state)
    expected = writes_to_the_token(policy, state)
    (handle,) = search(caller, session, labelled(PUBLIC_ON_TOKEN.encode()))
    assert get(caller, session, handle, CKA.LABEL) == PUBLIC_ON_TOKEN.encode()
    assert caller.call(c.CREATE_OBJECT, session, wire("data", TOKEN=True, PRIVATE=False)).rv is expected
    assert caller.call(c.COPY_OBJECT, session, handle, template()).rv is expected
    assert caller.call(c.SET_ATTRIBUTE_VALUE, session, handle, CHANGE).rv is expected
    assert caller.call(c.DESTROY_OBJECT, session, handle).rv is expected


@EVERY
@IN_EVERY_STATE
def test_private_token_objects_are_the_user_s_and_changed_in_read_write_sessions(policy: Policy, state: CKS) -> None:
    caller, session = client_in(policy, state)
    expected = {RO_USER: CKR.SESSION_READ_ONLY, RW_USER: CKR.OK}.get(state, CKR.USER_NOT_LOGGED_IN)
    made = caller.call(c.CREATE_OBJECT, session, wire("data", TOKEN=True, PRIVATE=True)).rv
    assert made is (CKR.SESSION_READ_ONLY if state in READ_ONLY else expected)
    found = search(caller, session, labelled(b"private on the token"))
    assert len(found) == (state in {RO_USER, RW_USER})
    for handle in found:
        assert get(caller, session, handle, CKA.LABEL) == b"private on the token"
        assert caller.call(c.COPY_OBJECT, session, handle, template()).rv is expected
        assert caller.call(c.SET_ATTRIBUTE_VALUE, session, handle, CHANGE).rv is expected
        assert caller.call(c.DESTROY_OBJECT, session, handle).rv is expected


@EVERY
@IN_EVERY_STATE
def test_init_pin_is_the_so_s(policy: Policy, state: CKS) -> None:
    """PKCS#11 3.2 §5.5.8."""
    caller, session = client_in(policy, state)
    assert caller.init_pin(session, b"new one") is (CKR.OK if state is RW_SO else CKR.USER_NOT_LOGGED_IN)


@EVERY
@IN_EVERY_STATE
def test_set_pin_changes_one_s_own_in_read_write_sessions(policy: Policy, state: CKS) -> None:
    """PKCS#11 3.2 §5.5.9: in a public session it is the user's."""
    caller, session = client_in(policy, state)
    own = SO_PIN if state is RW_SO else USER_PIN
    assert caller.set_pin(session, own, b"new one") is (CKR.SESSION_READ_ONLY if state in READ_ONLY else CKR.OK)


@EVERY
@IN_EVERY_STATE
def test_init_token_wants_no_session_of_anybody(policy: Policy, state: CKS) -> None:
    """PKCS#11 3.2 §5.5.7."""
    caller, _ = client_in(policy, state)
    for one in (caller, Caller(caller.application)):
        assert one.init_token() is CKR.SESSION_EXISTS


@EVERY
@IN_EVERY_STATE
def test_the_so_and_read_only_sessions_exclude_each_other(policy: Policy, state: CKS) -> None:
    """PKCS#11 3.2 §5.6.1, §5.6.8: of one application, whatever others do."""
    caller, session = client_in(policy, state)
    reading = caller.call(c.OPEN_SESSION, 0, 4)
    assert reading.rv is (CKR.SESSION_READ_WRITE_SO_EXISTS if state is RW_SO else CKR.OK)
    caller.ok(c.OPEN_SESSION, 0, 6)
    expected = {RW_SO: CKR.USER_ALREADY_LOGGED_IN, RO_USER: CKR.USER_ANOTHER_ALREADY_LOGGED_IN}
    expected[RW_USER] = CKR.USER_ANOTHER_ALREADY_LOGGED_IN
    assert caller.login(session, CKU.SO, SO_PIN) is expected.get(state, CKR.SESSION_READ_ONLY_EXISTS)
    other = Caller(caller.application)
    assert other.login(other.open(), CKU.SO, SO_PIN) is CKR.OK


@EVERY
@IN_EVERY_STATE
def test_all_sessions_of_a_client_share_one_login_and_lose_it_together(policy: Policy, state: CKS) -> None:
    """PKCS#11 3.2 §5.6.2, §5.6.10."""
    caller, session = client_in(policy, state)
    second = caller.open()
    expected = {RO_USER: RW_USER, RW_USER: RW_USER, RW_SO: RW_SO}.get(state, RW_PUBLIC)
    assert int.from_bytes(caller.ok(c.SESSION_INFO, second).output[4:8], "little") == expected
    assert caller.logout(second) is (CKR.OK if state in PINS else CKR.USER_NOT_LOGGED_IN)
    after = RO_PUBLIC if state in READ_ONLY else RW_PUBLIC
    assert int.from_bytes(caller.ok(c.SESSION_INFO, session).output[4:8], "little") == after


def session_counts(caller: Caller, slot: int = 0) -> tuple[int, ...]:
    info = caller.ok(c.TOKEN_INFO, slot).output
    return tuple(int.from_bytes(info[at : at + 4], "little") for at in range(100, 116, 4))


@pytest.mark.parametrize("policy", [PORTABLE, STRICT], ids=lambda policy: policy.name)
def test_a_token_counts_the_sessions_of_the_application_that_asks_and_names_its_limit(policy: Policy) -> None:
    """PKCS#11 3.2 §3.3: by a single application."""
    caller = Caller(make_application(policy=policy, max_sessions=5))
    other = Caller(caller.application)
    caller.open(flags=4)
    caller.open()
    caller.open(slot=1)
    other.open()
    assert session_counts(caller) == (5, 2, 5, 1)
    assert session_counts(caller, 1) == (5, 1, 5, 1)
    assert session_counts(other) == (5, 1, 5, 1)


def test_optee_s_token_counts_the_sessions_of_all_and_names_no_limit() -> None:
    caller = Caller(make_application(policy=OPTEE))
    other = Caller(caller.application)
    caller.open(flags=4)
    other.open()
    assert session_counts(caller) == (0xFFFFFFFF, 2, 0xFFFFFFFF, 1)
