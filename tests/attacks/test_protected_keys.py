# SPDX-License-Identifier: Apache-2.0
"""Attacks on keys that nobody may read: cut to pieces by unwrapping, told by check values, digests or their own KEK.

The attacker is logged in as the user, and may call everything. The set-up is the strictest that there is: a KEK that is
trusted, cannot be changed or copied, and demands protection of what it unwraps.
"""

import pytest

from softee.names import CKA, CKK, CKM, CKO, CKR, CKU
from softee.pkcs11_ta.mechanisms.functions import Wrapping
from softee.pkcs11_ta.token.policy import Policy
from softee.pkcs11_ta.token.profiles import OPTEE, PORTABLE, STRICT
from support.commands import c
from support.object_calls import create, get, search
from support.samples import MECHANISM_SAMPLES, as_template, sample
from support.token_world import SO_PIN, Attribute, Caller, make_application, template

T, F = True, False
SECRET = (CKA.CLASS, CKO.SECRET_KEY)
DEMANDED = template((CKA.SENSITIVE, T), (CKA.EXTRACTABLE, F), (CKA.PRIVATE, T))
FREE_TYPES = (CKK.GENERIC_SECRET, CKK.SHA256_HMAC, CKK.MD5_HMAC, CKK.SHA_1_HMAC)
PLAIN = (CKM.AES_ECB, CKM.AES_CBC)
WRAPPING = {
    number: functions
    for number, spec in PORTABLE.mechanisms.items()
    for functions in spec.functions
    if isinstance(functions, Wrapping)
}
BY_AES = tuple(number for number in WRAPPING if CKK.AES in PORTABLE.mechanisms[number].key_types)
PADDED = tuple(number for number in BY_AES if WRAPPING[number].padded)
PARAMETER = {number: MECHANISM_SAMPLES[number][0].parameter for number in WRAPPING}


class Strictest:
    """A token with a KEK of the SO's and a victim that only it wraps."""

    def __init__(self, policy: Policy) -> None:
        self.caller = Caller(make_application(policy=policy))
        self.session = self.caller.set_up()
        self.caller.logout(self.session)
        assert self.caller.login(self.session, CKU.SO, SO_PIN) is CKR.OK
        wanted = sample("AES key", TOKEN=True, PRIVATE=not policy.as_optee, TRUSTED=True, WRAP=True, UNWRAP=True)
        wanted |= {CKA.ID: b"kek", CKA.MODIFIABLE: False, CKA.COPYABLE: False, CKA.UNWRAP_TEMPLATE: DEMANDED}
        self.caller.ok(c.CREATE_OBJECT, self.session, as_template(wanted))
        self.caller.logout(self.session)
        assert self.caller.login(self.session) is CKR.OK
        (self.kek,) = search(self.caller, self.session, template((CKA.ID, b"kek")))
        victim = template(SECRET, (CKA.VALUE_LEN, 32), (CKA.EXTRACTABLE, T), (CKA.WRAP_WITH_TRUSTED, T))
        self.victim = self.caller.ok(c.GENERATE_KEY, self.session, CKM.AES_KEY_GEN, b"", victim).handle

    def wrapped(self, mechanism: CKM) -> bytes:
        parameter = PARAMETER[mechanism]
        return self.caller.ok(c.WRAP_KEY, self.session, self.kek, self.victim, mechanism, parameter).output

    def unwrap(self, mechanism: CKM, wrapped: bytes, *attributes: Attribute) -> tuple[CKR, int]:
        wanted = template(SECRET, *attributes)
        answer = self.caller.call(
            c.UNWRAP_KEY, self.session, self.kek, mechanism, PARAMETER[mechanism], wanted, data=wrapped
        )
        return answer.rv, answer.handle


@pytest.fixture(params=[PORTABLE, OPTEE], ids=lambda policy: policy.name)
def world(request: pytest.FixtureRequest) -> Strictest:
    return Strictest(request.param)


@pytest.mark.parametrize("mechanism", PLAIN, ids=lambda mechanism: mechanism.name)
@pytest.mark.parametrize("key_type", FREE_TYPES, ids=lambda key_type: key_type.name)
def test_invariant_1_a_protected_key_does_not_come_out_byte_by_byte(
    world: Strictest, mechanism: CKM, key_type: CKK
) -> None:
    wrapped = world.wrapped(mechanism)
    for size in range(1, 32):
        rv, _ = world.unwrap(mechanism, wrapped, (CKA.KEY_TYPE, key_type), (CKA.VALUE_LEN, size))
        assert rv is CKR.WRAPPED_KEY_LEN_RANGE, size
    rv, whole = world.unwrap(mechanism, wrapped, (CKA.KEY_TYPE, key_type), (CKA.VALUE_LEN, 32))
    assert rv is CKR.OK, "all of its bytes are right: so premasters of TLS are unwrapped"
    assert get(world.caller, world.session, whole, CKA.CHECK_VALUE) is CKR.ATTRIBUTE_TYPE_INVALID
    world.caller.ok(c.DIGEST_INIT, world.session, CKM.SHA256, b"")
    assert world.caller.call(c.DIGEST_KEY, world.session, whole).rv is CKR.KEY_INDIGESTIBLE


@pytest.mark.parametrize("mechanism", PLAIN, ids=lambda mechanism: mechanism.name)
def test_invariant_1_a_protected_aes_key_is_not_cut_to_a_shorter_one(world: Strictest, mechanism: CKM) -> None:
    for size in (16, 24):
        rv, _ = world.unwrap(mechanism, world.wrapped(mechanism), (CKA.KEY_TYPE, CKK.AES), (CKA.VALUE_LEN, size))
        assert rv is CKR.WRAPPED_KEY_LEN_RANGE


P256_KEY_INFO = bytes.fromhex("3041020100301306072a8648ce3d020106082a8648ce3d030107042730250201010420")
"""What stands before the 32 bytes of a private value in a PrivateKeyInfo without a public key after them."""


def test_invariant_1_a_block_of_a_protected_key_is_not_made_the_unknown_part_of_a_private_value(
    world: Strictest,
) -> None:
    """The point of such a key tells its 16 unknown bytes in 2**64 steps, or 8 of them, beside zeros, in 2**32."""
    caller, session = world.caller, world.session

    def wrapped(block: bytes) -> bytes:
        known = create(caller, session, "AES key", EXTRACTABLE=True, VALUE=block)
        return caller.ok(c.WRAP_KEY, session, world.kek, known, CKM.AES_ECB, b"").output

    info = (P256_KEY_INFO + bytes(31) + b"\x01").ljust(80, b"\x00")
    forged = [wrapped(info[at : at + 16]) for at in range(0, 80, 16)]
    wanted = template((CKA.CLASS, CKO.PRIVATE_KEY), (CKA.KEY_TYPE, CKK.EC))
    for block in (forged[3], world.wrapped(CKM.AES_ECB)[:16]):
        data = b"".join([*forged[:3], block, forged[4]])
        answer = caller.call(c.UNWRAP_KEY, session, world.kek, CKM.AES_ECB, b"", wanted, data=data)
        assert answer.rv is CKR.WRAPPED_KEY_INVALID


def test_an_aes_192_key_sheds_what_filled_its_last_block(world: Strictest) -> None:
    caller, session = world.caller, world.session
    wanted = template(SECRET, (CKA.VALUE_LEN, 24), (CKA.EXTRACTABLE, T))
    world.victim = caller.ok(c.GENERATE_KEY, session, CKM.AES_KEY_GEN, b"", wanted).handle
    rv, back = world.unwrap(CKM.AES_ECB, world.wrapped(CKM.AES_ECB), (CKA.KEY_TYPE, CKK.AES), (CKA.VALUE_LEN, 24))
    assert rv is CKR.OK
    assert get(caller, session, back, CKA.CHECK_VALUE) == get(caller, session, world.victim, CKA.CHECK_VALUE)


def test_invariant_1_a_check_value_is_not_taken_for_a_protected_key_of_any_length(world: Strictest) -> None:
    for guess in (b"abc", bytes.fromhex("a9993e")):
        rv, _ = world.unwrap(
            CKM.AES_ECB, world.wrapped(CKM.AES_ECB), (CKA.KEY_TYPE, CKK.GENERIC_SECRET), (CKA.CHECK_VALUE, guess)
        )
        assert rv is CKR.ATTRIBUTE_VALUE_INVALID, "whatever it says"


def test_invariant_1_a_key_that_becomes_protected_loses_its_check_value(world: Strictest) -> None:
    caller, session = world.caller, world.session
    open_key = create(caller, session, "generic secret key", VALUE=b"abc", SENSITIVE=False, EXTRACTABLE=True)
    check = bytes.fromhex("a9993e")
    assert get(caller, session, open_key, CKA.CHECK_VALUE) == check
    caller.ok(c.SET_ATTRIBUTE_VALUE, session, open_key, template((CKA.SENSITIVE, T)))
    assert get(caller, session, open_key, CKA.CHECK_VALUE) is CKR.ATTRIBUTE_TYPE_INVALID
    assert search(caller, session, template((CKA.CHECK_VALUE, check))) == []
    answer = caller.call(c.SET_ATTRIBUTE_VALUE, session, open_key, template((CKA.CHECK_VALUE, check)))
    assert answer.rv is CKR.ATTRIBUTE_VALUE_INVALID


def test_an_unprotected_key_is_cut_where_the_template_says() -> None:
    caller = Caller(make_application(policy=PORTABLE))
    session = caller.set_up()
    kek = create(caller, session, "AES key", WRAP=True, UNWRAP=True, ENCRYPT=True)
    caller.ok(c.ENCRYPT_INIT, session, kek, CKM.AES_ECB, b"")
    wrapped = caller.ok(c.ENCRYPT_ONESHOT, session, data=b"twenty bytes of key." + bytes(12)).output
    shown = ((CKA.KEY_TYPE, CKK.GENERIC_SECRET), (CKA.VALUE_LEN, 20), (CKA.SENSITIVE, F), (CKA.EXTRACTABLE, T))
    back = caller.ok(c.UNWRAP_KEY, session, kek, CKM.AES_ECB, b"", template(SECRET, *shown), data=wrapped).handle
    assert get(caller, session, back, CKA.VALUE) == b"twenty bytes of key."


def test_strict_has_neither_check_values_nor_digests_of_keys_nor_plain_wrapping() -> None:
    caller = Caller(make_application(policy=STRICT))
    session = caller.set_up()
    key = create(caller, session, "AES key", WRAP=True)
    assert get(caller, session, key, CKA.CHECK_VALUE) is CKR.ATTRIBUTE_TYPE_INVALID
    caller.ok(c.DIGEST_INIT, session, CKM.SHA256, b"")
    assert caller.call(c.DIGEST_KEY, session, key).rv is CKR.KEY_INDIGESTIBLE
    other = create(caller, session, "AES key", EXTRACTABLE=True)
    for mechanism in PLAIN:
        answer = caller.call(c.WRAP_KEY, session, key, other, mechanism, PARAMETER[mechanism])
        assert answer.rv is CKR.MECHANISM_INVALID


@pytest.mark.parametrize(("one", "other"), [("WRAP", "DECRYPT"), ("UNWRAP", "ENCRYPT")])
def test_strict_keeps_wrapping_and_decryption_apart(one: str, other: str) -> None:
    caller = Caller(make_application(policy=STRICT))
    session = caller.set_up()
    both = as_template(sample("AES key", **{one: True, other: True}))
    assert caller.call(c.CREATE_OBJECT, session, both).rv is CKR.TEMPLATE_INCONSISTENT
    key = create(caller, session, "AES key", **{one: True})
    change = template((CKA[other], T))
    assert caller.call(c.SET_ATTRIBUTE_VALUE, session, key, change).rv is CKR.TEMPLATE_INCONSISTENT
    assert caller.call(c.COPY_OBJECT, session, key, change).rv is CKR.TEMPLATE_INCONSISTENT


@pytest.mark.parametrize(
    ("one", "other"), [("WRAP", "DECRYPT"), ("DECRYPT", "WRAP"), ("UNWRAP", "ENCRYPT"), ("ENCRYPT", "UNWRAP")]
)
def test_strict_lets_no_key_have_the_two_usages_one_after_the_other(one: str, other: str) -> None:
    """Wrapping with a key, and decrypting with it or with a copy of it when it does not wrap any more."""
    caller = Caller(make_application(policy=STRICT))
    session = caller.set_up()
    key = create(caller, session, "AES key", **{one: True})
    for exchange in (template((CKA[one], F), (CKA[other], T)), template((CKA[one], F))):
        assert caller.call(c.SET_ATTRIBUTE_VALUE, session, key, exchange).rv is CKR.ATTRIBUTE_READ_ONLY
        assert caller.call(c.COPY_OBJECT, session, key, exchange).rv is CKR.ATTRIBUTE_READ_ONLY
    caller.ok(c.SET_ATTRIBUTE_VALUE, session, key, template((CKA[one], T), (CKA.SIGN, F)))


@pytest.mark.parametrize("wrapped_by", BY_AES, ids=lambda one: one.name)
@pytest.mark.parametrize("unwrapped_by", BY_AES, ids=lambda one: one.name)
def test_invariant_1_no_mechanism_cuts_what_any_other_has_wrapped(wrapped_by: CKM, unwrapped_by: CKM) -> None:
    world = Strictest(PORTABLE)
    wrapped = world.wrapped(wrapped_by)
    lengths = [(), *(((CKA.VALUE_LEN, size),) for size in range(1, 32))]
    for length in lengths[not WRAPPING[unwrapped_by].padded :]:
        rv, _ = world.unwrap(unwrapped_by, wrapped, (CKA.KEY_TYPE, CKK.GENERIC_SECRET), *length)
        assert rv in {CKR.WRAPPED_KEY_LEN_RANGE, CKR.WRAPPED_KEY_INVALID, CKR.TEMPLATE_INCONSISTENT}, length
    for size in (16, 24):
        rv, _ = world.unwrap(unwrapped_by, wrapped, (CKA.KEY_TYPE, CKK.AES), (CKA.VALUE_LEN, size))
        assert rv in {CKR.WRAPPED_KEY_LEN_RANGE, CKR.WRAPPED_KEY_INVALID}, size


@pytest.mark.parametrize("mechanism", PADDED, ids=lambda one: one.name)
@pytest.mark.parametrize("key_type", FREE_TYPES, ids=lambda key_type: key_type.name)
def test_a_mechanism_with_a_padding_unwraps_no_protected_key_of_any_length(mechanism: CKM, key_type: CKK) -> None:
    """So whether it came out tells nothing of the padding: the answer is the same before anything is decrypted."""
    world = Strictest(PORTABLE)
    wrapped = world.wrapped(mechanism)
    for data in (wrapped, wrapped[:-1] + bytes([wrapped[-1] ^ 1]), b"", bytes(64)):
        for length in ((), ((CKA.VALUE_LEN, 32),)):
            rv, _ = world.unwrap(mechanism, data, (CKA.KEY_TYPE, key_type), *length)
            assert rv is CKR.TEMPLATE_INCONSISTENT


@pytest.mark.parametrize("mechanism", PADDED, ids=lambda one: one.name)
def test_a_bad_padding_and_a_bad_key_behind_a_good_one_have_one_answer(mechanism: CKM) -> None:
    """A key of a few sizes comes out where all of its padding is right, eight bytes or more; else nobody says why."""
    world = Strictest(PORTABLE)
    wrapped = world.wrapped(mechanism)
    rv, back = world.unwrap(mechanism, wrapped, (CKA.KEY_TYPE, CKK.AES))
    assert rv is CKR.OK
    both = [get(world.caller, world.session, one, CKA.CHECK_VALUE) for one in (back, world.victim)]
    assert both[0] == both[1]
    altered = [
        wrapped[:place] + bytes([wrapped[place] ^ bit]) + wrapped[place + 1 :]
        for place in range(16, 32)
        for bit in range(1, 32)
    ]
    for data in (*altered, wrapped[:-16]):
        rv, _ = world.unwrap(mechanism, data, (CKA.KEY_TYPE, CKK.AES))
        assert rv is CKR.WRAPPED_KEY_INVALID
    for wrong in ((CKA.VALUE_LEN, 16), (CKA.CHECK_VALUE, b"abc")):
        rv, _ = world.unwrap(mechanism, wrapped, (CKA.KEY_TYPE, CKK.AES), wrong)
        assert rv is CKR.WRAPPED_KEY_INVALID


@pytest.mark.parametrize("policy", [PORTABLE, OPTEE], ids=lambda policy: policy.name)
def test_open_gap_a_key_of_one_s_own_under_the_same_gcm_vector_tells_what_was_wrapped(policy: Policy) -> None:
    world = Strictest(policy)
    caller, session = world.caller, world.session
    shown = template(SECRET, (CKA.VALUE_LEN, 32), (CKA.EXTRACTABLE, T), (CKA.SENSITIVE, F))
    world_s = world.wrapped(CKM.AES_GCM)
    own = caller.ok(c.GENERATE_KEY, session, CKM.AES_KEY_GEN, b"", shown).handle
    ours = caller.ok(c.WRAP_KEY, session, world.kek, own, CKM.AES_GCM, PARAMETER[CKM.AES_GCM]).output
    known = get(caller, session, own, CKA.VALUE)
    assert isinstance(known, bytes)
    told = bytes(a ^ b ^ k for a, b, k in zip(world_s[:32], ours[:32], known, strict=True))
    caller.ok(c.CREATE_OBJECT, session, template(SECRET, (CKA.KEY_TYPE, CKK.AES), (CKA.VALUE, told)))
    check = get(caller, session, world.victim, CKA.CHECK_VALUE)
    assert len(search(caller, session, template((CKA.CHECK_VALUE, check)))) == 2, "the victim's value"


@pytest.mark.parametrize("mechanism", STRICT.mechanisms, ids=lambda one: one.name)
def test_strict_wraps_with_aes_by_nothing_whose_caller_chooses_what_must_differ(mechanism: CKM) -> None:
    spec = STRICT.mechanisms[mechanism]
    if CKK.AES in spec.key_types and any(isinstance(functions, Wrapping) for functions in spec.functions):
        assert spec.parameter(b"") is None, "the same key always becomes the same bytes"


@pytest.mark.parametrize("policy", [PORTABLE, OPTEE], ids=lambda policy: policy.name)
def test_what_a_kek_demands_of_the_usages_of_a_key_is_not_got_around_by_unwrapping_it_again(policy: Policy) -> None:
    caller = Caller(make_application(policy=policy))
    session = caller.set_up()
    demanded = template((CKA.WRAP, F), (CKA.UNWRAP, F), (CKA.DECRYPT, F), (CKA.ENCRYPT, T))
    kek = create(caller, session, "AES key", WRAP=True, UNWRAP=True, UNWRAP_TEMPLATE=demanded)
    key = create(caller, session, "AES key", EXTRACTABLE=True, ENCRYPT=True)
    wrapped = caller.ok(c.WRAP_KEY, session, kek, key, CKM.AES_ECB, b"").output
    for usage in (CKA.WRAP, CKA.UNWRAP, CKA.DECRYPT):
        wanted = template(SECRET, (CKA.KEY_TYPE, CKK.AES), (usage, T))
        answer = caller.call(c.UNWRAP_KEY, session, kek, CKM.AES_ECB, b"", wanted, data=wrapped)
        assert answer.rv is CKR.TEMPLATE_INCONSISTENT
    wanted = template(SECRET, (CKA.KEY_TYPE, CKK.AES))
    back = caller.ok(c.UNWRAP_KEY, session, kek, CKM.AES_ECB, b"", wanted, data=wrapped).handle
    shown = [get(caller, session, back, usage) for usage in (CKA.WRAP, CKA.UNWRAP, CKA.DECRYPT, CKA.ENCRYPT)]
    assert shown == [b"\x00", b"\x00", b"\x00", b"\x01"]
