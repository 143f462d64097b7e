# SPDX-License-Identifier: Apache-2.0
"""CKM_*_KEY_DERIVATION: digests of keys as keys, cut as the template says, never shown where the base key is not."""

import hashlib

import pytest

from softee.names import CKA, CKK, CKM, CKO, CKR
from softee.pkcs11_ta.abi.template import Template
from softee.pkcs11_ta.token.profiles import PORTABLE, STRICT
from support.commands import c
from support.object_calls import create, fresh_caller, get
from support.token_world import Attribute, Caller, template, u32

T, F = True, False
SHOWN = ((CKA.SENSITIVE, F), (CKA.EXTRACTABLE, T))
NAMES = {
    CKM.MD5_KEY_DERIVATION: "md5",
    CKM.SHA1_KEY_DERIVATION: "sha1",
    CKM.SHA256_KEY_DERIVATION: "sha256",
    CKM.SHA512_224_KEY_DERIVATION: "sha512_224",
    CKM.SHA3_384_KEY_DERIVATION: "sha3_384",
    CKM.BLAKE2B_512_KEY_DERIVE: "blake2b",
}
VALUE = b"a base key of some length"


@pytest.fixture
def world() -> tuple[Caller, int]:
    return fresh_caller(policy=PORTABLE)


def base(world: tuple[Caller, int], **changes: bool) -> int:
    shown = {"DERIVE": True, "SENSITIVE": False, "EXTRACTABLE": True}
    return create(world[0], world[1], "generic secret key", VALUE=VALUE, **{**shown, **changes})


def derive(
    world: tuple[Caller, int], key: int, *attributes: Attribute, mechanism: CKM = CKM.SHA256_KEY_DERIVATION
) -> CKR:
    caller, session = world
    return caller.call(c.DERIVE_KEY, session, key, mechanism, b"", template(*attributes)).rv


def derived(world: tuple[Caller, int], key: int, wanted: Template, mechanism: CKM) -> dict[CKA, bytes | CKR]:
    caller, session = world
    made = caller.ok(c.DERIVE_KEY, session, key, mechanism, b"", wanted).handle
    return {one: get(caller, session, made, one) for one in (CKA.VALUE, CKA.KEY_TYPE, CKA.VALUE_LEN)}


@pytest.mark.parametrize("mechanism", NAMES, ids=lambda mechanism: mechanism.name)
def test_without_a_type_and_a_length_it_is_a_generic_secret_of_the_whole_digest(
    world: tuple[Caller, int], mechanism: CKM
) -> None:
    """PKCS#11 3.2 §6.20.5."""
    expected = hashlib.new(NAMES[mechanism], VALUE).digest()
    made = derived(world, base(world), template(*SHOWN), mechanism)
    assert made == {
        CKA.VALUE: expected,
        CKA.KEY_TYPE: u32(CKK.GENERIC_SECRET),
        CKA.VALUE_LEN: u32(len(expected)),
    }


def test_a_length_takes_the_first_bytes_and_a_type_of_fixed_sizes_needs_one(world: tuple[Caller, int]) -> None:
    key, digest = base(world), hashlib.sha256(VALUE).digest()
    aes = (CKA.KEY_TYPE, CKK.AES)
    made = derived(world, key, template(*SHOWN, aes, (CKA.VALUE_LEN, 24)), CKM.SHA256_KEY_DERIVATION)
    assert made[CKA.VALUE] == digest[:24]
    assert derive(world, key, *SHOWN, aes) is CKR.TEMPLATE_INCOMPLETE
    assert derive(world, key, *SHOWN, aes, (CKA.VALUE_LEN, 20)) is CKR.ATTRIBUTE_VALUE_INVALID
    assert derive(world, key, *SHOWN, aes, (CKA.VALUE_LEN, 32), mechanism=CKM.SHA1_KEY_DERIVATION) is (
        CKR.ATTRIBUTE_VALUE_INVALID
    )
    for size in (0, 33, 2**32 - 1):
        assert derive(world, key, *SHOWN, (CKA.VALUE_LEN, size)) is CKR.ATTRIBUTE_VALUE_INVALID


def test_the_digest_of_a_protected_key_is_not_shown(world: tuple[Caller, int]) -> None:
    for protection in ({"SENSITIVE": True}, {"EXTRACTABLE": False}):
        key = base(world, **protection)
        assert derive(world, key, *SHOWN) is CKR.TEMPLATE_INCONSISTENT
        assert derive(world, key, (CKA.SENSITIVE, T)) is CKR.OK


def test_only_secret_keys_are_made_and_their_value_is_not_given(world: tuple[Caller, int]) -> None:
    key = base(world)
    for wrong in (
        ((CKA.CLASS, CKO.PRIVATE_KEY), (CKA.KEY_TYPE, CKK.EC)),
        ((CKA.CLASS, CKO.DATA),),
        ((CKA.VALUE, b"my own"),),
    ):
        assert derive(world, key, *wrong) is CKR.TEMPLATE_INCONSISTENT


def test_strict_derives_with_no_broken_hash_function() -> None:
    assert {CKM.MD5_KEY_DERIVATION, CKM.SHA1_KEY_DERIVATION}.isdisjoint(STRICT.mechanisms)
    assert CKM.SHA256_KEY_DERIVATION in STRICT.mechanisms
