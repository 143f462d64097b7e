# SPDX-License-Identifier: Apache-2.0
"""AES mechanisms at their edges: parts of blocks, bad padding, counters that would wrap, stolen ciphertext."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softee.names import CKM, CKR
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.mechanisms.functions import Wrapping
from softee.pkcs11_ta.mechanisms.table import MECHANISMS
from support import keys
from support import mechanism_runs as run
from support.mechanism_runs import u32

KEY = keys.aes_key(bytes(range(32)))
IV = bytes(range(100, 116))


@pytest.mark.parametrize(("mechanism", "parameter"), [(CKM.AES_ECB, b""), (CKM.AES_CBC, IV)])
@pytest.mark.parametrize("size", [1, 15, 17, 47])
def test_data_that_ends_in_a_part_of_a_block_is_refused_at_the_end(mechanism: CKM, parameter: bytes, size: int) -> None:
    with pytest.raises(Pkcs11Error, match=f"DATA_LEN_RANGE: {size} bytes of data where a multiple of 16") as caught:
        run.encrypt(mechanism, KEY, parameter, bytes(size))
    assert caught.value.rv is CKR.DATA_LEN_RANGE
    with pytest.raises(Pkcs11Error, match=f"{size} bytes of data where a multiple of 16") as caught:
        run.decrypt(mechanism, KEY, parameter, bytes(size))
    assert caught.value.rv is CKR.ENCRYPTED_DATA_LEN_RANGE


@pytest.mark.parametrize("mechanism", [CKM.AES_ECB, CKM.AES_CBC, CKM.AES_CTR])
def test_no_data_encrypts_to_none(mechanism: CKM) -> None:
    parameter = {CKM.AES_ECB: b"", CKM.AES_CBC: IV, CKM.AES_CTR: u32(128) + IV}[mechanism]
    assert run.encrypt(mechanism, KEY, parameter) == b""
    assert run.decrypt(mechanism, KEY, parameter, b"", b"") == b""


@pytest.mark.parametrize("size", range(34))
def test_padding_is_always_there(size: int) -> None:
    """OP-TEE once listed CKM_AES_CBC_PAD without it."""
    encrypted = run.encrypt(CKM.AES_CBC_PAD, KEY, IV, bytes(size))
    assert len(encrypted) == size // 16 * 16 + 16
    fill = 16 - size % 16
    assert run.decrypt(CKM.AES_CBC, KEY, IV, encrypted) == bytes(size) + bytes([fill]) * fill


PADDINGS = [bytes(15) + b"\0", bytes(15) + b"\x11", bytes(15) + b"\x02", b"\x0f" * 14 + b"\x0e\x0f", b"\xff" * 16]


@pytest.mark.parametrize("before", [b"", bytes(16)])
def test_every_bad_padding_has_the_same_error(before: bytes) -> None:
    said = set()
    for padding in PADDINGS:
        with pytest.raises(Pkcs11Error) as caught:
            run.decrypt(CKM.AES_CBC_PAD, KEY, IV, run.encrypt(CKM.AES_CBC, KEY, IV, before + padding))
        assert caught.value.rv is CKR.ENCRYPTED_DATA_INVALID
        assert caught.value.__cause__ is None
        said.add(str(caught.value))
    assert len(said) == 1


@pytest.mark.parametrize("size", [0, 1, 15, 17])
def test_padded_data_is_one_or_more_whole_blocks(size: int) -> None:
    with pytest.raises(Pkcs11Error) as caught:
        run.decrypt(CKM.AES_CBC_PAD, KEY, IV, bytes(size))
    assert caught.value.rv is CKR.ENCRYPTED_DATA_LEN_RANGE


def test_padded_decryption_holds_back_the_last_block() -> None:
    operation = run.decryption(CKM.AES_CBC_PAD, KEY, IV)
    encrypted = run.encrypt(CKM.AES_CBC_PAD, KEY, IV, b"sixteen bytes...and some")
    assert [operation.update_size(count) for count in (0, 15, 16, 31, 32, 48)] == [0, 0, 0, 0, 16, 32]
    assert operation.update(encrypted) == b"sixteen bytes..."
    assert operation.finish() == b"and some"


def counter(bits: int, value: int) -> bytes:
    return u32(bits) + value.to_bytes(16, "big")


@pytest.mark.parametrize(("bits", "blocks_left"), [(2, 1), (2, 4), (8, 3), (32, 2), (64, 1), (127, 1), (128, 2)])
def test_counter_is_not_let_wrap_around(bits: int, blocks_left: int) -> None:
    parameter = counter(bits, (0xA5 << 120) % 2**128 >> bits << bits | (2**bits - blocks_left))
    most = bytes(16 * blocks_left)
    for operation in (run.encryption(CKM.AES_CTR, KEY, parameter), run.decryption(CKM.AES_CTR, KEY, parameter)):
        assert len(run.process(operation, [most])) == len(most)
    for parts in ([most + b"\0"], [most, b"\0"]):
        with pytest.raises(Pkcs11Error, match="the counter would wrap") as caught:
            run.encrypt(CKM.AES_CTR, KEY, parameter, *parts)
        assert caught.value.rv is CKR.DATA_LEN_RANGE


@given(value=st.integers(0, 2**128 - 1), bits=st.integers(2, 128))
def test_narrow_counter_changes_no_other_bits(value: int, bits: int) -> None:
    """Up to its limit a counter gives ECB of the blocks whose rightmost bits count up from its value."""
    left = min(2**bits - value % 2**bits, 3)
    blocks = b"".join((value + i).to_bytes(16, "big") for i in range(left))
    stream = run.encrypt(CKM.AES_ECB, KEY, b"", blocks)
    assert run.encrypt(CKM.AES_CTR, KEY, counter(bits, value), bytes(16 * left)) == stream


def test_counter_of_one_bit_counts_in_full_and_wraps_as_op_tees() -> None:
    stream = run.encrypt(CKM.AES_ECB, KEY, b"", b"\xff" * 16 + bytes(16))
    assert run.encrypt(CKM.AES_CTR, KEY, counter(1, 2**128 - 1), bytes(32)) == stream


@pytest.mark.parametrize("size", [0, 1, 15])
def test_less_than_a_block_has_nothing_to_steal_from(size: int) -> None:
    with pytest.raises(Pkcs11Error, match=f"{size} bytes of data where at least 16 is needed") as caught:
        run.encrypt(CKM.AES_CTS, KEY, IV, bytes(size))
    assert caught.value.rv is CKR.DATA_LEN_RANGE
    with pytest.raises(Pkcs11Error, match=f"{size} bytes of data where at least 16 is needed") as caught:
        run.decrypt(CKM.AES_CTS, KEY, IV, bytes(size))
    assert caught.value.rv is CKR.ENCRYPTED_DATA_LEN_RANGE


@given(plain=st.binary(min_size=17, max_size=120), first=st.integers(0, 120))
def test_stealing_exchanges_the_last_blocks_of_cbc_and_keeps_the_size(plain: bytes, first: int) -> None:
    rest = len(plain) % 16 or 16
    cbc = run.encrypt(CKM.AES_CBC, KEY, IV, plain + bytes(16 - rest))
    stolen = run.encrypt(CKM.AES_CTS, KEY, IV, plain[:first], plain[first:])
    assert stolen == cbc[:-32] + cbc[-16:] + cbc[-32:-16][:rest]
    assert run.decrypt(CKM.AES_CTS, KEY, IV, stolen[:first], stolen[first:]) == plain


def test_stealing_gives_what_cannot_be_among_the_last_blocks() -> None:
    operation = run.encryption(CKM.AES_CTS, KEY, IV)
    assert [operation.update_size(count) for count in (16, 17, 32, 33, 48, 49)] == [0, 0, 0, 16, 16, 32]


def test_wrapping_does_not_change_the_value_that_it_wraps() -> None:
    spec = MECHANISMS[CKM.AES_CBC]
    value = bytearray(b"twenty bytes of key.")
    wrapped = spec.of(Wrapping).wrap(KEY, IV, value)
    assert value == b"twenty bytes of key."
    assert wrapped == run.encrypt(CKM.AES_CBC, KEY, IV, bytes(value) + bytes(12))


@pytest.mark.parametrize("mechanism", [CKM.AES_ECB, CKM.AES_CBC, CKM.AES_CBC_PAD, CKM.AES_CTR, CKM.AES_CTS])
def test_key_of_a_size_between_is_refused(mechanism: CKM) -> None:
    parameter = {CKM.AES_ECB: b"", CKM.AES_CTR: u32(128) + IV}.get(mechanism, IV)
    with pytest.raises(Pkcs11Error, match="KEY_SIZE_RANGE: AES has no keys of 20 bytes"):
        run.encryption(mechanism, keys.aes_key(bytes(20)), parameter)
    with pytest.raises(Pkcs11Error, match="KEY_SIZE_RANGE: AES has no keys of 20 bytes"):
        run.sign(CKM.AES_CMAC, keys.aes_key(bytes(20)), b"", [])
