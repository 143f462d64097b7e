# SPDX-License-Identifier: Apache-2.0
"""Operations that hold their data until the end: all of it comes out, and not more goes in than the limit."""

from collections.abc import Callable

import pytest

from softee.names import CKR
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.mechanisms.shapes.ciphering import BufferedCipher, on_bytes
from softee.pkcs11_ta.mechanisms.shapes.signing import BufferedSign, BufferedVerify

Operation = BufferedSign | BufferedVerify | BufferedCipher


def itself(data: bytes) -> bytes:
    return data


def check(signature: bytes, data: bytes) -> None:
    assert signature == data


OPERATIONS: dict[str, Callable[[int | None], Operation]] = {
    "sign": lambda limit: BufferedSign(itself, limit=limit),
    "verify": lambda limit: BufferedVerify(check, limit=limit),
    "cipher": lambda limit: BufferedCipher(on_bytes(itself), lambda count: count, limit=limit),
}


def finish(operation: Operation, expected: bytes) -> None:
    if isinstance(operation, BufferedVerify):
        operation.finish(expected)
    else:
        assert operation.finish() == expected


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("limit", [None, 6])
def test_all_parts_come_together_in_their_order(name: str, limit: int | None) -> None:
    operation = OPERATIONS[name](limit)
    for part in (b"ab", b"", b"cdef", b""):
        operation.update(part)
    finish(operation, b"abcdef")


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("taken", [b"", b"a", b"abcdef"])
def test_invariant_3_more_than_the_limit_is_refused_in_one_part_or_in_several(name: str, taken: bytes) -> None:
    operation = OPERATIONS[name](6)
    operation.update(taken)
    with pytest.raises(Pkcs11Error, match="7 bytes of data, of which 6 can be held") as refused:
        operation.update(bytes(7 - len(taken)))
    assert refused.value.rv is CKR.DEVICE_MEMORY
    finish(operation, taken)


@pytest.mark.parametrize("name", OPERATIONS)
def test_without_a_limit_one_part_is_as_large_as_a_request(name: str) -> None:
    operation = OPERATIONS[name](None)
    operation.update(bytes(1 << 22))
    finish(operation, bytes(1 << 22))


def test_a_cipher_gives_nothing_before_its_end_and_says_how_much_then() -> None:
    cipher = BufferedCipher(lambda data: bytes(data[:-2]), lambda count: max(0, count - 2), limit=10)
    assert (cipher.update_size(5), cipher.update(b"abcde")) == (0, b"")
    assert [cipher.one_shot_size(count) for count in (0, 2, 5)] == [0, 0, 3]
    assert cipher.finish() == b"abc"


def test_what_comes_as_a_whole_is_not_held_and_has_no_limit() -> None:
    cipher = BufferedCipher(bytes, lambda count: count, limit=6)
    assert cipher.whole(bytes(100)) == bytes(100)
    assert cipher.finish() == b""
