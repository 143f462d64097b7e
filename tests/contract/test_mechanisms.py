# SPDX-License-Identifier: Apache-2.0
"""What holds for every mechanism of the table: sizes foretold, input cut anywhere, errors by the standard's names."""

import tracemalloc
from collections.abc import Callable, Iterator
from functools import partial
from itertools import pairwise
from typing import Any

import pytest
from cryptography.exceptions import AlreadyFinalized
from hypothesis import given, settings
from hypothesis import strategies as st

from softee.names import CKR
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.keys.view import KeyView
from softee.pkcs11_ta.mechanisms.functions import (
    Ciphering,
    CipherOperation,
    Digesting,
    DigestOperation,
    Functions,
    Signing,
    SignOperation,
    VerifyOperation,
    Wrapping,
)
from softee.pkcs11_ta.mechanisms.spec import AnyMechanism
from softee.pkcs11_ta.mechanisms.table import MECHANISMS
from support import mechanism_runs as run
from support.samples import MECHANISM_SAMPLES

MOST_HELD = 1 << 20
"""Bytes that an operation may hold until its end: a client may have thousands of operations."""


def good_key(spec: AnyMechanism) -> KeyView:
    return MECHANISM_SAMPLES[spec.mechanism].key()


def parameter(spec: AnyMechanism) -> bytes:
    return MECHANISM_SAMPLES[spec.mechanism].parameter


def having(group: type[Functions[Any]]) -> pytest.MarkDecorator:
    """Run a test with each mechanism that has a group of functions."""
    specs = [spec for spec in MECHANISMS.values() if spec.flags & group.flags]
    return pytest.mark.parametrize("spec", specs, ids=lambda spec: spec.mechanism.name)


@st.composite
def data_in_parts(draw: st.DrawFn, spec: AnyMechanism) -> list[bytes]:
    """Draw data that the mechanism takes, cut anywhere, empty parts included."""
    sample = MECHANISM_SAMPLES[spec.mechanism]
    size = draw(st.integers(sample.shortest, sample.longest))
    size -= size % sample.multiple_of
    data = draw(st.binary(min_size=size, max_size=size))
    cuts = sorted(draw(st.lists(st.integers(0, size), max_size=6)))
    return [data[start:end] for start, end in pairwise([0, *cuts, size])]


def refused(rv: CKR, call: Callable[..., object], *arguments: object) -> None:
    with pytest.raises(Pkcs11Error) as caught:
        call(*arguments)
    assert caught.value.rv is rv, caught.value
    assert caught.value.detail, "a refusal says what was wrong"


@having(Digesting)
@settings(max_examples=20)
@given(data=st.data())
def test_digest_is_the_same_however_the_input_is_cut(spec: AnyMechanism, data: st.DataObject) -> None:
    parts = data.draw(data_in_parts(spec))
    whole = run.digest(spec.mechanism, [b"".join(parts)])
    assert run.digest(spec.mechanism, parts) == whole
    assert len(whole) == spec.of(Digesting).size


@having(Signing)
@settings(max_examples=20)
@given(data=st.data())
def test_signature_holds_however_the_input_is_cut(spec: AnyMechanism, data: st.DataObject) -> None:
    parts, again = data.draw(data_in_parts(spec)), parameter(spec)
    key, whole = good_key(spec), b"".join(parts)
    signature = run.sign(spec.mechanism, key, again, parts)
    assert len(signature) == spec.of(Signing).size(key, spec.parameter(again))
    run.verify(spec.mechanism, key, again, [whole], signature)
    run.verify(spec.mechanism, key, again, parts, run.sign(spec.mechanism, key, again, [whole]))


@having(Ciphering)
@settings(max_examples=40)
@given(data=st.data())
def test_what_was_encrypted_decrypts_however_both_are_cut(spec: AnyMechanism, data: st.DataObject) -> None:
    parts = data.draw(data_in_parts(spec))
    key, whole = good_key(spec), b"".join(parts)
    encrypted = run.encrypt(spec.mechanism, key, parameter(spec), *parts)
    cut = data.draw(st.integers(0, len(encrypted)))
    assert run.decrypt(spec.mechanism, key, parameter(spec), encrypted[:cut], encrypted[cut:]) == whole
    if MECHANISM_SAMPLES[spec.mechanism].deterministic:
        assert run.encrypt(spec.mechanism, key, parameter(spec), whole) == encrypted


@having(Ciphering)
@settings(max_examples=40)
@given(data=st.data())
def test_one_shot_size_is_enough(spec: AnyMechanism, data: st.DataObject) -> None:
    whole = b"".join(data.draw(data_in_parts(spec)))
    key = good_key(spec)
    foretold = run.encryption(spec.mechanism, key, parameter(spec)).one_shot_size(len(whole))
    encrypted = run.encrypt(spec.mechanism, key, parameter(spec), whole)
    assert len(encrypted) <= foretold
    assert len(whole) <= run.decryption(spec.mechanism, key, parameter(spec)).one_shot_size(len(encrypted))


@having(Signing)
def test_changed_signature_is_refused(spec: AnyMechanism) -> None:
    key, data = good_key(spec), bytes(MECHANISM_SAMPLES[spec.mechanism].size)
    signature = run.sign(spec.mechanism, key, parameter(spec), [data])
    for place in (0, len(signature) // 2, len(signature) - 1):
        changed = bytearray(signature)
        changed[place] ^= 1
        refused(CKR.SIGNATURE_INVALID, run.verify, spec.mechanism, key, parameter(spec), [data], bytes(changed))


@having(Signing)
def test_signature_of_other_data_is_refused(spec: AnyMechanism) -> None:
    key, size = good_key(spec), MECHANISM_SAMPLES[spec.mechanism].size
    signature = run.sign(spec.mechanism, key, parameter(spec), [bytes(size)])
    other = b"\x01" + bytes(size - 1)
    refused(CKR.SIGNATURE_INVALID, run.verify, spec.mechanism, key, parameter(spec), [other], signature)


@having(Signing)
def test_signature_of_another_size_is_refused(spec: AnyMechanism) -> None:
    key, data = good_key(spec), bytes(MECHANISM_SAMPLES[spec.mechanism].size)
    signature = run.sign(spec.mechanism, key, parameter(spec), [data])
    refused(CKR.SIGNATURE_LEN_RANGE, run.verify, spec.mechanism, key, parameter(spec), [data], b"")
    refused(CKR.SIGNATURE_LEN_RANGE, run.verify, spec.mechanism, key, parameter(spec), [data], signature[:-1])
    refused(CKR.SIGNATURE_LEN_RANGE, run.verify, spec.mechanism, key, parameter(spec), [data], signature + b"\0")


@pytest.mark.parametrize("spec", MECHANISMS.values(), ids=lambda spec: spec.mechanism.name)
def test_parameter_with_bytes_left_over_is_refused(spec: AnyMechanism) -> None:
    spec.parameter(parameter(spec))
    refused(CKR.MECHANISM_PARAM_INVALID, spec.parameter, parameter(spec) + b"\0")


@pytest.mark.parametrize("spec", MECHANISMS.values(), ids=lambda spec: spec.mechanism.name)
def test_parameter_that_is_cut_is_refused(spec: AnyMechanism) -> None:
    for size in range(len(parameter(spec))):
        refused(CKR.MECHANISM_PARAM_INVALID, spec.parameter, parameter(spec)[:size])


@pytest.mark.parametrize("spec", MECHANISMS.values(), ids=lambda spec: spec.mechanism.name)
@settings(max_examples=50)
@given(raw=st.binary(max_size=64))
def test_random_parameter_is_decoded_or_refused_by_name(spec: AnyMechanism, raw: bytes) -> None:
    try:
        spec.parameter(raw)
    except Pkcs11Error as error:
        assert error.rv in {CKR.MECHANISM_PARAM_INVALID, CKR.SIGNATURE_LEN_RANGE}  # noqa: PT017 - both are allowed


@having(Signing)
def test_second_end_of_a_signature_is_refused_or_signs_the_same_data(spec: AnyMechanism) -> None:
    key, data = good_key(spec), bytes(MECHANISM_SAMPLES[spec.mechanism].size)
    operation = spec.of(Signing).sign(key, spec.parameter(parameter(spec)))
    operation.update(data)
    operation.finish()
    try:
        again = operation.finish()
    except AlreadyFinalized:
        return
    run.verify(spec.mechanism, key, parameter(spec), [data], again)


def operations(
    spec: AnyMechanism,
) -> Iterator[Callable[[], DigestOperation | SignOperation | VerifyOperation | CipherOperation]]:
    """Return what begins each of a mechanism's operations on data."""
    key, params = good_key(spec), spec.parameter(parameter(spec))
    for functions in spec.functions:
        if isinstance(functions, Digesting):
            yield partial(functions.begin, params)
        elif isinstance(functions, Signing):
            yield partial(functions.sign, key, params)
            yield partial(functions.verify, key, params)
        elif isinstance(functions, Ciphering):
            yield partial(functions.encrypt, key, params)
            yield partial(functions.decrypt, key, params)


ON_DATA = Digesting.flags | Signing.flags | Ciphering.flags
IN_PARTS = [spec for spec in MECHANISMS.values() if spec.multi_part and spec.flags & ON_DATA]


@pytest.mark.parametrize("spec", IN_PARTS, ids=lambda spec: spec.mechanism.name)
def test_invariant_3_data_in_parts_without_end_does_not_fill_the_memory(spec: AnyMechanism) -> None:
    part = bytes(1 << 18)
    for begin in operations(spec):
        operation = begin()
        tracemalloc.start()
        try:
            for _ in range(4 * MOST_HELD // len(part)):
                operation.update(part)
        except Pkcs11Error as error:
            assert error.rv is CKR.DEVICE_MEMORY  # noqa: PT017 - it may be refused or not
        finally:
            held, _ = tracemalloc.get_traced_memory()
            tracemalloc.stop()
        assert held < 1.5 * MOST_HELD


@having(Ciphering)
@settings(max_examples=40)
@given(garbage=st.binary(max_size=130))
def test_garbage_decrypts_to_something_or_is_refused_by_name(spec: AnyMechanism, garbage: bytes) -> None:
    operation = run.decryption(spec.mechanism, good_key(spec), parameter(spec))
    foretold = operation.one_shot_size(len(garbage))
    try:
        assert len(run.process(operation, [garbage])) <= foretold
    except Pkcs11Error as error:
        assert error.rv in {CKR.ENCRYPTED_DATA_INVALID, CKR.ENCRYPTED_DATA_LEN_RANGE}  # noqa: PT017 - both are allowed


@having(Wrapping)
@given(value=st.binary(min_size=1, max_size=70))
def test_wrapped_key_unwraps_to_itself_filled_up_with_zeros(spec: AnyMechanism, value: bytes) -> None:
    sample, wrapping = MECHANISM_SAMPLES[spec.mechanism], spec.of(Wrapping)
    key, params = good_key(spec), spec.parameter(parameter(spec))
    wrapped = wrapping.wrap(key, params, bytearray(value))
    assert wrapping.unwrap(key, params, wrapped) == value + bytes(-len(value) % sample.filled_to)


@having(Wrapping)
def test_wrapped_key_of_an_impossible_size_is_refused(spec: AnyMechanism) -> None:
    unwrap, params = spec.of(Wrapping).unwrap, spec.parameter(parameter(spec))
    for size in MECHANISM_SAMPLES[spec.mechanism].bad_wrapped:
        refused(CKR.WRAPPED_KEY_LEN_RANGE, unwrap, good_key(spec), params, bytes(size))


def test_there_is_a_sample_for_every_mechanism() -> None:
    assert MECHANISM_SAMPLES.keys() == MECHANISMS.keys()
