# SPDX-License-Identifier: Apache-2.0
"""C_DeriveKey, with a stand-in mechanism that joins two keys: what is checked of every key that takes part.

The rules are those of PKCS#11 3.2 §5.18.5.
"""

import pytest

from softee.names import CKA, CKK, CKM, CKO, CKR
from softee.pkcs11_ta.attributes.secret_bytes import SecretBytes
from softee.pkcs11_ta.attributes.values import Attributes, Parts
from softee.pkcs11_ta.keys.view import KeyView
from softee.pkcs11_ta.mechanisms.functions import Deriving
from softee.pkcs11_ta.mechanisms.spec import MechanismSpec
from softee.pkcs11_ta.objects.policy import OPTEE_OBJECTS
from softee.pkcs11_ta.token.policy import Policy
from softee.pkcs11_ta.token.profiles import OPTEE
from support.commands import c
from support.object_calls import create, get
from support.token_world import Attribute, Caller, make_application, template, u32

JOIN = CKM.MD5_HMAC_GENERAL
"""A mechanism whose parameter is one number: here the handle of the second key."""

T, F = True, False


def _join(base: KeyView, _: int, others: tuple[KeyView, ...], template: Attributes) -> Parts:
    assert template[CKA.CLASS] == CKO.SECRET_KEY
    return {CKA.VALUE: SecretBytes(base.secret() + others[0].secret())}


JOINING = MechanismSpec(
    mechanism=JOIN,
    key_types=frozenset({CKK.GENERIC_SECRET}),
    params=int,
    functions=(Deriving(derive=_join, keys_in=lambda handle: (handle,)),),
)
POLICY = Policy(
    name="joining",
    mechanisms={JOIN: JOINING, CKM.SHA256: OPTEE.mechanisms[CKM.SHA256]},
    objects=OPTEE_OBJECTS,
)
NOTHING_DERIVES = Policy(
    name="nothing derives", mechanisms={CKM.SHA256: OPTEE.mechanisms[CKM.SHA256]}, objects=OPTEE_OBJECTS
)
NEW = ((CKA.CLASS, CKO.SECRET_KEY), (CKA.KEY_TYPE, CKK.GENERIC_SECRET))


@pytest.fixture
def caller() -> Caller:
    return Caller(make_application(policy=POLICY))


@pytest.fixture
def session(caller: Caller) -> int:
    return caller.set_up()


def key(caller: Caller, session: int, value: bytes = b"base", **changes: bool) -> int:
    return create(caller, session, "generic secret key", VALUE=value, **{"DERIVE": True, **changes})


def derive(caller: Caller, session: int, base: int, other: int, *attributes: Attribute, mechanism: int = JOIN) -> CKR:
    return caller.call(c.DERIVE_KEY, session, base, mechanism, u32(other), template(*NEW, *attributes)).rv


def test_a_key_is_derived_from_the_base_key_and_those_that_the_parameter_names(caller: Caller, session: int) -> None:
    wanted = template(*NEW, (CKA.SENSITIVE, F), (CKA.EXTRACTABLE, T))
    base, other = key(caller, session), key(caller, session, b" and more")
    made = caller.ok(c.DERIVE_KEY, session, base, JOIN, u32(other), wanted).handle
    assert get(caller, session, made, CKA.VALUE) == b"base and more"
    assert get(caller, session, made, CKA.VALUE_LEN) == u32(13)
    assert get(caller, session, made, CKA.LOCAL) == b"\0"


def test_every_key_that_takes_part_passes_the_same_checks(caller: Caller, session: int) -> None:
    good, kept = key(caller, session), key(caller, session, DERIVE=False)
    data = create(caller, session)
    for base, other, rv in (
        (good, 4242, CKR.KEY_HANDLE_INVALID),
        (4242, good, CKR.KEY_HANDLE_INVALID),
        (good, data, CKR.KEY_TYPE_INCONSISTENT),  # as OP-TEE says of a base key
        (good, kept, CKR.KEY_TYPE_INCONSISTENT),
        (kept, good, CKR.KEY_TYPE_INCONSISTENT),
        (good, create(caller, session, "AES key", DERIVE=True), CKR.KEY_TYPE_INCONSISTENT),
    ):
        assert derive(caller, session, base, other) is rv


def test_a_derived_key_was_always_protected_only_where_its_base_key_was(caller: Caller, session: int) -> None:
    base, other = key(caller, session, SENSITIVE=True, EXTRACTABLE=False), key(caller, session)
    wanted = template(*NEW, (CKA.SENSITIVE, T), (CKA.EXTRACTABLE, F))
    made = caller.ok(c.DERIVE_KEY, session, base, JOIN, u32(other), wanted).handle
    assert get(caller, session, made, CKA.ALWAYS_SENSITIVE) == b"\0", "an imported key was known outside"
    assert get(caller, session, made, CKA.NEVER_EXTRACTABLE) == b"\0"


def test_a_derived_key_is_as_the_base_key_s_template_demands(caller: Caller, session: int) -> None:
    demanded = ((int(CKA.SENSITIVE), b"\1"),)
    base = create(caller, session, "generic secret key", DERIVE=True, DERIVE_TEMPLATE=demanded)
    other = key(caller, session)
    assert derive(caller, session, base, other, (CKA.SENSITIVE, F)) is CKR.TEMPLATE_INCONSISTENT
    made = caller.ok(c.DERIVE_KEY, session, base, JOIN, u32(other), template(*NEW)).handle
    assert get(caller, session, made, CKA.SENSITIVE) == b"\1"


def test_a_value_is_not_given_to_derivation(caller: Caller, session: int) -> None:
    base = key(caller, session)
    assert derive(caller, session, base, base, (CKA.VALUE, b"x")) is CKR.TEMPLATE_INCONSISTENT


def test_a_mechanism_that_does_not_derive_is_refused(caller: Caller, session: int) -> None:
    base = key(caller, session)
    assert derive(caller, session, base, base, mechanism=CKM.SHA256) is CKR.MECHANISM_INVALID


def test_a_token_without_any_such_mechanism_says_that_it_does_not_derive() -> None:
    caller = Caller(make_application(policy=NOTHING_DERIVES))
    session = caller.set_up()
    assert derive(caller, session, 1, 1) is CKR.FUNCTION_NOT_SUPPORTED
