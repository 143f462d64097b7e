# SPDX-License-Identifier: Apache-2.0
"""Keys of the bytes of others: the standard's examples, off by default, and no way to a piece of a protected key."""

import pytest

from softee.names import CKA, CKK, CKM, CKR
from softee.pkcs11_ta.mechanisms.table import MECHANISMS
from softee.pkcs11_ta.token.changes import PolicyChanges, changed
from softee.pkcs11_ta.token.profiles import PORTABLE, PROFILES
from support import keys
from support import mechanism_runs as run
from support.commands import c
from support.mechanism_runs import counted, u32
from support.object_calls import create, fresh_caller, get
from support.token_world import Attribute, Caller, template

T, F = True, False
World = tuple[Caller, int]
SHOWN = ((CKA.SENSITIVE, F), (CKA.EXTRACTABLE, T))
WITH_DATA = (CKM.CONCATENATE_BASE_AND_DATA, CKM.CONCATENATE_DATA_AND_BASE, CKM.XOR_BASE_AND_DATA)
COMBINING = frozenset({*WITH_DATA, CKM.CONCATENATE_BASE_AND_KEY, CKM.EXTRACT_KEY_FROM_KEY})
ADDED = changed(PORTABLE, PolicyChanges(added=COMBINING))


@pytest.fixture
def world() -> World:
    return fresh_caller(policy=ADDED)


def key(world: World, value: bytes, **changes: bool) -> int:
    shown = {"DERIVE": True, "SENSITIVE": False, "EXTRACTABLE": True}
    return create(world[0], world[1], "generic secret key", VALUE=value, **{**shown, **changes})


def derive(world: World, base: int, mechanism: CKM, parameter: bytes, *attributes: Attribute) -> CKR | int:
    """Return the handle, or why there is none."""
    caller, session = world
    answer = caller.call(c.DERIVE_KEY, session, base, mechanism, parameter, template(*attributes))
    return answer.handle if answer.rv is CKR.OK else answer.rv


def value(world: World, made: CKR | int) -> bytes | CKR:
    assert not isinstance(made, CKR), made
    return get(world[0], world[1], made, CKA.VALUE)


def test_no_profile_has_them_unless_the_settings_add_them() -> None:
    assert all(COMBINING.isdisjoint(policy.mechanisms) for policy in PROFILES.values())
    assert ADDED.mechanisms.keys() >= COMBINING


def test_the_examples_of_the_standard(world: World) -> None:
    """PKCS#11 3.2 §6.43."""
    base = key(world, bytes.fromhex("01234567"))
    for mechanism, expected in (
        (CKM.CONCATENATE_BASE_AND_DATA, "0123456789abcdef"),
        (CKM.CONCATENATE_DATA_AND_BASE, "89abcdef01234567"),
        (CKM.XOR_BASE_AND_DATA, "88888888"),
    ):
        made = derive(world, base, mechanism, counted(bytes.fromhex("89abcdef")), *SHOWN)
        assert value(world, made) == bytes.fromhex(expected)
    other = key(world, bytes.fromhex("89abcdef"))
    made = derive(world, base, CKM.CONCATENATE_BASE_AND_KEY, u32(other), *SHOWN)
    assert value(world, made) == bytes.fromhex("0123456789abcdef")
    turned = key(world, bytes.fromhex("329f84a9"))
    made = derive(world, turned, CKM.EXTRACT_KEY_FROM_KEY, u32(21), *SHOWN, (CKA.VALUE_LEN, 2))
    assert value(world, made) == bytes.fromhex("9526")


def test_an_xor_is_as_long_as_the_shorter_one_and_a_shown_key_may_be_cut() -> None:
    shown = keys.shown_key(bytes(8))
    assert run.derive(CKM.XOR_BASE_AND_DATA, shown, counted(b"abc")) == b"abc"
    assert run.derive(CKM.XOR_BASE_AND_DATA, shown, counted(b"abcdefghi"), 7) == b"abcdefg"
    assert run.derive(CKM.CONCATENATE_BASE_AND_DATA, shown, counted(b"abc"), 9) == bytes(8) + b"a"


def test_a_bit_beyond_the_key_and_no_data_are_refused(world: World) -> None:
    base = key(world, bytes(4))
    assert derive(world, base, CKM.EXTRACT_KEY_FROM_KEY, u32(32)) is CKR.MECHANISM_PARAM_INVALID
    assert derive(world, base, CKM.EXTRACT_KEY_FROM_KEY, u32(31), (CKA.VALUE_LEN, 5)) is CKR.ATTRIBUTE_VALUE_INVALID
    for mechanism in WITH_DATA:
        assert derive(world, base, mechanism, counted(b"")) is CKR.MECHANISM_PARAM_INVALID


@pytest.mark.parametrize("changes", [{"SENSITIVE": True}, {"EXTRACTABLE": False}], ids=str)
def test_invariant_1_no_piece_of_a_protected_key_becomes_a_key(world: World, changes: dict[str, bool]) -> None:
    base = key(world, bytes(range(32)), **changes)
    data = counted(bytes(32))
    for size in (1, 8, 15):
        assert derive(world, base, CKM.XOR_BASE_AND_DATA, data, (CKA.VALUE_LEN, size)) is CKR.ATTRIBUTE_VALUE_INVALID
    assert derive(world, base, CKM.XOR_BASE_AND_DATA, counted(b"x")) is CKR.ATTRIBUTE_VALUE_INVALID
    assert isinstance(derive(world, base, CKM.XOR_BASE_AND_DATA, data, (CKA.VALUE_LEN, 16)), int)
    for mechanism in (CKM.CONCATENATE_BASE_AND_DATA, CKM.CONCATENATE_DATA_AND_BASE):
        assert derive(world, base, mechanism, data, (CKA.VALUE_LEN, 63)) is CKR.ATTRIBUTE_VALUE_INVALID
        assert isinstance(derive(world, base, mechanism, data), int)
    for size in (1, 16, 32):
        wanted = (CKA.VALUE_LEN, size)
        assert derive(world, base, CKM.EXTRACT_KEY_FROM_KEY, u32(0), wanted) is CKR.KEY_FUNCTION_NOT_PERMITTED


def test_invariant_1_the_second_key_of_a_pair_is_not_cut_either(world: World) -> None:
    shown, protected = key(world, b"s"), key(world, bytes(range(32)), SENSITIVE=True)
    for base, other in ((shown, protected), (protected, shown)):
        answer = derive(world, base, CKM.CONCATENATE_BASE_AND_KEY, u32(other), (CKA.VALUE_LEN, 2))
        assert answer is CKR.ATTRIBUTE_VALUE_INVALID


@pytest.mark.parametrize(
    ("kept", "wanted"),
    [
        ({"SENSITIVE": True}, (CKA.SENSITIVE, F)),
        ({"EXTRACTABLE": False}, (CKA.EXTRACTABLE, T)),
        ({"WRAP_WITH_TRUSTED": True}, (CKA.WRAP_WITH_TRUSTED, F)),
    ],
)
def test_a_key_that_tells_others_is_protected_as_each_of_them(
    world: World, kept: dict[str, bool], wanted: Attribute
) -> None:
    caller, session = world
    protected, shown = key(world, bytes(16), **kept), key(world, bytes(16))
    calls = [(protected, mechanism, counted(bytes(16))) for mechanism in WITH_DATA]
    calls += [
        (protected, CKM.CONCATENATE_BASE_AND_KEY, u32(shown)),
        (shown, CKM.CONCATENATE_BASE_AND_KEY, u32(protected)),
    ]
    for base, mechanism, parameter in calls:
        assert derive(world, base, mechanism, parameter, wanted) is CKR.TEMPLATE_INCONSISTENT
        made = derive(world, base, mechanism, parameter)
        assert isinstance(made, int)
        assert get(caller, session, made, wanted[0]) == bytes([not wanted[1]])


def test_a_joined_key_was_always_sensitive_only_where_both_were(world: World) -> None:
    caller, session = world
    wanted = template((CKA.VALUE_LEN, 16), (CKA.SENSITIVE, T), (CKA.DERIVE, T))
    made = [caller.ok(c.GENERATE_KEY, session, CKM.GENERIC_SECRET_KEY_GEN, b"", wanted).handle for _ in range(2)]
    imported = key(world, bytes(16), SENSITIVE=True)
    for other, expected in ((made[1], b"\1"), (imported, b"\0")):
        joined = derive(world, made[0], CKM.CONCATENATE_BASE_AND_KEY, u32(other))
        assert isinstance(joined, int)
        assert get(caller, session, joined, CKA.ALWAYS_SENSITIVE) == expected


def test_what_is_joined_may_be_a_key_of_another_type(world: World) -> None:
    base = key(world, bytes(16))
    aes = (CKA.KEY_TYPE, CKK.AES)
    made = derive(world, base, CKM.CONCATENATE_BASE_AND_DATA, counted(bytes(16)), aes, (CKA.VALUE_LEN, 32))
    assert isinstance(made, int)
    too_long = counted(bytes(8192))
    assert derive(world, base, CKM.CONCATENATE_BASE_AND_DATA, too_long) is CKR.ATTRIBUTE_VALUE_INVALID
    assert MECHANISMS[CKM.CONCATENATE_BASE_AND_DATA].key_types >= {CKK.AES, CKK.GENERIC_SECRET}
