# SPDX-License-Identifier: Apache-2.0
"""Large data is worked on in slices, so that others may run between them; from outside nobody sees it."""

import pytest

from softee.names import CKM
from softee.pkcs11_ta.keys.view import KeyView
from softee.pkcs11_ta.mechanisms.shapes.slices import SLICE, in_slices, take_slices
from support.keys import aes_key, secret_key
from support.mechanism_runs import decrypt, encrypt, sign, u32

KEY = aes_key(bytes(range(32)))
DATA = bytes(range(256)) * (2 * SLICE // 256) + bytes(16)
PARTS = (DATA[:5], DATA[5 : SLICE + 100], DATA[SLICE + 100 :])


@pytest.mark.parametrize("size", [0, 1, SLICE - 1, SLICE, SLICE + 1, 2 * SLICE, 2 * SLICE + 5])
def test_slices_are_all_of_the_data_and_none_is_larger_than_one(size: int) -> None:
    data, taken = DATA[:size], list[bytes | bytearray]()
    take_slices(taken.append, data)
    assert (b"".join(taken), max(map(len, taken), default=0) <= SLICE) == (data, True)
    assert in_slices(bytes, data) == data


@pytest.mark.parametrize(
    ("mechanism", "parameter"),
    [
        (CKM.AES_ECB, b""),
        (CKM.AES_CBC, bytes(16)),
        (CKM.AES_CBC_PAD, bytes(16)),
        (CKM.AES_CTR, u32(128) + bytes(16)),
        (CKM.AES_CTS, bytes(16)),
    ],
    ids=lambda value: value.name if isinstance(value, CKM) else "",
)
def test_a_cipher_gives_the_same_for_large_data_as_for_its_parts(mechanism: CKM, parameter: bytes) -> None:
    whole = encrypt(mechanism, KEY, parameter, DATA)
    assert encrypt(mechanism, KEY, parameter, *PARTS) == whole
    assert decrypt(mechanism, KEY, parameter, whole) == DATA


@pytest.mark.parametrize(
    ("mechanism", "key"),
    [(CKM.AES_CMAC, KEY), (CKM.SHA256_HMAC, secret_key(bytes(32)))],
    ids=lambda value: value.name if isinstance(value, CKM) else "",
)
def test_a_mac_is_the_same_for_large_data_as_for_its_parts(mechanism: CKM, key: KeyView) -> None:
    assert sign(mechanism, key, b"", [DATA]) == sign(mechanism, key, b"", PARTS)
