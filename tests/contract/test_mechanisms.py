# SPDX-License-Identifier: Apache-2.0
"""What holds for every mechanism of the table: sizes foretold, input cut anywhere, errors by the standard's names."""

from collections.abc import Callable
from itertools import pairwise

import pytest
from cryptography.exceptions import AlreadyFinalized
from hypothesis import given, settings
from hypothesis import strategies as st

from softee.names import CKG, CKK, CKM, CKR
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.mechanisms.spec import AnyMechanism
from softee.pkcs11_ta.mechanisms.table import MECHANISMS
from support import keys
from support import mechanism_runs as run
from support.mechanism_runs import u32

IV = bytes(range(16))
SHA1_PSS = u32(CKM.SHA_1, CKG.MGF1_SHA1, 20)

PARAMETERS: dict[CKM, bytes] = {
    CKM.AES_CBC: IV,
    CKM.AES_CBC_PAD: IV,
    CKM.AES_CTS: IV,
    CKM.AES_CTR: u32(128) + IV,
    CKM.AES_CMAC_GENERAL: u32(9),
    CKM.MD5_HMAC_GENERAL: u32(9),
    CKM.SHA_1_HMAC_GENERAL: u32(9),
    CKM.SHA224_HMAC_GENERAL: u32(9),
    CKM.SHA256_HMAC_GENERAL: u32(9),
    CKM.SHA384_HMAC_GENERAL: u32(9),
    CKM.SHA512_HMAC_GENERAL: u32(9),
    CKM.RSA_PKCS_PSS: SHA1_PSS,
    CKM.SHA1_RSA_PKCS_PSS: SHA1_PSS,
    CKM.SHA224_RSA_PKCS_PSS: u32(CKM.SHA224, CKG.MGF1_SHA224, 28),
    CKM.SHA256_RSA_PKCS_PSS: u32(CKM.SHA256, CKG.MGF1_SHA256, 32),
    CKM.SHA384_RSA_PKCS_PSS: u32(CKM.SHA384, CKG.MGF1_SHA384, 48),
    CKM.SHA512_RSA_PKCS_PSS: u32(CKM.SHA512, CKG.MGF1_SHA512, 62),
    CKM.RSA_PKCS_OAEP: u32(CKM.SHA256, CKG.MGF1_SHA256, 1, 5) + b"label",
}
"""A good parameter for every mechanism that takes one."""

PRESCRIBED_SIZE = {CKM.RSA_PKCS_PSS: 20}
"""Mechanisms whose data must have one size, with the parameter above."""

SHORTEST = {CKM.AES_CTS: 16, CKM.ECDSA: 1}
GRANULARITY = {CKM.AES_ECB: 16, CKM.AES_CBC: 16}
LONGEST = {CKM.RSA_PKCS: 117, CKM.RSA_PKCS_OAEP: 62}
"""What the 1024-bit key below can take."""


def good_key(spec: AnyMechanism) -> keys.StandInKey:
    if CKK.RSA in spec.key_types:
        return keys.rsa_pair(1024)
    if CKK.EC in spec.key_types:
        return keys.ec_pair()
    return keys.secret_key(bytes(range(32)), min(spec.key_types))


def parameter(spec: AnyMechanism) -> bytes:
    return PARAMETERS.get(spec.type, b"")


def having(*functions: str) -> pytest.MarkDecorator:
    """Run a test with each mechanism that has all of these functions."""
    specs = [spec for spec in MECHANISMS.values() if all(getattr(spec, name) is not None for name in functions)]
    return pytest.mark.parametrize("spec", specs, ids=lambda spec: spec.type.name)


@st.composite
def data_in_parts(draw: st.DrawFn, spec: AnyMechanism) -> list[bytes]:
    """Draw data that the mechanism takes, cut anywhere, empty parts included."""
    shortest, longest = SHORTEST.get(spec.type, 0), LONGEST.get(spec.type, 150)
    size = PRESCRIBED_SIZE.get(spec.type) or draw(st.integers(shortest, longest))
    size -= size % GRANULARITY.get(spec.type, 1)
    data = draw(st.binary(min_size=size, max_size=size))
    cuts = sorted(draw(st.lists(st.integers(0, size), max_size=6)))
    return [data[start:end] for start, end in pairwise([0, *cuts, size])]


def refused(rv: CKR, call: Callable[..., object], *arguments: object) -> None:
    with pytest.raises(Pkcs11Error) as caught:
        call(*arguments)
    assert caught.value.rv is rv, caught.value
    assert caught.value.detail, "a refusal says what was wrong"


@having("digest")
@settings(max_examples=20)
@given(data=st.data())
def test_digest_is_the_same_however_the_input_is_cut(spec: AnyMechanism, data: st.DataObject) -> None:
    parts = data.draw(data_in_parts(spec))
    whole = run.digest(spec.type, [b"".join(parts)])
    assert run.digest(spec.type, parts) == whole
    assert len(whole) == spec.digest_size


@having("sign", "verify")
@settings(max_examples=20)
@given(data=st.data())
def test_signature_holds_however_the_input_is_cut(spec: AnyMechanism, data: st.DataObject) -> None:
    parts, again = data.draw(data_in_parts(spec)), parameter(spec)
    key, whole = good_key(spec), b"".join(parts)
    signature = run.sign(spec.type, key, again, parts)
    assert spec.signature_size is not None
    assert len(signature) == spec.signature_size(key, spec.params(again))
    run.verify(spec.type, key, again, [whole], signature)
    run.verify(spec.type, key, again, parts, run.sign(spec.type, key, again, [whole]))


@having("encrypt", "decrypt")
@settings(max_examples=40)
@given(data=st.data())
def test_what_was_encrypted_decrypts_however_both_are_cut(spec: AnyMechanism, data: st.DataObject) -> None:
    parts = data.draw(data_in_parts(spec))
    key, whole = good_key(spec), b"".join(parts)
    encrypted = run.encrypt(spec.type, key, parameter(spec), *parts)
    cut = data.draw(st.integers(0, len(encrypted)))
    assert run.decrypt(spec.type, key, parameter(spec), encrypted[:cut], encrypted[cut:]) == whole
    if CKK.AES in spec.key_types:
        assert run.encrypt(spec.type, key, parameter(spec), whole) == encrypted


@having("encrypt", "decrypt")
@settings(max_examples=40)
@given(data=st.data())
def test_one_shot_size_is_enough(spec: AnyMechanism, data: st.DataObject) -> None:
    whole = b"".join(data.draw(data_in_parts(spec)))
    key = good_key(spec)
    foretold = run.encryption(spec.type, key, parameter(spec)).one_shot_size(len(whole))
    encrypted = run.encrypt(spec.type, key, parameter(spec), whole)
    assert len(encrypted) <= foretold
    assert len(whole) <= run.decryption(spec.type, key, parameter(spec)).one_shot_size(len(encrypted))


@having("sign", "verify")
def test_changed_signature_is_refused(spec: AnyMechanism) -> None:
    key, data = good_key(spec), bytes(PRESCRIBED_SIZE.get(spec.type, 32))
    signature = run.sign(spec.type, key, parameter(spec), [data])
    for place in (0, len(signature) // 2, len(signature) - 1):
        changed = bytearray(signature)
        changed[place] ^= 1
        refused(CKR.SIGNATURE_INVALID, run.verify, spec.type, key, parameter(spec), [data], bytes(changed))


@having("sign", "verify")
def test_signature_of_other_data_is_refused(spec: AnyMechanism) -> None:
    key, size = good_key(spec), PRESCRIBED_SIZE.get(spec.type, 32)
    signature = run.sign(spec.type, key, parameter(spec), [bytes(size)])
    other = b"\x01" + bytes(size - 1)
    refused(CKR.SIGNATURE_INVALID, run.verify, spec.type, key, parameter(spec), [other], signature)


@having("sign", "verify")
def test_signature_of_another_size_is_refused(spec: AnyMechanism) -> None:
    key, data = good_key(spec), bytes(PRESCRIBED_SIZE.get(spec.type, 32))
    signature = run.sign(spec.type, key, parameter(spec), [data])
    refused(CKR.SIGNATURE_LEN_RANGE, run.verify, spec.type, key, parameter(spec), [data], b"")
    refused(CKR.SIGNATURE_LEN_RANGE, run.verify, spec.type, key, parameter(spec), [data], signature[:-1])
    refused(CKR.SIGNATURE_LEN_RANGE, run.verify, spec.type, key, parameter(spec), [data], signature + b"\0")


@pytest.mark.parametrize("spec", MECHANISMS.values(), ids=lambda spec: spec.type.name)
def test_parameter_with_bytes_left_over_is_refused(spec: AnyMechanism) -> None:
    spec.params(parameter(spec))
    refused(CKR.MECHANISM_PARAM_INVALID, spec.params, parameter(spec) + b"\0")


@pytest.mark.parametrize("mechanism", PARAMETERS, ids=lambda mechanism: mechanism.name)
def test_parameter_that_is_cut_is_refused(mechanism: CKM) -> None:
    spec = MECHANISMS[mechanism]
    for size in range(len(PARAMETERS[mechanism])):
        refused(CKR.MECHANISM_PARAM_INVALID, spec.params, PARAMETERS[mechanism][:size])


@pytest.mark.parametrize("spec", MECHANISMS.values(), ids=lambda spec: spec.type.name)
@settings(max_examples=50)
@given(raw=st.binary(max_size=64))
def test_random_parameter_is_decoded_or_refused_by_name(spec: AnyMechanism, raw: bytes) -> None:
    try:
        spec.params(raw)
    except Pkcs11Error as error:
        assert error.rv in {CKR.MECHANISM_PARAM_INVALID, CKR.SIGNATURE_LEN_RANGE}  # noqa: PT017 - both are allowed


@having("sign")
def test_second_end_of_a_signature_gives_nothing_new(spec: AnyMechanism) -> None:
    assert spec.sign is not None
    operation = spec.sign(good_key(spec), spec.params(parameter(spec)))
    operation.update(bytes(PRESCRIBED_SIZE.get(spec.type, 32)))
    first = operation.finish()
    try:
        assert len(operation.finish()) == len(first)
    except AlreadyFinalized:
        return
    assert not spec.multi_part


@having("encrypt", "decrypt")
@settings(max_examples=40)
@given(garbage=st.binary(max_size=130))
def test_garbage_decrypts_to_something_or_is_refused_by_name(spec: AnyMechanism, garbage: bytes) -> None:
    operation = run.decryption(spec.type, good_key(spec), parameter(spec))
    foretold = operation.one_shot_size(len(garbage))
    try:
        assert len(run.process(operation, [garbage])) <= foretold
    except Pkcs11Error as error:
        assert error.rv in {CKR.ENCRYPTED_DATA_INVALID, CKR.ENCRYPTED_DATA_LEN_RANGE}  # noqa: PT017 - both are allowed


@having("wrap", "unwrap")
@given(value=st.binary(min_size=1, max_size=70))
def test_wrapped_key_unwraps_to_itself_filled_up_with_zeros(spec: AnyMechanism, value: bytes) -> None:
    assert spec.wrap is not None
    assert spec.unwrap is not None
    key, params = good_key(spec), spec.params(parameter(spec))
    wrapped = spec.wrap(key, params, bytearray(value))
    assert len(wrapped) % 16 == 0
    assert spec.unwrap(key, params, wrapped) == value + bytes(-len(value) % 16)


@having("wrap", "unwrap")
@pytest.mark.parametrize("size", [0, 1, 15, 17, 31])
def test_wrapped_key_that_is_no_whole_blocks_is_refused(spec: AnyMechanism, size: int) -> None:
    assert spec.unwrap is not None
    refused(CKR.WRAPPED_KEY_LEN_RANGE, spec.unwrap, good_key(spec), spec.params(parameter(spec)), bytes(size))
