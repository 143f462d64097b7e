# SPDX-License-Identifier: Apache-2.0
"""Login by TEE identity with stock pkcs11-tool: the kernel's word in the place of a PIN, through both libraries."""

import os
from dataclasses import replace
from uuid import UUID, uuid5

import pytest

from interop.tools import SO_PIN, Programs

NAMESPACE = UUID("58ac9ca0-2086-4683-a1b8-ec4bc08e01b6")
ME = str(uuid5(NAMESPACE, f"uid={os.geteuid():x}"))
MY_GROUP = str(uuid5(NAMESPACE, f"gid={os.getegid():x}"))
SOMEBODY = str(uuid5(NAMESPACE, "uid=ffff0"))
NOT_MY_GROUP = str(next(gid for gid in range(4711, 5000) if gid not in {os.getegid(), *os.getgroups()}))

USER = {"CKTEEC_LOGIN_TYPE": "user"}
GROUP = {"CKTEEC_LOGIN_TYPE": "group", "CKTEEC_LOGIN_GID": str(os.getegid())}


@pytest.fixture
def user(programs: Programs) -> Programs:
    """Log in by user: the SO of a token without a PIN."""
    user = replace(programs, variables=USER)
    user.p11("--init-token", "--label", "mytoken", "--so-pin", "")
    return user


def name_the_user(so: Programs, who: str) -> None:
    so.p11("--login", "--login-type", "so", "--init-pin", "--new-pin", who)


def test_a_token_without_a_pin_is_used_by_who_one_is(user: Programs) -> None:
    assert "PIN pad present" in user.p11("--list-slots")
    name_the_user(user, f"user:{ME}")
    user.p11("--login", "--keypairgen", "--key-type", "EC:prime256v1", "--label", "mine")
    assert "mine" in user.p11("--login", "--list-objects", "--type", "privkey")


@pytest.mark.parametrize("other", [{}, GROUP], ids=["public", "group"])
def test_whoever_is_somebody_else_does_not_log_in(user: Programs, other: dict[str, str]) -> None:
    name_the_user(user, f"user:{ME}")
    stranger = replace(user, variables=other)
    assert "CKR_PIN_INCORRECT" in stranger.p11("--login", "--list-objects", fails=True)
    assert "CKR_PIN_INCORRECT" in stranger.p11("--init-token", "--label", "taken", "--so-pin", "", fails=True)


def test_a_group_logs_in_and_its_members_as_users_do_not(user: Programs) -> None:
    name_the_user(user, f"group:{MY_GROUP}")
    replace(user, variables=GROUP).p11("--login", "--list-objects")
    assert "CKR_PIN_INCORRECT" in user.p11("--login", "--list-objects", fails=True)


def test_another_users_uuid_lets_nobody_else_in(user: Programs) -> None:
    name_the_user(user, f"user:{SOMEBODY}")
    for pin in (f"user:{SOMEBODY}", f"user:{ME}", "public"):
        assert "CKR_PIN_INCORRECT" in user.p11("--login", "--pin", pin, "--list-objects", fails=True)


def test_the_so_goes_to_a_pin_and_back_until_there_is_a_user(user: Programs) -> None:
    user.p11("--login", "--login-type", "so", "--change-pin", "--new-pin", SO_PIN)
    assert "PIN pad present" not in user.p11("--list-slots")
    with_pin = ("--login", "--login-type", "so", "--so-pin", SO_PIN)
    replace(user, variables={}).p11(*with_pin, "--change-pin", "--new-pin", SO_PIN)
    user.p11(*with_pin, "--change-pin", "--new-pin", "")
    assert "PIN pad present" in user.p11("--list-slots")
    name_the_user(user, f"user:{ME}")
    answer = user.p11("--login", "--login-type", "so", "--change-pin", "--new-pin", SO_PIN, fails=True)
    assert "CKR_PIN_INVALID" in answer


def test_a_group_that_one_is_not_in_is_refused_even_to_root(programs: Programs) -> None:
    group = {"CKTEEC_LOGIN_TYPE": "group", "CKTEEC_LOGIN_GID": NOT_MY_GROUP}
    assert "CKR_DEVICE_ERROR" in replace(programs, variables=group).p11("--list-slots", fails=True)


@pytest.mark.parametrize(
    "variables",
    [
        {"CKTEEC_LOGIN_TYPE": "application"},
        {"CKTEEC_LOGIN_TYPE": ""},
        {"CKTEEC_LOGIN_TYPE": "group"},
        {"CKTEEC_LOGIN_TYPE": "group", "CKTEEC_LOGIN_GID": "staff"},
    ],
    ids=["unknown", "empty", "no group", "a name"],
)
def test_what_names_no_way_to_log_in_is_a_bad_argument(programs: Programs, variables: dict[str, str]) -> None:
    answer = replace(programs, variables=variables | {"SOFTEE_VERBOSE": "1"}).p11("--list-slots", fails=True)
    assert "CKR_ARGUMENTS_BAD" in answer
    assert "libckteec: CKTEEC_LOGIN_" in answer
