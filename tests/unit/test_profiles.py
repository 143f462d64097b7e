# SPDX-License-Identifier: Apache-2.0
"""What each profile assumes, allows and answers, where they differ."""

import pytest

from softee.names import CKA, CKC, CKG, CKK, CKM, CKO, CKR, CKZ, MechanismFlag, TokenFlag
from softee.pkcs11_ta.keys.secret import GENERIC
from softee.pkcs11_ta.mechanisms.table import MECHANISMS
from softee.pkcs11_ta.token.changes import PolicyChanges, changed
from softee.pkcs11_ta.token.policy import Policy
from softee.pkcs11_ta.token.profiles import OFF_BY_DEFAULT, OPTEE, PORTABLE, PROFILES, STRICT
from support.commands import c
from support.object_calls import create, get, search
from support.samples import MECHANISM_SAMPLES, as_template, sample
from support.token_world import P256, Attribute, Caller, make_application, public_client, template, u32

T, F = True, False
EVERY = pytest.mark.parametrize("policy", PROFILES.values(), ids=lambda policy: policy.name)
STANDARD = pytest.mark.parametrize("policy", [PORTABLE, STRICT], ids=lambda policy: policy.name)
SECP160R1 = bytes.fromhex("06052b81040008")


def prepared(policy: Policy) -> tuple[Caller, int]:
    caller = Caller(make_application(policy=policy))
    return caller, caller.set_up()


def usages(caller: Caller, session: int, handle: int) -> set[str]:
    named = (CKA.ENCRYPT, CKA.DECRYPT, CKA.SIGN, CKA.VERIFY, CKA.VERIFY_RECOVER, CKA.WRAP, CKA.UNWRAP, CKA.DERIVE)
    return {usage.name for usage in named if get(caller, session, handle, usage) == b"\1"}


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("AES key", {"ENCRYPT", "DECRYPT", "SIGN", "VERIFY"}),
        ("generic secret key", {"SIGN", "VERIFY"}),
        ("RSA public key", {"ENCRYPT", "VERIFY", "VERIFY_RECOVER"}),
        ("EC public key", {"VERIFY"}),
        ("EC private key", {"SIGN"}),
    ],
)
def test_a_key_whose_template_names_no_usage_does_what_its_type_can(kind: str, expected: set[str]) -> None:
    caller, session = prepared(PORTABLE)
    assert usages(caller, session, create(caller, session, kind)) == expected
    assert usages(caller, session, create(caller, session, kind, **dict.fromkeys(expected, False))) == set()
    one = next(iter(sorted(expected)))
    assert usages(caller, session, create(caller, session, kind, **{one: True})) == {one}
    assert usages(caller, session, create(caller, session, kind, **{one: False})) == expected - {one}
    assert usages(caller, session, create(caller, session, kind, DERIVE=True)) == {"DERIVE"}
    plain, in_session = prepared(OPTEE)
    assert usages(plain, in_session, create(plain, in_session, kind)) == set()


def test_each_template_of_a_pair_is_taken_by_itself() -> None:
    caller, session = prepared(PORTABLE)
    pair = (template((CKA.EC_PARAMS, P256)), template((CKA.DERIVE, T)))
    output = caller.ok(c.GENERATE_KEY_PAIR, session, CKM.EC_KEY_PAIR_GEN, b"", *pair).output
    public, private = int.from_bytes(output[:4], "little"), int.from_bytes(output[4:], "little")
    assert (usages(caller, session, public), usages(caller, session, private)) == ({"VERIFY"}, {"DERIVE"})


PROTECTION = (CKA.PRIVATE, CKA.SENSITIVE, CKA.EXTRACTABLE)


@EVERY
@pytest.mark.parametrize("kind", ["AES key", "EC private key"])
def test_a_key_is_private_sensitive_and_stays_where_the_template_is_silent(policy: Policy, kind: str) -> None:
    caller, session = prepared(policy)
    handle = create(caller, session, kind)
    shown = [get(caller, session, handle, attribute) for attribute in PROTECTION]
    assert shown == ([b"\0", b"\0", b"\0"] if policy is OPTEE else [b"\1", b"\1", b"\0"])
    said = create(caller, session, kind, PRIVATE=False, SENSITIVE=False, EXTRACTABLE=True)
    assert [get(caller, session, said, attribute) for attribute in PROTECTION] == [b"\0", b"\0", b"\1"]


@STANDARD
def test_certificates_data_and_public_keys_are_public_by_default(policy: Policy) -> None:
    caller, session = prepared(policy)
    for kind in ("data", "X.509 certificate", "EC public key"):
        assert get(caller, session, create(caller, session, kind), CKA.PRIVATE) == b"\0"


def refused(caller: Caller, session: int, *attributes: Attribute) -> CKR:
    return caller.call(c.CREATE_OBJECT, session, template(*attributes)).rv


@EVERY
def test_a_class_or_type_that_is_missing_is_incomplete_and_one_that_is_not_known_a_bad_value(policy: Policy) -> None:
    caller, session = prepared(policy)
    missing, unknown = CKR.TEMPLATE_INCOMPLETE, CKR.ATTRIBUTE_VALUE_INVALID
    if policy is OPTEE:
        missing = unknown = CKR.TEMPLATE_INCONSISTENT
    assert refused(caller, session, (CKA.LABEL, b"x")) is missing
    assert refused(caller, session, (CKA.CLASS, CKO.SECRET_KEY), (CKA.VALUE, bytes(16))) is missing
    assert refused(caller, session, (CKA.CLASS, 77)) is unknown
    assert refused(caller, session, (CKA.CLASS, CKO.SECRET_KEY), (CKA.KEY_TYPE, CKK.CAST)) is unknown
    assert refused(caller, session, (CKA.CLASS, CKO.CERTIFICATE), (CKA.CERTIFICATE_TYPE, CKC.WTLS)) is unknown


@EVERY
def test_a_certificate_without_its_type_is_incomplete(policy: Policy) -> None:
    caller, session = prepared(policy)
    assert refused(caller, session, (CKA.CLASS, CKO.CERTIFICATE), (CKA.SUBJECT, b"x")) is CKR.TEMPLATE_INCOMPLETE
    of_a_key = as_template({**sample("AES key"), CKA.CLASS: CKO.CERTIFICATE})
    assert caller.call(c.CREATE_OBJECT, session, of_a_key).rv is CKR.TEMPLATE_INCOMPLETE


@pytest.mark.parametrize("policy", [PORTABLE, OPTEE], ids=lambda policy: policy.name)
@pytest.mark.parametrize("key_type", sorted(GENERIC.numbers), ids=lambda key_type: key_type.name)
def test_a_secret_of_any_length_is_digested_but_no_hmac_key_as_optee_has_it(policy: Policy, key_type: CKK) -> None:
    caller, session = prepared(policy)
    open_to_all = {"KEY_TYPE": key_type, "PRIVATE": False, "SENSITIVE": False, "EXTRACTABLE": True}
    key = create(caller, session, "generic secret key", **open_to_all)
    caller.ok(c.DIGEST_INIT, session, CKM.SHA256, b"")
    refused = policy is OPTEE and key_type is not CKK.GENERIC_SECRET
    assert caller.call(c.DIGEST_KEY, session, key).rv is (CKR.KEY_INDIGESTIBLE if refused else CKR.OK)
    assert caller.call(c.DIGEST_FINAL, session).rv is (CKR.OPERATION_NOT_INITIALIZED if refused else CKR.OK)


@EVERY
def test_a_wrong_tag_of_aes_gcm_is_invalid_data_and_an_invalid_signature_as_optee_has_it(policy: Policy) -> None:
    caller, session = prepared(policy)
    key = create(caller, session, "AES key", DECRYPT=True)
    parameter = MECHANISM_SAMPLES[CKM.AES_GCM][0].parameter
    caller.ok(c.DECRYPT_INIT, session, key, CKM.AES_GCM, parameter)
    refused = caller.call(c.DECRYPT_ONESHOT, session, data=bytes(40)).rv
    assert refused is (CKR.SIGNATURE_INVALID if policy is OPTEE else CKR.ENCRYPTED_DATA_INVALID)
    caller.ok(c.DECRYPT_INIT, session, key, CKM.AES_GCM, parameter)
    assert caller.call(c.DECRYPT_ONESHOT, session, data=b"short").rv is CKR.ENCRYPTED_DATA_LEN_RANGE


@pytest.mark.parametrize("policy", [PORTABLE, OPTEE], ids=lambda policy: policy.name)
def test_unwrapping_says_of_a_class_or_type_what_creating_does(policy: Policy) -> None:
    caller, session = prepared(policy)
    key = create(caller, session, "AES key", UNWRAP=True)
    aes = (CKA.KEY_TYPE, CKK.AES)
    for attributes, standard in (
        ((aes,), CKR.TEMPLATE_INCOMPLETE),
        (((CKA.CLASS, 0x99), aes), CKR.ATTRIBUTE_VALUE_INVALID),
        (((CKA.CLASS, CKO.SECRET_KEY),), CKR.TEMPLATE_INCOMPLETE),
        (((CKA.CLASS, CKO.PUBLIC_KEY), (CKA.KEY_TYPE, CKK.RSA)), CKR.TEMPLATE_INCONSISTENT),
    ):
        answer = caller.call(c.UNWRAP_KEY, session, key, CKM.AES_CBC, bytes(16), template(*attributes), data=bytes(16))
        assert answer.rv is (CKR.TEMPLATE_INCONSISTENT if policy.as_optee else standard)


@EVERY
def test_an_unknown_curve_has_its_own_return_value(policy: Policy) -> None:
    caller, session = prepared(policy)
    wanted = CKR.ATTRIBUTE_TYPE_INVALID if policy is OPTEE else CKR.CURVE_NOT_SUPPORTED
    made = as_template(sample("EC public key", EC_PARAMS=SECP160R1))
    assert caller.call(c.CREATE_OBJECT, session, made).rv is wanted
    pair = (template((CKA.EC_PARAMS, SECP160R1)), template())
    assert caller.call(c.GENERATE_KEY_PAIR, session, CKM.EC_KEY_PAIR_GEN, b"", *pair).rv is wanted


@EVERY
def test_an_empty_list_of_allowed_mechanisms_never_means_any(policy: Policy) -> None:
    caller, session = prepared(policy)
    empty = as_template(sample("AES key", ALLOWED_MECHANISMS=(), ENCRYPT=True))
    if policy is not OPTEE:
        assert caller.call(c.CREATE_OBJECT, session, empty).rv is CKR.ATTRIBUTE_VALUE_INVALID
        return
    key = caller.ok(c.CREATE_OBJECT, session, empty).handle
    parameter = u32(128) + bytes(16)
    assert caller.call(c.ENCRYPT_INIT, session, key, CKM.AES_CTR, parameter).rv is CKR.KEY_FUNCTION_NOT_PERMITTED


@STANDARD
def test_a_key_that_allows_all_mechanisms_shows_an_empty_list_of_them(policy: Policy) -> None:
    caller, session = prepared(policy)
    key = create(caller, session, "AES key")
    assert get(caller, session, key, CKA.ALLOWED_MECHANISMS) == b""
    assert search(caller, session, template((CKA.ALLOWED_MECHANISMS, b""))) == [key]
    listed = create(caller, session, "AES key", ALLOWED_MECHANISMS=(int(CKM.AES_CTR),))
    assert get(caller, session, listed, CKA.ALLOWED_MECHANISMS) == u32(CKM.AES_CTR)


@STANDARD
def test_templates_within_a_key_are_shown(policy: Policy) -> None:
    caller, session = prepared(policy)
    inner = ((int(CKA.SENSITIVE), b"\1"),)
    key = create(caller, session, "AES key", UNWRAP_TEMPLATE=inner)
    assert get(caller, session, key, CKA.UNWRAP_TEMPLATE) == u32(9, 1, CKA.SENSITIVE, 1) + b"\1"


@STANDARD
def test_operations_of_different_kinds_do_not_stand_in_each_other_s_way(policy: Policy) -> None:
    caller, session = prepared(policy)
    key = create(caller, session, "AES key")
    parameter = u32(128) + bytes(16)
    caller.ok(c.DIGEST_INIT, session, CKM.SHA256, b"")
    caller.ok(c.ENCRYPT_INIT, session, key, CKM.AES_CTR, parameter)
    caller.ok(c.DECRYPT_INIT, session, key, CKM.AES_CTR, parameter)
    caller.ok(c.SIGN_INIT, session, key, CKM.AES_CMAC, b"")
    caller.ok(c.GENERATE_KEY, session, CKM.AES_KEY_GEN, b"", template((CKA.VALUE_LEN, 16)))
    assert caller.call(c.DIGEST_INIT, session, CKM.SHA256, b"").rv is CKR.OPERATION_ACTIVE
    assert caller.call(c.ENCRYPT_INIT, session, key, CKM.AES_CTR, parameter).rv is CKR.OPERATION_ACTIVE
    encrypted = caller.ok(c.ENCRYPT_ONESHOT, session, data=b"each its own").output
    assert caller.ok(c.DECRYPT_ONESHOT, session, data=encrypted).output == b"each its own"
    assert caller.ok(c.DIGEST_ONESHOT, session, data=b"").size == 32
    assert caller.ok(c.SIGN_ONESHOT, session, data=b"").size == 16


@EVERY
def test_a_token_says_whether_two_operations_and_saved_ones_are_there(policy: Policy) -> None:
    caller, _ = prepared(policy)
    beyond = TokenFlag.DUAL_CRYPTO_OPERATIONS | TokenFlag.RESTORE_KEY_NOT_NEEDED
    assert caller.token_flags() & beyond == (0 if policy is OPTEE else beyond)


def test_optee_has_one_operation_at_a_time() -> None:
    caller, session = prepared(OPTEE)
    caller.ok(c.DIGEST_INIT, session, CKM.SHA256, b"")
    wanted = template((CKA.VALUE_LEN, 16))
    assert caller.call(c.GENERATE_KEY, session, CKM.AES_KEY_GEN, b"", wanted).rv is CKR.OPERATION_ACTIVE


@EVERY
def test_a_parameter_to_a_mechanism_that_takes_none_is_ignored_but_by_optee(policy: Policy) -> None:
    caller, session = prepared(policy)
    answer = caller.call(c.DIGEST_INIT, session, CKM.SHA256, b"garbage")
    assert answer.rv is (CKR.MECHANISM_PARAM_INVALID if policy is OPTEE else CKR.OK)


@EVERY
@pytest.mark.parametrize("attribute", [CKA.SENSITIVE, CKA.WRAP_WITH_TRUSTED, CKA.EXTRACTABLE])
def test_what_only_goes_one_way_is_read_only_once_it_has_gone_it(policy: Policy, attribute: CKA) -> None:
    caller, session = prepared(policy)
    key = create(caller, session, "AES key", SENSITIVE=True, WRAP_WITH_TRUSTED=True, EXTRACTABLE=False)
    same = template((attribute, attribute is not CKA.EXTRACTABLE))
    assert caller.call(c.SET_ATTRIBUTE_VALUE, session, key, same).rv is CKR.ATTRIBUTE_READ_ONLY
    caller.ok(c.COPY_OBJECT, session, key, same)


AES_CHECK = bytes.fromhex("ef507b")


@pytest.mark.parametrize("policy", [PORTABLE, OPTEE], ids=lambda policy: policy.name)
def test_a_check_value_may_be_set_right_or_taken_away_but_not_wrong(policy: Policy) -> None:
    caller, session = prepared(policy)
    key = create(caller, session, "AES key")
    assert get(caller, session, key, CKA.CHECK_VALUE) == AES_CHECK
    for value, rv in ((b"", CKR.OK), (AES_CHECK, CKR.OK), (b"abc", CKR.ATTRIBUTE_VALUE_INVALID), (b"", CKR.OK)):
        wanted = template((CKA.CHECK_VALUE, value))
        assert caller.call(c.SET_ATTRIBUTE_VALUE, session, key, wanted).rv is rv
        assert caller.call(c.COPY_OBJECT, session, key, wanted).rv is rv
    assert get(caller, session, key, CKA.CHECK_VALUE) == b""
    for value, rv in ((b"", CKR.OK), (b"abc", CKR.ATTRIBUTE_VALUE_INVALID)):
        wanted = template((CKA.VALUE_LEN, 16), (CKA.CHECK_VALUE, value))
        assert caller.call(c.GENERATE_KEY, session, CKM.AES_KEY_GEN, b"", wanted).rv is rv


@EVERY
def test_an_oaep_key_too_small_for_its_hash_is_told_when_there_is_data(policy: Policy) -> None:
    if policy is STRICT:
        return  # no key is so small
    caller, session = prepared(policy)
    key = create(caller, session, "RSA public key", ENCRYPT=True)
    caller.ok(c.ENCRYPT_INIT, session, key, CKM.RSA_PKCS_OAEP, u32(CKM.SHA512, CKG.MGF1_SHA512, 1, 0))
    assert caller.call(c.ENCRYPT_ONESHOT, session, data=b"").rv is CKR.DATA_LEN_RANGE


def test_strict_makes_and_uses_no_weak_keys() -> None:
    caller, session = prepared(STRICT)
    assert caller.call(c.CREATE_OBJECT, session, as_template(sample("RSA public key"))).rv is CKR.KEY_SIZE_RANGE
    p192 = bytes.fromhex("06082a8648ce3d030101")
    pair = (template((CKA.EC_PARAMS, p192)), template())
    assert caller.call(c.GENERATE_KEY_PAIR, session, CKM.EC_KEY_PAIR_GEN, b"", *pair).rv is CKR.KEY_SIZE_RANGE
    small = (template((CKA.MODULUS_BITS, 1024)), template())
    assert caller.call(c.GENERATE_KEY_PAIR, session, CKM.RSA_PKCS_KEY_PAIR_GEN, b"", *small).rv is CKR.KEY_SIZE_RANGE


def test_a_size_that_is_not_allowed_is_refused_before_a_key_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    def works(*_: object) -> None:
        raise AssertionError("a key is made")

    monkeypatch.setattr("softee.pkcs11_ta.mechanisms.rsa.keygen.rsa.generate_private_key", works)
    caller, session = prepared(STRICT)
    small = (template((CKA.MODULUS_BITS, 2047)), template())
    assert caller.call(c.GENERATE_KEY_PAIR, session, CKM.RSA_PKCS_KEY_PAIR_GEN, b"", *small).rv is CKR.KEY_SIZE_RANGE


@pytest.mark.parametrize(
    ("mechanism", "parameter"),
    [
        (CKM.RSA_PKCS_PSS, u32(CKM.SHA_1, CKG.MGF1_SHA1, 20)),
        (CKM.RSA_PKCS_PSS, u32(CKM.SHA256, CKG.MGF1_SHA1, 32)),
        (CKM.SHA256_RSA_PKCS_PSS, u32(CKM.SHA256, CKG.MGF1_SHA1, 32)),
        (CKM.RSA_PKCS_OAEP, u32(CKM.SHA_1, CKG.MGF1_SHA1, CKZ.DATA_SPECIFIED, 0)),
    ],
)
def test_a_hash_function_that_is_refused_does_not_come_back_in_a_parameter(mechanism: CKM, parameter: bytes) -> None:
    command = c.ENCRYPT_INIT if mechanism is CKM.RSA_PKCS_OAEP else c.VERIFY_INIT
    for policy, rv in (
        (STRICT, CKR.MECHANISM_PARAM_INVALID),
        (changed(PORTABLE, PolicyChanges(refused=frozenset({CKM.SHA_1}))), CKR.MECHANISM_PARAM_INVALID),
        (PORTABLE, CKR.OK),
    ):
        caller, session = prepared(policy)
        pair = (template((CKA.MODULUS_BITS, 2048)), template())
        made = caller.ok(c.GENERATE_KEY_PAIR, session, CKM.RSA_PKCS_KEY_PAIR_GEN, b"", *pair)
        public = int.from_bytes(made.output[:4], "little")
        assert caller.call(command, session, public, mechanism, parameter).rv is rv


def test_strict_leaves_out_what_is_weak() -> None:
    names = {mechanism.name for mechanism in STRICT.mechanisms}
    assert not {name for name in names if "MD5" in name or "SHA1" in name or "SHA_1" in name or "ECB" in name}
    assert STRICT.mechanisms.keys() < MECHANISMS.keys()
    assert PORTABLE.mechanisms.keys() == MECHANISMS.keys() - OFF_BY_DEFAULT


def test_strict_neither_encrypts_nor_decrypts_with_pkcs1_v1_5() -> None:
    assert not STRICT.mechanisms[CKM.RSA_PKCS].flags & (MechanismFlag.ENCRYPT | MechanismFlag.DECRYPT)
    assert PORTABLE.mechanisms[CKM.RSA_PKCS].flags & MechanismFlag.DECRYPT


def test_a_slot_is_there_for_its_users_and_groups_alone() -> None:
    hidden = Policy(
        name="hidden", mechanisms=MECHANISMS, objects=PORTABLE.objects, users=frozenset({7}), groups=frozenset({8})
    )
    application = make_application(policy=hidden)
    stranger = Caller(application, public_client(uid=1000))
    assert stranger.ok(c.SLOT_LIST, 0).output == b""
    for command in (c.SLOT_INFO, c.TOKEN_INFO, c.MECHANISM_IDS):
        assert stranger.call(command, 0).rv is CKR.SLOT_ID_INVALID
    assert stranger.call(c.OPEN_SESSION, 0, 6).rv is CKR.SLOT_ID_INVALID
    assert stranger.init_token() is CKR.SLOT_ID_INVALID
    assert Caller(application, public_client(uid=7)).ok(c.SLOT_LIST, 0).output == u32(0, 1, 2)
    assert Caller(application, public_client(uid=8)).ok(c.SLOT_LIST, 0).output == u32(0, 1, 2), "its own group"


def test_hash_functions_that_optee_does_not_have_are_in_no_parameter_of_its_profile() -> None:
    """They come with their digests, which settings may add."""
    parameter = u32(CKM.SHA3_256, CKG.MGF1_SHA3_256, 32)
    refused: dict[str, CKR] = {}
    for policy in (OPTEE, changed(OPTEE, PolicyChanges(added=frozenset({CKM.SHA3_256}))), PORTABLE):
        caller, session = prepared(policy)
        key = create(caller, session, "RSA private key", SIGN=True)
        answer = caller.call(c.SIGN_INIT, session, key, CKM.RSA_PKCS_PSS, parameter)
        refused[f"{policy.name}{len(refused)}"] = answer.rv
    assert list(refused.values()) == [CKR.MECHANISM_PARAM_INVALID, CKR.OK, CKR.OK]
