# SPDX-License-Identifier: Apache-2.0
"""Trust objects: what a certificate, known by its issuer, serial number and hash, is trusted for.

The rules are those of PKCS#11 3.2 §4.7.
"""

import pytest

from softee.names import CKA, CKM, CKO, CKR, CKT
from softee.pkcs11_ta.objects.kinds import TRUSTS
from softee.pkcs11_ta.token.profiles import PORTABLE
from support.commands import c
from support.object_calls import create, fresh_caller, get, search, wire
from support.token_world import Caller, template, u32

NAMED = ((CKA.CLASS, CKO.TRUST), (CKA.ISSUER, b"\x30\x00"), (CKA.SERIAL_NUMBER, b"\x02\x01\x07"))


@pytest.fixture
def world() -> tuple[Caller, int]:
    return fresh_caller(policy=PORTABLE)


def test_a_trust_object_is_found_by_issuer_and_serial_number(world: tuple[Caller, int]) -> None:
    caller, session = world
    handle = create(caller, session, "trust", TOKEN=True, SERIAL_NUMBER=b"\x02\x01\x09")
    wanted = template((CKA.CLASS, CKO.TRUST), (CKA.ISSUER, b"\x30\x00"), (CKA.SERIAL_NUMBER, b"\x02\x01\x09"))
    assert search(caller, session, wanted) == [handle]
    assert search(caller, session, template((CKA.TRUST_SERVER_AUTH, CKT.TRUST_ANCHOR))) == [handle]


def test_what_is_not_said_is_unknown_and_the_object_public_and_modifiable(world: tuple[Caller, int]) -> None:
    caller, session = world
    handle = create(caller, session, "trust")
    silent = [get(caller, session, handle, usage) for usage in TRUSTS if usage is not CKA.TRUST_SERVER_AUTH]
    assert silent == [u32(CKT.TRUST_UNKNOWN)] * 6
    assert get(caller, session, handle, CKA.PRIVATE) == b"\0"
    assert get(caller, session, handle, CKA.MODIFIABLE) == b"\1"
    plain = caller.ok(c.CREATE_OBJECT, session, template(*NAMED)).handle
    assert get(caller, session, plain, CKA.NAME_HASH_ALGORITHM) == u32(CKM.SHA_1)


@pytest.mark.parametrize("trust", [CKT.TRUSTED, CKT.TRUST_ANCHOR, CKT.TRUST_MUST_VERIFY_TRUST])
def test_who_is_trusted_is_known_by_a_hash(world: tuple[Caller, int], trust: CKT) -> None:
    caller, session = world
    asked = template(*NAMED, (CKA.TRUST_CODE_SIGNING, trust))
    assert caller.call(c.CREATE_OBJECT, session, asked).rv is CKR.TEMPLATE_INCOMPLETE
    distrusted = template(*NAMED, (CKA.TRUST_CODE_SIGNING, CKT.NOT_TRUSTED))
    handle = caller.ok(c.CREATE_OBJECT, session, distrusted).handle
    change = template((CKA.TRUST_CODE_SIGNING, trust))
    assert caller.call(c.SET_ATTRIBUTE_VALUE, session, handle, change).rv is CKR.TEMPLATE_INCONSISTENT
    assert caller.call(c.COPY_OBJECT, session, handle, change).rv is CKR.TEMPLATE_INCONSISTENT
    assert get(caller, session, handle, CKA.TRUST_CODE_SIGNING) == u32(CKT.NOT_TRUSTED)


def test_trust_is_taken_back_and_given_but_never_to_another_certificate(world: tuple[Caller, int]) -> None:
    caller, session = world
    handle = create(caller, session, "trust")
    for trust in (CKT.NOT_TRUSTED, CKT.TRUSTED):
        caller.ok(c.SET_ATTRIBUTE_VALUE, session, handle, template((CKA.TRUST_SERVER_AUTH, trust)))
        assert get(caller, session, handle, CKA.TRUST_SERVER_AUTH) == u32(trust)
    for bound in (CKA.ISSUER, CKA.SERIAL_NUMBER, CKA.HASH_OF_CERTIFICATE):
        other = template((bound, b"another one"))
        assert caller.call(c.SET_ATTRIBUTE_VALUE, session, handle, other).rv is CKR.ATTRIBUTE_READ_ONLY


def test_trust_that_the_standard_does_not_have_is_refused(world: tuple[Caller, int]) -> None:
    caller, session = world
    asked = template(*NAMED, (CKA.TRUST_CLIENT_AUTH, 5))
    assert caller.call(c.CREATE_OBJECT, session, asked).rv is CKR.ATTRIBUTE_VALUE_INVALID


@pytest.mark.parametrize("missing", [CKA.ISSUER, CKA.SERIAL_NUMBER])
def test_a_certificate_is_named_by_issuer_and_serial_number(world: tuple[Caller, int], missing: CKA) -> None:
    caller, session = world
    asked = tuple(one for one in wire("trust") if one[0] != missing)
    assert caller.call(c.CREATE_OBJECT, session, asked).rv is CKR.TEMPLATE_INCOMPLETE
