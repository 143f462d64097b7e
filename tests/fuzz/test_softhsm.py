# SPDX-License-Identifier: Apache-2.0
"""Any bytes are an object of SoftHSM2's or are refused; any attributes become a template or are not taken."""

from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st

from softee.cli.softhsm.files import decode_object
from softee.cli.softhsm.secrets import decrypted, unlocked
from softee.cli.softhsm.stored import BadStoreError, Mechanisms, Nested, Stored, StoredObject
from softee.cli.softhsm.templates import NotTakenError, opened, template_of
from softee.names import CKA, CKK, CKO
from softee.pkcs11_ta.attributes.secret_bytes import SecretBytes
from softee.wire.codec import WireError
from support.softhsm import KEY, encode

STORED: st.SearchStrategy[Stored] = st.one_of(
    st.booleans(),
    st.integers(0, (1 << 64) - 1),
    st.binary(max_size=50),
    st.builds(Nested, st.integers(0, 50)),
    st.builds(Mechanisms, st.lists(st.integers(0, (1 << 64) - 1), max_size=5).map(tuple)),
)
ATTRIBUTES = st.dictionaries(st.sampled_from(CKA) | st.integers(0, (1 << 64) - 1), STORED, max_size=20)
CLASSES = st.fixed_dictionaries(
    {CKA.CLASS: st.sampled_from(CKO).map(int), CKA.KEY_TYPE: st.sampled_from(CKK).map(int), CKA.PRIVATE: st.booleans()}
)


@given(st.dictionaries(st.integers(0, (1 << 64) - 1), STORED, max_size=20))
def test_what_is_encoded_is_decoded(attributes: dict[int, Stored]) -> None:
    assert decode_object(encode(attributes)) == attributes


@given(st.binary(max_size=300))
def test_any_bytes_are_an_object_or_refused(content: bytes) -> None:
    with suppress(WireError):
        decode_object(content)


@given(ATTRIBUTES, st.data())
def test_a_changed_object_decodes_or_is_refused(attributes: dict[int, Stored], data: st.DataObject) -> None:
    content = bytearray(encode(attributes))
    index = data.draw(st.integers(0, len(content) - 1))
    content[index] ^= data.draw(st.integers(1, 255))
    with suppress(WireError):
        decode_object(bytes(content))


@given(ATTRIBUTES, CLASSES | st.just({}))
def test_any_attributes_are_a_template_or_not_taken(
    attributes: dict[int, Stored], of_a_class: dict[int, Stored]
) -> None:
    with suppress(NotTakenError):
        template_of(opened(StoredObject("name", attributes | of_a_class), SecretBytes(KEY)))


@given(st.binary(max_size=100))
def test_any_bytes_decrypt_or_are_refused(value: bytes) -> None:
    with suppress(BadStoreError):
        decrypted(SecretBytes(KEY), value)


@given(st.binary(min_size=72, max_size=72), st.binary(max_size=20))
def test_any_record_of_a_pin_opens_or_not(blob: bytes, pin: bytes) -> None:
    assert unlocked(blob, bytearray(pin)) is None
