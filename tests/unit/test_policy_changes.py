# SPDX-License-Identifier: Apache-2.0
"""A policy with changes: fewer mechanisms, sizes and curves, switches either way, and what a token shows of it."""

import struct
from dataclasses import replace
from types import MappingProxyType

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from softee.names import CKA, CKK, CKM, CKO, CKR, MechanismFlag
from softee.pkcs11_ta.keys.ec import EC
from softee.pkcs11_ta.keys.view import SizeRange
from softee.pkcs11_ta.mechanisms.functions import Recovering, Signing
from softee.pkcs11_ta.token.changes import PolicyChanges, changed
from softee.pkcs11_ta.token.policy import Policy
from softee.pkcs11_ta.token.profiles import OPTEE, PORTABLE, PROFILES, STRICT
from softee.stores.memory import MemoryStore
from support.commands import c
from support.object_calls import create, get, search
from support.samples import sample
from support.token_world import P256, Caller, make_application, public_client, template, u32

P384, ON_P256, ON_P384 = bytes.fromhex("06052b81040022"), EC.curves["P-256"], EC.curves["P-384"]
WRAP = MechanismFlag.WRAP | MechanismFlag.UNWRAP


def portable(changes: PolicyChanges) -> Policy:
    return changed(PORTABLE, changes)


@pytest.mark.parametrize("policy", PROFILES.values(), ids=list(PROFILES))
def test_no_changes_change_nothing(policy: Policy) -> None:
    assert changed(policy, PolicyChanges()) == policy


def test_only_allowed_mechanisms_are_left_in_their_order() -> None:
    allowed = portable(PolicyChanges(allowed=frozenset({CKM.AES_CTR, CKM.SHA256, CKM.ECDSA})))
    assert list(allowed.mechanisms) == [CKM.ECDSA, CKM.SHA256, CKM.AES_CTR]


def test_a_mechanism_that_the_profile_lacks_does_not_come_by_being_allowed() -> None:
    assert list(changed(STRICT, PolicyChanges(allowed=frozenset({CKM.MD5, CKM.SHA256}))).mechanisms) == [CKM.SHA256]


def test_added_mechanisms_come_and_may_be_chosen_in_parameters_again() -> None:
    added = changed(STRICT, PolicyChanges(added=frozenset({CKM.MD5, CKM.SHA_1})))
    assert set(added.mechanisms) - set(STRICT.mechanisms) == {CKM.MD5, CKM.SHA_1}
    assert not added.refused_hashes & {CKM.MD5, CKM.SHA_1}
    assert changed(PORTABLE, PolicyChanges(added=frozenset({CKM.AES_CBC}))) == PORTABLE


def test_refused_goes_before_added() -> None:
    both = PolicyChanges(added=frozenset({CKM.MD5}), refused=frozenset({CKM.MD5}))
    assert CKM.MD5 not in changed(STRICT, both).mechanisms


def test_what_is_added_wraps_without_noticing_only_where_that_is_wanted_too() -> None:
    ecb = PolicyChanges(added=frozenset({CKM.AES_ECB}))
    assert not changed(STRICT, ecb).mechanism(CKM.AES_ECB).flags & WRAP
    assert changed(STRICT, replace(ecb, malleable_wrapping=True)).mechanism(CKM.AES_ECB).flags & WRAP


def test_refused_mechanisms_are_gone_and_the_others_stay() -> None:
    refused = portable(PolicyChanges(refused=frozenset({CKM.MD5})))
    assert set(PORTABLE.mechanisms) - set(refused.mechanisms) == {CKM.MD5}
    with pytest.raises(Exception, match="MECHANISM_INVALID"):
        refused.mechanism(CKM.MD5)


def test_refused_goes_before_allowed() -> None:
    both = frozenset({CKM.MD5, CKM.SHA256})
    assert list(portable(PolicyChanges(allowed=both, refused=both - {CKM.SHA256})).mechanisms) == [CKM.SHA256]


def sizes_of(policy: Policy, mechanism: CKM) -> tuple[int, int] | None:
    sizes = policy.mechanism(mechanism).key_size
    return (sizes.low, sizes.high) if sizes else None


@pytest.mark.parametrize(
    ("key_types", "allowed", "mechanism", "shown"),
    [
        ([CKK.RSA], (3072, 8192), CKM.RSA_PKCS, (3072, 4096)),
        ([CKK.RSA], (3072, 8192), CKM.RSA_PKCS_PSS, None),
        ([CKK.EC], (100, 256), CKM.ECDSA, (160, 256)),
        ([CKK.AES], (32, 32), CKM.AES_CTR, (32, 32)),
        ([CKK.GENERIC_SECRET], (16, 64), CKM.GENERIC_SECRET_KEY_GEN, (128, 512)),
        ([CKK.GENERIC_SECRET], (16, 64), CKM.SHA256_HMAC, (24, 128)),
        ([CKK.GENERIC_SECRET, CKK.SHA256_HMAC], (16, 64), CKM.SHA256_HMAC, (24, 64)),
        ([CKK.GENERIC_SECRET, CKK.SHA256_HMAC], (200, 300), CKM.SHA256_HMAC, (200, 300)),
    ],
)
def test_a_mechanism_says_the_sizes_that_are_left_of_it(
    key_types: list[CKK], allowed: tuple[int, int], mechanism: CKM, shown: tuple[int, int] | None
) -> None:
    policy = portable(PolicyChanges(key_sizes=dict.fromkeys(key_types, SizeRange(*allowed))))
    assert sizes_of(policy, mechanism) == shown


def test_a_mechanism_without_any_size_left_is_gone() -> None:
    policy = portable(PolicyChanges(key_sizes={CKK.RSA: SizeRange(512, 768)}))
    assert CKM.RSA_PKCS_KEY_PAIR_GEN not in policy.mechanisms
    assert sizes_of(policy, CKM.RSA_PKCS) == (512, 768)


def test_sizes_and_curves_are_what_profile_and_changes_both_allow() -> None:
    policy = changed(STRICT, PolicyChanges(key_sizes={CKK.RSA: SizeRange(1024, 3072)}, curves=ON_P256 | ON_P384))
    assert policy.key_sizes[CKK.RSA] == SizeRange(2048, 3072)
    assert policy.key_sizes[CKK.EC] == STRICT.key_sizes[CKK.EC]
    assert changed(policy, PolicyChanges(curves=ON_P256)).curves == ON_P256


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (PolicyChanges(allowed=frozenset()), "no mechanism is left"),
        (PolicyChanges(allowed=frozenset({CKM.MD5})), "no mechanism is left"),
        (PolicyChanges(curves=frozenset()), "no curve is left"),
        (PolicyChanges(key_sizes={CKK.RSA: SizeRange(512, 1024)}), "no size is left: .* 2048 to 4096"),
    ],
)
def test_what_leaves_nothing_is_an_error(changes: PolicyChanges, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        changed(STRICT, changes)


def test_switches_go_either_way() -> None:
    switched = PolicyChanges(apart=True, check_values=False, digests_keys=False, malleable_wrapping=False)
    off = changed(OPTEE, switched)
    assert (off.objects.apart, off.objects.check_values, off.digests_keys) == (STRICT.objects.apart, False, False)
    assert off.objects.as_optee
    switched = PolicyChanges(apart=False, check_values=True, digests_keys=True, malleable_wrapping=True)
    on = changed(STRICT, switched)
    assert (on.objects.apart, on.objects.check_values, on.digests_keys) == ((), True, True)


@pytest.mark.parametrize("profile", PROFILES.values(), ids=list(PROFILES))
@pytest.mark.parametrize("bare", [True, False, None])
def test_points_of_octets_are_shown_bare_or_in_an_octet_string_and_found_as_they_are_shown(
    profile: Policy,
    bare: bool | None,  # noqa: FBT001 - a case
) -> None:
    """Bare since PKCS#11 3.1 §6.3, and on a board; in an OCTET STRING, as most programs of today read them, else."""
    world = Caller(make_application(policy=changed(replace(profile, curves=None), PolicyChanges(bare_points=bare))))
    session = world.set_up()
    shown_bare = profile is OPTEE if bare is None else bare
    for kind in ("Edwards public key", "Montgomery public key", "Edwards public key on edwards448"):
        point = sample(kind)[CKA.EC_POINT]
        assert isinstance(point, bytes)
        wrapped = bytes([4, len(point)]) + point
        for given in (point, wrapped):
            key = create(world, session, kind, EC_POINT=given, LABEL=given)
            shown = point if shown_bare else wrapped
            assert get(world, session, key, CKA.EC_POINT) == shown
            named = (CKA.LABEL, given)
            assert search(world, session, template(named, (CKA.EC_POINT, shown))) == [key]
            assert not search(world, session, template(named, (CKA.EC_POINT, wrapped if shown_bare else point)))
    weierstrass = create(world, session, "EC public key")
    assert get(world, session, weierstrass, CKA.EC_POINT) == sample("EC public key")[CKA.EC_POINT]


def test_wrapping_with_ecb_and_cbc_is_switched_with_its_flags() -> None:
    off = portable(PolicyChanges(malleable_wrapping=False))
    vouching = {CKM.AES_KEY_WRAP, CKM.AES_KEY_WRAP_KWP, CKM.RSA_PKCS_OAEP, CKM.RSA_AES_KEY_WRAP}
    assert {number for number, spec in off.mechanisms.items() if spec.flags & WRAP} == vouching | {
        CKM.AES_CCM,
        CKM.AES_GCM,
        CKM.RSA_PKCS,
    }
    assert off.mechanism(CKM.AES_CBC).flags == PORTABLE.mechanism(CKM.AES_CBC).flags & ~WRAP
    on = changed(STRICT, PolicyChanges(malleable_wrapping=True))
    assert {number for number, spec in on.mechanisms.items() if spec.flags & WRAP} == vouching | {
        CKM.AES_CBC,
        CKM.AES_CBC_PAD,
        CKM.AES_KEY_WRAP_PKCS7,
        CKM.AES_KEY_WRAP_PAD,
    }


def test_strict_is_portable_with_changes() -> None:
    weak = {number for number in PORTABLE.mechanisms if number.name.startswith(("MD5", "SHA1_", "SHA_1"))}
    gone = set(PORTABLE.mechanisms) - set(STRICT.mechanisms)
    encrypting = {CKM.AES_ECB, CKM.AES_ECB_ENCRYPT_DATA, CKM.AES_CBC_ENCRYPT_DATA}
    assert gone == weak | encrypting | {CKM.ECDSA_SHA1, CKM.AES_MAC, CKM.AES_MAC_GENERAL}
    assert STRICT.mechanism(CKM.RSA_PKCS).flags == Signing.flags | Recovering.flags
    wrapping = {number for number, spec in STRICT.mechanisms.items() if spec.flags & WRAP}
    assert wrapping == {CKM.AES_KEY_WRAP, CKM.AES_KEY_WRAP_KWP, CKM.RSA_PKCS_OAEP, CKM.RSA_AES_KEY_WRAP}
    assert sizes_of(STRICT, CKM.RSA_PKCS) == sizes_of(STRICT, CKM.RSA_PKCS_KEY_PAIR_GEN) == (2048, 4096)
    assert sizes_of(STRICT, CKM.ECDSA) == (224, 521)


def caller(changes: PolicyChanges, profile: Policy = PORTABLE) -> Caller:
    return Caller(make_application(policy=changed(profile, changes)))


def test_a_token_lists_what_its_policy_leaves() -> None:
    left = caller(
        PolicyChanges(
            allowed=frozenset({CKM.AES_CBC, CKM.AES_KEY_GEN}),
            key_sizes={CKK.AES: SizeRange(32, 32)},
            malleable_wrapping=False,
        )
    )
    assert left.ok(c.MECHANISM_IDS, 0).output == u32(CKM.AES_KEY_GEN, CKM.AES_CBC)
    info = struct.unpack("<3I", left.ok(c.MECHANISM_INFO, 0, CKM.AES_CBC).output)
    assert info == (32, 32, MechanismFlag.ENCRYPT | MechanismFlag.DECRYPT)
    assert left.call(c.MECHANISM_INFO, 0, CKM.SHA256).rv is CKR.MECHANISM_INVALID


def test_keys_of_other_sizes_are_not_made() -> None:
    large = caller(PolicyChanges(key_sizes={CKK.AES: SizeRange(32, 32)}))
    session = large.set_up()
    small = template((CKA.VALUE_LEN, 16))
    assert large.call(c.GENERATE_KEY, session, CKM.AES_KEY_GEN, b"", small).rv is CKR.KEY_SIZE_RANGE
    large.aes_key(session)


def test_keys_on_other_curves_are_not_made() -> None:
    on_p384 = caller(PolicyChanges(curves=ON_P384))
    session = on_p384.set_up()
    request = (template((CKA.EC_PARAMS, P256)), template())
    refused = on_p384.call(c.GENERATE_KEY_PAIR, session, CKM.EC_KEY_PAIR_GEN, b"", *request)
    assert refused.rv is CKR.CURVE_NOT_SUPPORTED
    on_p384.ok(c.GENERATE_KEY_PAIR, session, CKM.EC_KEY_PAIR_GEN, b"", template((CKA.EC_PARAMS, P384)), template())


def test_keys_on_other_curves_do_not_come_from_outside() -> None:
    on_p384 = caller(PolicyChanges(curves=ON_P384))
    session = on_p384.set_up()
    public = ec.generate_private_key(ec.SECP256R1()).public_key()
    point = public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    key = template(
        (CKA.CLASS, CKO.PUBLIC_KEY), (CKA.KEY_TYPE, CKK.EC), (CKA.EC_PARAMS, P256), (CKA.EC_POINT, b"\x04\x41" + point)
    )
    assert on_p384.call(c.CREATE_OBJECT, session, key).rv is CKR.CURVE_NOT_SUPPORTED


@pytest.mark.parametrize(
    ("changes", "refused"),
    [
        (PolicyChanges(curves=ON_P384), CKR.KEY_FUNCTION_NOT_PERMITTED),
        (PolicyChanges(key_sizes={CKK.EC: SizeRange(384, 384)}), CKR.KEY_SIZE_RANGE),
        (PolicyChanges(refused=frozenset({CKM.ECDSA})), CKR.MECHANISM_INVALID),
    ],
)
@pytest.mark.parametrize("profile", PROFILES.values(), ids=list(PROFILES))
def test_keys_from_before_a_change_are_seen_and_not_used(profile: Policy, changes: PolicyChanges, refused: CKR) -> None:
    store = MemoryStore()
    before = Caller(make_application(store, policy=profile))
    request = (template((CKA.EC_PARAMS, P256)), template((CKA.TOKEN, True), (CKA.PRIVATE, True), (CKA.SIGN, True)))
    before.ok(c.GENERATE_KEY_PAIR, before.set_up(), CKM.EC_KEY_PAIR_GEN, b"", *request)
    after = Caller(make_application(store, policy=changed(profile, changes)))
    session = after.open()
    assert after.login(session) is CKR.OK
    after.ok(c.FIND_OBJECTS_INIT, session, template((CKA.CLASS, CKO.PRIVATE_KEY)))
    key = after.ok(c.FIND_OBJECTS, session).handle
    assert after.call(c.SIGN_INIT, session, key, CKM.ECDSA, b"").rv is refused


def test_a_slot_is_hidden_from_whom_it_is_not_for() -> None:
    application = make_application(policy=changed(OPTEE, PolicyChanges(users=frozenset({7}), groups=frozenset({8}))))
    for uid, seen in ((7, u32(0, 1, 2)), (8, u32(0, 1, 2)), (9, b"")):
        client = Caller(application, public_client(uid=uid))  # whose gid is the same number
        assert client.ok(c.SLOT_LIST, 0).output == seen
        assert client.call(c.TOKEN_INFO, 0).rv is (CKR.OK if seen else CKR.SLOT_ID_INVALID)


def test_wrapping_and_decrypting_are_kept_apart_where_the_policy_says_so() -> None:
    apart = caller(PolicyChanges(apart=True))
    session = apart.set_up()
    both = template((CKA.CLASS, CKO.SECRET_KEY), (CKA.VALUE_LEN, 16), (CKA.WRAP, True), (CKA.DECRYPT, True))
    refused = apart.call(c.GENERATE_KEY, session, CKM.AES_KEY_GEN, b"", both)
    assert refused.rv is CKR.TEMPLATE_INCONSISTENT


def test_a_policys_tables_cannot_be_changed() -> None:
    policy = portable(PolicyChanges(key_sizes={CKK.RSA: SizeRange(2048, 4096)}))
    assert isinstance(policy.mechanisms, MappingProxyType)
    assert isinstance(policy.key_sizes, MappingProxyType)
