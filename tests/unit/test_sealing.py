# SPDX-License-Identifier: Apache-2.0
"""SealKey, and the keys that storage derives."""

import pytest
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import given
from hypothesis import strategies as st

from softee.tee import sealing
from softee.tee.keys import Label, derive_key, derived, wipe
from softee.tee.sealing import OVERHEAD, SealKey, TamperedError

SECRET = bytes(range(32))
CONTEXT = b"context"


def hkdf(secret: bytes, info: bytes) -> bytes:
    return HKDF(hashes.SHA256(), 32, salt=None, info=info).derive(secret)


@given(plaintext=st.binary(max_size=300), context=st.binary(max_size=50))
def test_what_is_sealed_opens_in_its_context(plaintext: bytes, context: bytes) -> None:
    key = SealKey(SECRET)
    sealed = key.seal(context, plaintext)
    assert len(sealed) == len(plaintext) + OVERHEAD
    assert key.open(context, sealed) == plaintext


def test_the_plaintext_comes_in_a_bytearray_that_can_be_wiped() -> None:
    key = SealKey(bytearray(SECRET))
    assert isinstance(key.open(CONTEXT, key.seal(CONTEXT, bytearray(b"value"))), bytearray)


def test_two_seals_of_the_same_plaintext_share_nothing() -> None:
    key = SealKey(SECRET)
    first, second = key.seal(CONTEXT, b"value" * 10), key.seal(CONTEXT, b"value" * 10)
    assert first[:12] != second[:12]
    assert first[12:] != second[12:]


def test_each_altered_bit_is_detected() -> None:
    key = SealKey(SECRET)
    sealed = key.seal(CONTEXT, b"value")
    for bit in range(len(sealed) * 8):
        altered = bytearray(sealed)
        altered[bit // 8] ^= 1 << bit % 8
        with pytest.raises(TamperedError):
            key.open(CONTEXT, bytes(altered))


def test_each_truncation_and_any_extension_is_detected() -> None:
    key = SealKey(SECRET)
    sealed = key.seal(CONTEXT, b"value")
    for length in range(len(sealed)):
        with pytest.raises(TamperedError):
            key.open(CONTEXT, sealed[:length])
    with pytest.raises(TamperedError):
        key.open(CONTEXT, sealed + b"\0")


def test_what_was_altered_is_not_left_in_the_memory_that_it_was_decrypted_into(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[bytearray] = []

    def noted(size: int) -> bytearray:
        taken.append(bytearray(size))
        return taken[-1]

    sealed = SealKey(SECRET).seal(CONTEXT, b"value" * 10)
    key = SealKey(SECRET)
    monkeypatch.setattr(sealing, "bytearray", noted, raising=False)
    with pytest.raises(TamperedError):
        key.open(CONTEXT, sealed[:-1] + bytes([sealed[-1] ^ 1]))
    assert taken == [bytes(50)]


def test_another_key_or_another_context_does_not_open_it() -> None:
    sealed = SealKey(SECRET).seal(CONTEXT, b"value")
    with pytest.raises(TamperedError):
        SealKey(bytes(32)).open(CONTEXT, sealed)
    with pytest.raises(TamperedError):
        SealKey(SECRET).open(b"", sealed)


def test_terms_are_keyed_and_16_bytes() -> None:
    key = SealKey(SECRET)
    assert key.term(b"label") == SealKey(SECRET).term(b"label")
    assert len({key.term(b"label"), key.term(b"Label"), SealKey(bytes(32)).term(b"label")}) == 3
    assert len(key.term(b"label")) == 16


@pytest.mark.parametrize("size", [0, 16, 31, 33])
def test_a_secret_has_32_bytes(size: int) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        SealKey(bytes(size))


def test_a_wiped_key_does_nothing_any_more() -> None:
    key = SealKey(SECRET)
    sealed = key.seal(CONTEXT, b"value")
    key.wipe()
    key.wipe()
    for use in (lambda: key.seal(CONTEXT, b""), lambda: key.open(CONTEXT, sealed), lambda: key.term(b"")):
        with pytest.raises(ValueError, match="wiped"):
            use()


def test_a_key_shows_nothing_of_itself() -> None:
    assert repr(SealKey(SECRET)).startswith("<softee.tee.sealing.SealKey object")


def test_the_format_of_sealed_bytes_and_terms_never_changes() -> None:
    key = SealKey(SECRET)
    sealed = key.seal(CONTEXT, b"value")
    cipher = AESGCMSIV(hkdf(SECRET, b"softee/1/seal\0"))
    assert cipher.decrypt(sealed[:12], sealed[12:], CONTEXT) == b"value"
    mac = hmac.HMAC(hkdf(SECRET, b"softee/1/term\0"), hashes.SHA256())
    mac.update(b"label")
    assert key.term(b"label") == mac.finalize()[:16]


def test_labels_never_change_and_none_begins_another() -> None:
    values = [label.value for label in Label]
    assert values == [
        b"softee/1/installation",
        b"softee/1/application",
        b"softee/2/anchor",
        b"softee/1/vault",
        b"softee/1/structure",
        b"softee/1/objects",
        b"softee/1/derived",
        b"softee/1/seal",
        b"softee/1/term",
    ]
    assert not any(a != b and b.startswith(a) for a in values for b in values)


def test_a_derived_key_is_hkdf_of_label_and_context() -> None:
    assert derive_key(SECRET, Label.VAULT, b"slot-0") == hkdf(SECRET, b"softee/1/vault\0slot-0")


def test_a_lent_key_is_wiped_afterwards() -> None:
    with derived(SECRET, Label.VAULT) as key:
        assert any(key)
    assert key == bytes(32)


class Exhausted(bytearray):
    """Bytes for whose replacement at once there is no memory."""

    def __setitem__(self, where: object, value: object) -> None:
        if isinstance(where, slice):
            raise MemoryError  # noqa: TRY004 - what is played
        super().__setitem__(where, value)  # type: ignore[call-overload]


def test_a_secret_is_overwritten_also_where_there_is_no_memory() -> None:
    secret = Exhausted(b"secret")
    wipe(secret)
    assert bytes(secret) == bytes(6)
