# SPDX-License-Identifier: Apache-2.0
"""Attacks with hostile keys: whatever numbers are imported or unwrapped, the secure world's threads are not held up.

Python's and `cryptography`'s arithmetic holds all threads while it runs, so a key that takes seconds to test would stop
every client. Neither is asked to compute with large numbers; without the checks each attack takes from half a minute to
hours.
"""

import math
import sys
import threading
from collections.abc import Iterator

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from softee.names import CKA, CKK, CKM, CKO, CKR
from softee.pkcs11_ta.attributes.values import AttributeValue
from softee.pkcs11_ta.keys.parts import big_endian
from softee.pkcs11_ta.keys.rsa_primes import check_numbers
from softee.wire.frames import MAX_LENGTH
from support.commands import c
from support.hostile_numbers import effort_limited
from support.object_calls import fresh_caller
from support.samples import as_template
from support.token_world import Caller, template

MERSENNE_521, MERSENNE_607, MERSENNE_2203, MERSENNE_9689 = ((1 << bits) - 1 for bits in (521, 607, 2203, 9689))
RSA_ENCRYPTION = bytes.fromhex("06092a864886f70d0101010500")


def der(tag: int, content: bytes) -> bytes:
    size = len(content)
    digits = size.to_bytes(max(1, -(-size.bit_length() // 8)), "big")
    length = digits if size < 0x80 else bytes([0x80 + len(digits)]) + digits
    return bytes([tag]) + length + content


def integer(value: int) -> bytes:
    return der(2, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def as_number(value: AttributeValue) -> int:
    assert isinstance(value, bytes | bytearray)
    return int.from_bytes(value, "big")


def rsa_numbers(p: int, q: int) -> dict[int, AttributeValue]:
    """Return the parts of a working RSA key of any two primes."""
    order = math.lcm(p - 1, q - 1)
    e = next(e for e in range(65537, 70000, 2) if math.gcd(e, order) == 1)
    d = pow(e, -1, order)
    values = (p * q, e, d, p, q, d % (p - 1), d % (q - 1), pow(q, -1, p))
    kinds = (CKA.MODULUS, CKA.PUBLIC_EXPONENT, CKA.PRIVATE_EXPONENT, CKA.PRIME_1, CKA.PRIME_2)
    parts = (*kinds, CKA.EXPONENT_1, CKA.EXPONENT_2, CKA.COEFFICIENT)
    return {kind: big_endian(value) for kind, value in zip(parts, values, strict=True)}


def private_key_info(numbers: dict[int, AttributeValue]) -> bytes:
    key = b"".join(integer(as_number(value)) for value in numbers.values())
    return der(0x30, integer(0) + der(0x30, RSA_ENCRYPTION) + der(4, der(0x30, integer(0) + key)))


def unwrap(caller: Caller, session: int, plain: bytes) -> CKR:
    """Have the token unwrap bytes of the attacker's choice."""
    key = caller.aes_key(session, (CKA.UNWRAP, True))
    caller.ok(c.ENCRYPT_INIT, session, key, CKM.AES_ECB, b"")
    padded = plain + bytes(-len(plain) % 16)
    wrapped = caller.ok(c.ENCRYPT_ONESHOT, session, data=padded, capacity=len(padded)).output
    wanted = template((CKA.CLASS, CKO.PRIVATE_KEY), (CKA.KEY_TYPE, CKK.RSA))
    return caller.call(c.UNWRAP_KEY, session, key, CKM.AES_ECB, b"", wanted, data=wrapped).rv


def create(numbers: dict[int, AttributeValue]) -> CKR:
    caller, session = fresh_caller()
    rsa = {CKA.CLASS: int(CKO.PRIVATE_KEY), CKA.KEY_TYPE: int(CKK.RSA), **numbers}
    return caller.call(c.CREATE_OBJECT, session, template(*as_template(rsa))).rv


def test_invariant_3_unwrapping_an_oversized_rsa_key_holds_up_nobody() -> None:
    caller, session = fresh_caller()
    with effort_limited():
        answer = unwrap(caller, session, private_key_info(rsa_numbers(MERSENNE_9689, MERSENNE_607)))
    assert answer is CKR.WRAPPED_KEY_INVALID


@pytest.mark.parametrize("part", [CKA.PRIVATE_EXPONENT, CKA.PUBLIC_EXPONENT, CKA.COEFFICIENT], ids=str)
def test_invariant_3_a_huge_part_of_an_unwrapped_key_holds_up_nobody(part: CKA) -> None:
    caller, session = fresh_caller()
    numbers = rsa_numbers(MERSENNE_521, MERSENNE_607) | {part: b"\x7f" * (1 << 20)}
    with effort_limited():
        assert unwrap(caller, session, private_key_info(numbers)) is CKR.WRAPPED_KEY_INVALID


def test_a_key_is_still_tested_when_it_is_unwrapped() -> None:
    caller, session = fresh_caller()
    good = rsa_numbers(MERSENNE_521, MERSENNE_607)
    assert unwrap(caller, session, private_key_info(good)) is CKR.OK
    for kind in (CKA.PRIVATE_EXPONENT, CKA.PRIME_1, CKA.EXPONENT_1, CKA.COEFFICIENT):
        bad = good | {kind: big_endian(as_number(good[kind]) ^ 4)}
        assert unwrap(caller, session, private_key_info(bad)) is CKR.WRAPPED_KEY_INVALID


@pytest.mark.parametrize("kept", [8, 5, 3], ids=["whole", "without CRT", "without primes"])
def test_invariant_3_an_unbalanced_rsa_key_holds_up_nobody(kept: int) -> None:
    numbers = list(rsa_numbers(MERSENNE_2203, MERSENNE_607).items())[:kept]
    with effort_limited():
        assert create(dict(numbers)) is CKR.ATTRIBUTE_VALUE_INVALID


@pytest.mark.parametrize("kept", [8, 3], ids=["whole", "without primes"])
def test_invariant_3_an_rsa_key_with_huge_parts_holds_up_nobody(kept: int) -> None:
    numbers = list(rsa_numbers(MERSENNE_521, MERSENNE_607).items())
    huge = {kind: b"\x7f" * (MAX_LENGTH // kept) for kind, _ in numbers[1:kept]}
    with effort_limited():
        assert create({**dict(numbers[:1]), **huge}) is CKR.ATTRIBUTE_VALUE_INVALID


@pytest.mark.parametrize("part", list(rsa_numbers(MERSENNE_521, MERSENNE_607))[1:], ids=str)
def test_invariant_3_one_huge_part_of_an_rsa_key_holds_up_nobody(part: int) -> None:
    with effort_limited():
        huge = {**rsa_numbers(MERSENNE_521, MERSENNE_607), part: b"\x7f" * (MAX_LENGTH // 2)}
        assert create(huge) is CKR.ATTRIBUTE_VALUE_INVALID


def test_invariant_3_primes_that_make_a_search_long_hold_up_nobody() -> None:
    """With primes just above a multiple of 2**1000 each try of a library's search would be a thousand powers."""
    primes = ((13 << 1000) + 1, (2647 << 1000) + 1)
    with effort_limited():
        assert create(rsa_numbers(*primes)) is CKR.OK
        assert create(dict(list(rsa_numbers(*primes).items())[:3])) is CKR.OK


def test_invariant_3_exponents_made_to_fit_one_base_alone_hold_up_nobody() -> None:
    """Of base 17, by which a library tries the exponents before it searches, the order is 501 for this modulus."""
    modulus = (17**501 - 1) // 16
    while (shared := math.gcd(pow(2, modulus, modulus) - 2, modulus)) != 1:
        modulus //= shared
    step = 501 << 28
    private = pow(65537, -1, step) + step * (1 << 1900)
    values = {CKA.MODULUS: modulus, CKA.PUBLIC_EXPONENT: 65537, CKA.PRIVATE_EXPONENT: private}
    with effort_limited():
        assert create({kind: big_endian(value) for kind, value in values.items()}) is CKR.ATTRIBUTE_VALUE_INVALID


class Overtaking(threading.Thread):
    """A thread that runs where another lets it, which holds the interpreter's lock otherwise."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.begin, self.ran = threading.Event(), threading.Event()

    def run(self) -> None:
        self.begin.wait()
        self.ran.set()


@pytest.fixture
def held_lock() -> Iterator[None]:
    """Have no thread give up the interpreter's lock for another that wants it, unless it does so by itself."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1000)
    yield
    sys.setswitchinterval(interval)


@pytest.mark.usefixtures("held_lock")
def test_attack_a_key_whose_primes_are_tested_lets_other_threads_run() -> None:
    key = rsa.generate_private_key(65537, 4096).private_numbers()
    other = Overtaking()
    other.start()
    other.begin.set()
    tests = 0
    while not other.ran.is_set() and tests < 200:
        check_numbers(key)
        tests += 1
    assert other.ran.is_set()
