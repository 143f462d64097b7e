# SPDX-License-Identifier: Apache-2.0
"""Identity comes from the kernel's word alone, and its UUIDs are those of Linux' TEE subsystem."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softee.names import LoginMethod, TeeResult
from softee.tee.application import TeeError
from softee.tee.identity import OVERFLOW_ID, PeerCredentials, identify

PEER = PeerCredentials(pid=10, uid=1000, gid=100, groups=frozenset({5, 7}))


def test_public_is_the_nil_uuid() -> None:
    identity = identify(PEER, LoginMethod.PUBLIC, 0)
    assert identity.uuid == UUID(int=0)
    assert (identity.pid, identity.uid, identity.gid, identity.login) == (10, 1000, 100, LoginMethod.PUBLIC)


@pytest.mark.parametrize(
    ("login", "data", "uuid"),
    [
        # SHA-1 of the namespace and uid=3e8, gid=64, gid=7, made into UUIDs by hand as RFC 9562, section 5.5 says.
        (LoginMethod.USER, 0, "fc34275c-d8dd-5ba7-968b-504718363b87"),
        (LoginMethod.GROUP, 100, "d32f761e-b364-519b-be12-ed54ba663b0a"),
        (LoginMethod.GROUP, 7, "513a7f2b-0d6c-5e55-9156-c33637dea327"),
    ],
)
def test_users_and_groups_have_the_kernels_uuids(login: LoginMethod, data: int, uuid: str) -> None:
    assert identify(PEER, login, data).uuid == UUID(uuid)


@given(st.integers(0, 0xFFFFFFFE).filter(lambda gid: gid not in (5, 7, 100)))
def test_a_group_that_the_process_is_not_in_is_refused(gid: int) -> None:
    with pytest.raises(TeeError) as caught:
        identify(PEER, LoginMethod.GROUP, gid)
    assert caught.value.result is TeeResult.ACCESS_DENIED


def test_root_is_a_user_of_its_own_and_in_no_group_that_it_is_not_in() -> None:
    root = PeerCredentials(pid=10, uid=0, gid=0)
    # SHA-1 of the namespace and uid=0, made into a UUID by hand as above.
    assert identify(root, LoginMethod.USER, 0).uuid == UUID("ef0180a3-13f3-5d1c-b7f5-888c0e21059a")
    assert identify(root, LoginMethod.GROUP, 0).uuid != identify(root, LoginMethod.USER, 0).uuid
    with pytest.raises(TeeError) as caught:
        identify(root, LoginMethod.GROUP, 100)
    assert caught.value.result is TeeResult.ACCESS_DENIED


@pytest.mark.parametrize(("login", "data"), [(LoginMethod.USER, 0), (LoginMethod.GROUP, 5), (LoginMethod.GROUP, 100)])
def test_the_overflow_uid_cannot_log_in_by_identity(login: LoginMethod, data: int) -> None:
    with pytest.raises(TeeError) as caught:
        identify(PeerCredentials(10, OVERFLOW_ID, 100, frozenset({5})), login, data)
    assert caught.value.result is TeeResult.ACCESS_DENIED


def test_the_overflow_gid_is_nobodys_group() -> None:
    with pytest.raises(TeeError) as caught:
        identify(PeerCredentials(10, 1000, OVERFLOW_ID, frozenset({OVERFLOW_ID})), LoginMethod.GROUP, OVERFLOW_ID)
    assert caught.value.result is TeeResult.ACCESS_DENIED


def test_the_overflow_uid_may_be_public() -> None:
    assert identify(PeerCredentials(0, OVERFLOW_ID, OVERFLOW_ID), LoginMethod.PUBLIC, 0).uuid == UUID(int=0)


@pytest.mark.parametrize("login", [3, 4, 5, 6, 0x80000000, 0xFFFFFFFF])
def test_other_login_methods_are_not_supported(login: int) -> None:
    with pytest.raises(TeeError) as caught:
        identify(PEER, login, 0)
    assert caught.value.result is TeeResult.NOT_SUPPORTED


@pytest.mark.parametrize("login", [LoginMethod.PUBLIC, LoginMethod.USER])
def test_login_data_without_a_group_is_refused(login: LoginMethod) -> None:
    with pytest.raises(TeeError) as caught:
        identify(PEER, login, 5)
    assert caught.value.result is TeeResult.BAD_PARAMETERS
