# SPDX-License-Identifier: Apache-2.0
"""What holds for every mechanism of the table: sizes foretold, input cut anywhere, errors by the standard's names."""

import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any

import pytest
from cryptography.exceptions import AlreadyFinalized
from hypothesis import given, settings
from hypothesis import strategies as st

from softee.names import CKA, CKK, CKM, CKO, CKR
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.keys.parts import octets
from softee.pkcs11_ta.keys.view import KeyView
from softee.pkcs11_ta.mechanisms.functions import (
    Ciphering,
    CipherOperation,
    Deriving,
    DerivingKeys,
    Digesting,
    DigestOperation,
    Encapsulating,
    Functions,
    Recovering,
    Signing,
    SignOperation,
    VerifyOperation,
    Wrapping,
)
from softee.pkcs11_ta.mechanisms.spec import AnyMechanism
from softee.pkcs11_ta.mechanisms.table import MECHANISMS
from support import keys
from support import mechanism_runs as run
from support.samples import MECHANISM_SAMPLES
from support.samples.sample import MechanismSample

MOST_HELD = 1 << 20
"""Bytes that an operation may hold until its end: a client may have thousands of operations."""


@dataclass(frozen=True)
class Use:
    """A mechanism with one of its samples."""

    name: str
    spec: AnyMechanism
    sample: MechanismSample

    @property
    def mechanism(self) -> CKM:
        return self.spec.mechanism

    @property
    def key(self) -> KeyView:
        return self.sample.key()

    @property
    def parameter(self) -> bytes:
        return self.sample.parameter

    @property
    def decoded(self) -> Any:  # noqa: ANN401 - each mechanism has its own
        return self.spec.parameter(self.parameter)


USES = [
    Use(spec.mechanism.name if number == 0 else f"{spec.mechanism.name}-{number + 1}", spec, sample)
    for spec in MECHANISMS.values()
    for number, sample in enumerate(MECHANISM_SAMPLES.get(spec.mechanism, ()))
]


def every(*groups: type[Functions[Any]], multi_part: bool = False, of_secrets: bool = False) -> pytest.MarkDecorator:
    """Run a test with each mechanism that has one of the groups of functions (none: all mechanisms)."""
    wanted = [
        use
        for use in USES
        if (not groups or any(isinstance(functions, groups) for functions in use.spec.functions))
        and (use.spec.multi_part or not multi_part)
        and (not of_secrets or use.spec.of(Deriving).makes is not CKO.PUBLIC_KEY)
    ]
    return pytest.mark.parametrize("use", wanted, ids=lambda use: use.name)


@st.composite
def data_in_parts(draw: st.DrawFn, sample: MechanismSample) -> list[bytes]:
    """Draw data that the mechanism takes, cut anywhere, empty parts included."""
    size = draw(st.integers(sample.shortest, sample.longest))
    size -= size % sample.multiple_of
    rest = size - len(sample.begins)
    data = sample.begins + draw(st.binary(min_size=rest, max_size=rest))
    cuts = sorted(draw(st.lists(st.integers(0, size), max_size=6)))
    return [data[start:end] for start, end in pairwise([0, *cuts, size])]


def refused(rv: CKR, call: Callable[..., object], *arguments: object) -> None:
    with pytest.raises(Pkcs11Error) as caught:
        call(*arguments)
    assert caught.value.rv is rv, caught.value
    assert caught.value.detail, "a refusal says what was wrong"


@every(Digesting)
@settings(max_examples=20)
@given(data=st.data())
def test_digest_is_the_same_however_the_input_is_cut(use: Use, data: st.DataObject) -> None:
    parts = data.draw(data_in_parts(use.sample))
    whole = run.digest(use.mechanism, [b"".join(parts)])
    assert run.digest(use.mechanism, parts) == whole
    assert len(whole) == use.spec.of(Digesting).size


@every(Signing)
@settings(max_examples=20)
@given(data=st.data())
def test_signature_holds_however_the_input_is_cut(use: Use, data: st.DataObject) -> None:
    parts = data.draw(data_in_parts(use.sample))
    key, whole = use.key, b"".join(parts)
    signature = run.sign(use.mechanism, key, use.parameter, parts)
    assert len(signature) == use.spec.of(Signing).size(key, use.decoded)
    run.verify(use.mechanism, key, use.parameter, [whole], signature)
    run.verify(use.mechanism, key, use.parameter, parts, run.sign(use.mechanism, key, use.parameter, [whole]))


@every(Ciphering)
@settings(max_examples=40)
@given(data=st.data())
def test_what_was_encrypted_decrypts_however_both_are_cut(use: Use, data: st.DataObject) -> None:
    parts = data.draw(data_in_parts(use.sample))
    key, whole = use.key, b"".join(parts)
    encrypted = run.encrypt(use.mechanism, key, use.parameter, *parts)
    cut = data.draw(st.integers(0, len(encrypted)))
    assert run.decrypt(use.mechanism, key, use.parameter, encrypted[:cut], encrypted[cut:]) == whole
    if use.sample.deterministic:
        assert run.encrypt(use.mechanism, key, use.parameter, whole) == encrypted


@every(Ciphering)
@settings(max_examples=40)
@given(data=st.data())
def test_one_shot_size_is_enough(use: Use, data: st.DataObject) -> None:
    whole = b"".join(data.draw(data_in_parts(use.sample)))
    foretold = run.encryption(use.mechanism, use.key, use.parameter).one_shot_size(len(whole))
    encrypted = run.encrypt(use.mechanism, use.key, use.parameter, whole)
    assert len(encrypted) <= foretold
    assert len(whole) <= run.decryption(use.mechanism, use.key, use.parameter).one_shot_size(len(encrypted))


@every(Signing)
def test_changed_signature_is_refused(use: Use) -> None:
    data = [bytes(use.sample.size)]
    signature = run.sign(use.mechanism, use.key, use.parameter, data)
    for place in (0, len(signature) // 2, len(signature) - 1):
        changed = bytearray(signature)
        changed[place] ^= 1
        refused(CKR.SIGNATURE_INVALID, run.verify, use.mechanism, use.key, use.parameter, data, bytes(changed))


@every(Signing)
def test_signature_of_other_data_is_refused(use: Use) -> None:
    size = use.sample.size
    signature = run.sign(use.mechanism, use.key, use.parameter, [bytes(size)])
    other = [b"\x01" + bytes(size - 1)]
    refused(CKR.SIGNATURE_INVALID, run.verify, use.mechanism, use.key, use.parameter, other, signature)


@every(Signing)
def test_signature_of_another_size_is_refused(use: Use) -> None:
    data = [bytes(use.sample.size)]
    signature = run.sign(use.mechanism, use.key, use.parameter, data)
    for other in (b"", signature[:-1], signature + b"\0"):
        refused(CKR.SIGNATURE_LEN_RANGE, run.verify, use.mechanism, use.key, use.parameter, data, other)


@every(Recovering)
@settings(max_examples=20)
@given(data=st.data())
def test_data_is_recovered_from_its_signature(use: Use, data: st.DataObject) -> None:
    whole = b"".join(data.draw(data_in_parts(use.sample)))
    signature = run.sign_recover(use.mechanism, use.key, use.parameter, whole)
    assert len(signature) == use.spec.of(Recovering).size(use.key, use.decoded)
    assert run.recover(use.mechanism, use.key, use.parameter, signature) == whole


@every(Recovering)
def test_data_is_not_recovered_from_a_changed_signature(use: Use) -> None:
    signature = run.sign_recover(use.mechanism, use.key, use.parameter, bytes(use.sample.size))
    for place in (0, len(signature) // 2, len(signature) - 1):
        changed = bytearray(signature)
        changed[place] ^= 1
        if not use.sample.recovers_any:
            refused(CKR.SIGNATURE_INVALID, run.recover, use.mechanism, use.key, use.parameter, bytes(changed))
    for other in (b"", signature[:-1], signature + b"\0"):
        refused(CKR.SIGNATURE_LEN_RANGE, run.recover, use.mechanism, use.key, use.parameter, other)


@every()
def test_parameter_with_bytes_left_over_is_refused(use: Use) -> None:
    use.spec.parameter(use.parameter)
    if use.sample.parameter_ends:
        refused(CKR.MECHANISM_PARAM_INVALID, use.spec.parameter, use.parameter + b"\0")


@every()
def test_parameter_that_is_cut_is_refused(use: Use) -> None:
    for size in range(len(use.parameter) if use.sample.parameter_ends else 0):
        refused(CKR.MECHANISM_PARAM_INVALID, use.spec.parameter, use.parameter[:size])


@pytest.mark.parametrize("spec", MECHANISMS.values(), ids=lambda spec: spec.mechanism.name)
@settings(max_examples=50)
@given(raw=st.binary(max_size=64))
def test_random_parameter_is_decoded_or_refused_by_name(spec: AnyMechanism, raw: bytes) -> None:
    try:
        spec.parameter(raw)
    except Pkcs11Error as error:
        assert error.rv in {CKR.MECHANISM_PARAM_INVALID, CKR.SIGNATURE_LEN_RANGE}  # noqa: PT017 - both are allowed


@every(Signing)
def test_second_end_of_a_signature_is_refused_or_signs_the_same_data(use: Use) -> None:
    data = bytes(use.sample.size)
    operation = use.spec.of(Signing).sign(use.key, use.decoded)
    operation.update(data)
    operation.finish()
    try:
        again = operation.finish()
    except AlreadyFinalized:
        return
    run.verify(use.mechanism, use.key, use.parameter, [data], again)


def operations(
    use: Use,
) -> Iterator[Callable[[], DigestOperation | SignOperation | VerifyOperation | CipherOperation]]:
    """Return what begins each of a mechanism's operations on data."""
    for functions in use.spec.functions:
        if isinstance(functions, Digesting):
            yield partial(functions.begin, use.decoded)
        elif isinstance(functions, Signing):
            yield partial(functions.sign, use.key, use.decoded)
            yield partial(functions.verify, use.key, use.decoded)
        elif isinstance(functions, Ciphering):
            yield partial(functions.encrypt, use.key, use.decoded)
            yield partial(functions.decrypt, use.key, use.decoded)


@every(Digesting, Signing, Ciphering, multi_part=True)
def test_invariant_3_data_in_parts_without_end_does_not_fill_the_memory(use: Use) -> None:
    part = bytes(1 << 18)
    for begin in operations(use):
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


@every(Ciphering)
@settings(max_examples=40)
@given(garbage=st.binary(max_size=130))
def test_garbage_decrypts_to_something_or_is_refused_by_name(use: Use, garbage: bytes) -> None:
    operation = run.decryption(use.mechanism, use.key, use.parameter)
    foretold = operation.one_shot_size(len(garbage))
    try:
        assert len(run.process(operation, [garbage])) <= foretold
    except Pkcs11Error as error:
        assert error.rv in {CKR.ENCRYPTED_DATA_INVALID, CKR.ENCRYPTED_DATA_LEN_RANGE}  # noqa: PT017 - both are allowed


@every(Wrapping)
@given(data=st.data())
def test_wrapped_key_unwraps_to_itself_filled_up_with_zeros(use: Use, data: st.DataObject) -> None:
    wrapping = use.spec.of(Wrapping)
    least, most = use.sample.wraps
    value = data.draw(st.binary(min_size=least, max_size=most))
    wrapped = wrapping.wrap(use.key, use.decoded, bytearray(value))
    filled = value + bytes(-len(value) % use.sample.filled_to)
    assert wrapping.unwrap(use.key, use.decoded, wrapped) == filled


@every(Wrapping)
def test_wrapped_key_of_an_impossible_size_is_refused(use: Use) -> None:
    for size in use.sample.bad_wrapped:
        refused(CKR.WRAPPED_KEY_LEN_RANGE, use.spec.of(Wrapping).unwrap, use.key, use.decoded, bytes(size))


SIZE_REFUSED = {
    CKR.ATTRIBUTE_VALUE_INVALID,
    CKR.TEMPLATE_INCONSISTENT,
    CKR.KEY_FUNCTION_NOT_PERMITTED,
    CKR.MECHANISM_PARAM_INVALID,
}


def derived(use: Use, size: int, key: KeyView | None = None) -> bytes:
    """Return what is derived with a CKA_VALUE_LEN, b"" where the mechanism does not make such keys."""
    deriving = use.spec.of(Deriving)
    numbers = {CKA.CLASS: deriving.makes, CKA.KEY_TYPE: CKK.GENERIC_SECRET, CKA.VALUE_LEN: size}
    wanted = {int(attribute): int(value) for attribute, value in numbers.items()}
    try:
        return bytes(octets(deriving.derive(key or use.key, use.decoded, use.sample.others(), wanted), CKA.VALUE))
    except Pkcs11Error as error:
        if error.rv not in SIZE_REFUSED:
            raise
        return b""


@every(Deriving, of_secrets=True)
def test_derived_key_is_as_long_as_its_template_says_or_not_made(use: Use) -> None:
    sizes = [size for size in (*range(1, 65), 1 << 20) if derived(use, size)]
    assert sizes
    assert 1 << 20 not in sizes
    assert [len(derived(use, size)) for size in sizes] == sizes


@every(Deriving, of_secrets=True)
def test_invariant_1_a_short_key_does_not_tell_a_piece_of_the_protected_key_that_it_is_derived_from(use: Use) -> None:
    """A key of one byte is found by trying. It must depend on every byte of the base key, or there must be none."""
    if use.key.key_class is not CKO.SECRET_KEY:
        return
    value, key_type = bytes(use.key.secret()), CKK(use.key.key_type)
    protected = keys.secret_key(value, key_type)
    assert protected.protected
    known = derived(use, 1, protected)
    if not known:
        return
    flipped = [value[:at] + bytes([value[at] ^ 0x5A]) + value[at + 1 :] for at in range(len(value))]
    same = sum(derived(use, 1, keys.secret_key(bytes(one), key_type)) == known for one in flipped)
    assert same <= len(value) // 4


@every(DerivingKeys)
def test_keys_that_are_derived_together_are_those_of_the_templates_and_shown_is_what_was_foretold(use: Use) -> None:
    deriving, decoded = use.spec.of(DerivingKeys), use.decoded
    derived = deriving.derive(use.key, decoded)
    secret = {int(CKA.CLASS): int(CKO.SECRET_KEY), int(CKA.KEY_TYPE): int(CKK.GENERIC_SECRET)}
    templates = deriving.templates(decoded, dict(secret))
    assert len(derived.keys) == sum(template is not None for template in templates)
    assert len(derived.shown) == deriving.shown(decoded)


@every(DerivingKeys)
def test_invariant_1_no_key_of_several_tells_a_piece_of_the_protected_key_that_they_are_derived_from(use: Use) -> None:
    """Every byte of each must depend on every byte of the base key."""
    value, key_type = bytes(use.key.secret()), CKK(use.key.key_type)
    known, _ = run.derive_keys(use.mechanism, keys.secret_key(value, key_type), use.parameter)
    flipped = [value[:at] + bytes([value[at] ^ 0x5A]) + value[at + 1 :] for at in range(len(value))]
    others = [run.derive_keys(use.mechanism, keys.secret_key(one, key_type), use.parameter)[0] for one in flipped]
    for number, key in enumerate(known):
        for at in range(len(key)):
            assert sum(other[number][at] == key[at] for other in others) <= len(value) // 4


@every(Encapsulating)
def test_a_secret_that_is_encapsulated_is_decapsulated(use: Use) -> None:
    """Each has the size that it says, and each is another one."""
    functions = use.spec.of(Encapsulating)
    wanted = {int(CKA.CLASS): int(CKO.SECRET_KEY), int(CKA.KEY_TYPE): int(CKK.GENERIC_SECRET)}
    ciphertexts = []
    for _ in range(3):
        ciphertext, parts = functions.encapsulate(use.key, use.decoded, wanted)
        assert len(ciphertext) == functions.size(use.key, use.decoded)
        assert functions.decapsulate(use.key, use.decoded, ciphertext, wanted) == parts
        ciphertexts.append(ciphertext)
    assert len(set(ciphertexts)) == 3


@every(Encapsulating)
@settings(max_examples=20)
@given(garbage=st.binary(max_size=2000))
def test_garbage_decapsulates_to_something_or_is_refused_by_name(use: Use, garbage: bytes) -> None:
    functions = use.spec.of(Encapsulating)
    wanted = {int(CKA.CLASS): int(CKO.SECRET_KEY), int(CKA.KEY_TYPE): int(CKK.GENERIC_SECRET)}
    size = functions.size(use.key, use.decoded)
    assert octets(functions.decapsulate(use.key, use.decoded, garbage.ljust(size, b"x")[:size], wanted), CKA.VALUE)
    for other in (garbage[: size - 1], garbage.ljust(size + 1, b"x")):
        refused(CKR.WRAPPED_KEY_LEN_RANGE, functions.decapsulate, use.key, use.decoded, other, wanted)


def test_there_is_a_sample_for_every_mechanism() -> None:
    assert MECHANISM_SAMPLES.keys() == MECHANISMS.keys()
