# SPDX-License-Identifier: Apache-2.0
"""The profiles of the standard that a token says it has, as objects that nobody makes or changes.

The rules are those of PKCS#11 3.2 §4.14 and PKCS#11 3.2 §4.15.
"""

from dataclasses import replace

import pytest

from softee.names import CKA, CKM, CKO, CKP, CKR, CKU
from softee.pkcs11_ta.token.changes import PolicyChanges, changed
from softee.pkcs11_ta.token.object import FIRST_PRESENTED_HANDLE, LAST_SESSION_HANDLE
from softee.pkcs11_ta.token.policy import Policy
from softee.pkcs11_ta.token.presented import profiles_of
from softee.pkcs11_ta.token.profiles import OPTEE, PORTABLE, STRICT
from support.commands import c
from support.object_calls import create, get, search
from support.token_world import SO_PIN, Caller, make_application, public_client, template, u32

ALL = (CKP.BASELINE_PROVIDER, CKP.EXTENDED_PROVIDER, CKP.AUTHENTICATION_TOKEN, CKP.PUBLIC_CERTIFICATES_TOKEN)
PROFILES = template((CKA.CLASS, CKO.PROFILE))
T, F = True, False


def prepared(policy: Policy = PORTABLE) -> tuple[Caller, int]:
    caller = Caller(make_application(policy=policy))
    return caller, caller.set_up()


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (PORTABLE, ALL),
        # CKM_RSA_PKCS neither encrypts nor wraps there, as the test case of the extended provider wants.
        (STRICT, (CKP.BASELINE_PROVIDER, CKP.AUTHENTICATION_TOKEN, CKP.PUBLIC_CERTIFICATES_TOKEN)),
        (OPTEE, ()),
    ],
    ids=lambda value: value.name if isinstance(value, Policy) else "",
)
def test_a_token_has_the_profiles_whose_test_cases_pass(policy: Policy, expected: tuple[CKP, ...]) -> None:
    caller, session = prepared(policy)
    found = search(caller, session, PROFILES)
    assert [get(caller, session, one, CKA.PROFILE_ID) for one in found] == [u32(profile) for profile in expected]


def test_a_profile_goes_with_the_mechanism_that_its_test_case_uses() -> None:
    without = changed(PORTABLE, PolicyChanges(refused=frozenset({CKM.SHA256_RSA_PKCS})))
    assert CKP.AUTHENTICATION_TOKEN not in profiles_of(without)
    assert CKP.EXTENDED_PROVIDER in profiles_of(without)
    assert CKP.EXTENDED_PROVIDER not in profiles_of(replace(PORTABLE, mechanisms={}))


def test_a_profile_is_public_and_shows_what_every_object_shows() -> None:
    caller, _ = prepared()
    stranger = Caller(caller.application, public_client(pid=7))
    session = stranger.open(flags=4)
    handle = search(stranger, session, template((CKA.PROFILE_ID, CKP.AUTHENTICATION_TOKEN)))[0]
    expected = {
        CKA.CLASS: u32(CKO.PROFILE),
        CKA.TOKEN: b"\1",
        CKA.PRIVATE: b"\0",
        CKA.MODIFIABLE: b"\0",
        CKA.COPYABLE: b"\0",
        CKA.DESTROYABLE: b"\0",
        CKA.LABEL: b"Authentication Token",
        CKA.UNIQUE_ID: b"CKP_AUTHENTICATION_TOKEN",
        CKA.VALUE: CKR.ATTRIBUTE_TYPE_INVALID,
    }
    assert {attribute: get(stranger, session, handle, attribute) for attribute in expected} == expected
    assert stranger.ok(c.GET_OBJECT_SIZE, session, handle).handle > 0


def test_profiles_are_found_by_who_asks_for_them_and_keep_their_handles() -> None:
    caller, session = prepared()
    profiles = search(caller, session, PROFILES)
    on_token, in_session = create(caller, session, TOKEN=True), create(caller, session)
    assert search(caller, session, template()) == [in_session, on_token]
    assert search(caller, session, template((CKA.LABEL, b"Baseline Provider"))) == []
    kind = (CKA.CLASS, CKO.PROFILE)
    assert search(caller, session, template(kind, (CKA.TOKEN, T))) == profiles
    assert search(caller, session, template(kind, (CKA.TOKEN, F))) == []
    assert search(caller, session, template(kind, (CKA.LABEL, b"Baseline Provider"))) == profiles[:1]
    assert search(caller, session, template((CKA.PROFILE_ID, CKP.BASELINE_PROVIDER))) == profiles[:1]
    other, elsewhere = prepared()
    assert search(other, elsewhere, PROFILES) == profiles
    assert min(profiles) > LAST_SESSION_HANDLE


@pytest.mark.parametrize("user", [None, CKU.USER, CKU.SO])
def test_nobody_changes_copies_or_destroys_a_profile(user: CKU | None) -> None:
    caller, session = prepared()
    handle = search(caller, session, PROFILES)[0]
    caller.logout(session)
    if user is not None:
        assert caller.login(session, user, *((SO_PIN,) if user is CKU.SO else ())) is CKR.OK
    wanted = CKR.USER_NOT_LOGGED_IN if user is None else CKR.ACTION_PROHIBITED
    assert caller.call(c.SET_ATTRIBUTE_VALUE, session, handle, template((CKA.LABEL, b"mine"))).rv is wanted
    assert caller.call(c.DESTROY_OBJECT, session, handle).rv is wanted
    assert caller.call(c.COPY_OBJECT, session, handle, template((CKA.TOKEN, F))).rv is CKR.ACTION_PROHIBITED
    assert get(caller, session, handle, CKA.LABEL) == b"Baseline Provider"


@pytest.mark.parametrize("object_class", [CKO.PROFILE, CKO.VALIDATION, CKO.MECHANISM, CKO.HW_FEATURE])
@pytest.mark.parametrize("policy", [PORTABLE, STRICT, OPTEE], ids=lambda policy: policy.name)
def test_nobody_makes_what_the_token_says_of_itself(policy: Policy, object_class: CKO) -> None:
    caller, session = prepared(policy)
    made = caller.call(c.CREATE_OBJECT, session, template((CKA.CLASS, object_class), (CKA.TOKEN, T)))
    assert made.rv is (CKR.TEMPLATE_INCONSISTENT if policy is OPTEE else CKR.ATTRIBUTE_VALUE_INVALID)


def test_nobody_has_validated_the_token() -> None:
    caller, session = prepared()
    assert search(caller, session, template((CKA.CLASS, CKO.VALIDATION))) == []


def test_a_profile_is_no_key() -> None:
    caller, session = prepared()
    handle = search(caller, session, PROFILES)[0]
    assert caller.call(c.SIGN_INIT, session, handle, CKM.SHA256_HMAC, b"").rv is CKR.KEY_HANDLE_INVALID


@pytest.mark.parametrize("policy", [PORTABLE, OPTEE], ids=lambda policy: policy.name)
def test_a_handle_beyond_the_profiles_names_nothing(policy: Policy) -> None:
    caller, session = prepared(policy)
    for handle in (FIRST_PRESENTED_HANDLE, FIRST_PRESENTED_HANDLE + CKP.HKDF_TLS_TOKEN, 0xFFFFFFFF):
        assert caller.call(c.GET_OBJECT_SIZE, session, handle).rv is CKR.OBJECT_HANDLE_INVALID
