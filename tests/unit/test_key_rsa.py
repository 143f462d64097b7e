# SPDX-License-Identifier: Apache-2.0
"""RSA keys: parts must belong together, and those that are missing are computed without a search."""

import math
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from softee.names import CKA, CKR
from softee.pkcs11_ta.keys import rsa as rsa_keys
from softee.pkcs11_ta.keys.material import KeyMaterial
from softee.pkcs11_ta.keys.parts import big_endian
from support.hostile_numbers import effort_limited
from support.importing import imported, refusal
from support.samples import sample
from support.samples.rsa import rsa_key

CRT_PARTS = (CKA.PRIME_1, CKA.PRIME_2, CKA.EXPONENT_1, CKA.EXPONENT_2, CKA.COEFFICIENT)
MERSENNE_107, MERSENNE_127, MERSENNE_521, MERSENNE_607 = ((1 << bits) - 1 for bits in (107, 127, 521, 607))
MERSENNE_1279, MERSENNE_2203 = (1 << 1279) - 1, (1 << 2203) - 1


@pytest.mark.parametrize("missing", [CRT_PARTS, CRT_PARTS[2:], CRT_PARTS[:1], CRT_PARTS[4:]], ids=str)
def test_missing_rsa_parts_are_recovered(missing: tuple[CKA, ...]) -> None:
    whole = sample("RSA private key")
    made = imported({kind: value for kind, value in whole.items() if kind not in missing})
    assert all(made[kind] for kind in CRT_PARTS)
    key = KeyMaterial(made)
    signature = rsa_keys.private_key(key).sign(b"text", padding.PKCS1v15(), hashes.SHA256())
    rsa_key().public_key().verify(signature, b"text", padding.PKCS1v15(), hashes.SHA256())


@pytest.mark.parametrize("part", ["MODULUS", "PUBLIC_EXPONENT", "PRIVATE_EXPONENT", *(part.name for part in CRT_PARTS)])
def test_an_rsa_part_that_does_not_belong_is_refused(part: str) -> None:
    value = sample("RSA private key")[CKA[part]]
    assert isinstance(value, bytes)
    changed = big_endian(int.from_bytes(value, "big") ^ 4)
    assert refusal(sample("RSA private key", **{part: changed})) is CKR.ATTRIBUTE_VALUE_INVALID


@pytest.mark.parametrize(
    ("modulus", "phi"),
    [
        (MERSENNE_2203, MERSENNE_2203 - 1),
        (MERSENNE_1279**2, MERSENNE_1279 * (MERSENNE_1279 - 1)),
        (2 * MERSENNE_1279, MERSENNE_1279 - 1),
    ],
    ids=["a prime", "a prime's square", "an even number"],
)
def test_a_modulus_whose_primes_cannot_be_found_is_refused_without_a_search(modulus: int, phi: int) -> None:
    given = sample("RSA private key")
    for part in CRT_PARTS:
        del given[part]
    private = pow(65537, -1, phi)
    given |= {CKA.MODULUS: big_endian(modulus), CKA.PRIVATE_EXPONENT: big_endian(private)}
    with effort_limited():
        assert refusal(given) is CKR.ATTRIBUTE_VALUE_INVALID


@pytest.mark.parametrize("bits", [8, 255, 4097, 100_000])
@pytest.mark.parametrize("kind", ["RSA public key", "RSA private key"])
def test_an_rsa_modulus_out_of_range_is_refused_before_any_work(bits: int, kind: str) -> None:
    assert refusal(sample(kind, MODULUS=big_endian((1 << bits) - 1))) is CKR.KEY_SIZE_RANGE


def test_an_rsa_public_key_gets_its_modulus_bits() -> None:
    made = imported(sample("RSA public key"))
    assert made[CKA.MODULUS_BITS] == 1024
    assert rsa_keys.public_key(KeyMaterial(made)).public_numbers() == rsa_key().public_key().public_numbers()


@pytest.mark.parametrize("exponent", [b"\0", b"\1", b"\2"])
def test_an_rsa_public_exponent_that_is_none_is_refused(exponent: bytes) -> None:
    assert refusal(sample("RSA public key", PUBLIC_EXPONENT=exponent)) is CKR.ATTRIBUTE_VALUE_INVALID


def test_an_rsa_public_key_with_an_even_modulus_is_refused() -> None:
    assert refusal(sample("RSA public key", MODULUS=b"\xff" * 127 + b"\xfe")) is CKR.ATTRIBUTE_VALUE_INVALID


def test_an_rsa_public_exponent_that_the_library_would_not_use_is_refused() -> None:
    """Otherwise C_Verify would call right signatures wrong."""
    longest = big_endian((1 << 63) + 1)
    assert imported(sample("RSA public key", MODULUS=b"\xff" * 512, PUBLIC_EXPONENT=longest))
    too_long = sample("RSA public key", MODULUS=b"\xff" * 512, PUBLIC_EXPONENT=b"\1" + longest)
    assert refusal(too_long) is CKR.ATTRIBUTE_VALUE_INVALID
    assert imported(sample("RSA public key", MODULUS=b"\xff" * 384, PUBLIC_EXPONENT=b"\1" + longest))


@pytest.mark.parametrize(("bits", "taken"), [(2, True), (64, True), (256, True), (480, True), (1000, False)])
@pytest.mark.parametrize("order", [math.lcm, lambda p, q: p * q], ids=["lcm", "product"])
def test_primes_are_found_unless_the_public_exponent_is_as_long_as_they(
    bits: int, order: Callable[[int, int], int], *, taken: bool
) -> None:
    given, numbers = sample("RSA private key"), rsa_key().private_numbers()
    for part in CRT_PARTS:
        del given[part]
    phi = order(numbers.p - 1, numbers.q - 1)
    exponent = next(e for e in range((1 << (bits - 1)) + 1, 1 << (bits + 8), 2) if math.gcd(e, phi) == 1)
    given |= {CKA.PUBLIC_EXPONENT: big_endian(exponent), CKA.PRIVATE_EXPONENT: big_endian(pow(exponent, -1, phi))}
    if taken:
        assert imported(given)[CKA.PRIME_1] in (big_endian(numbers.p), big_endian(numbers.q))
    else:
        assert refusal(given) is CKR.ATTRIBUTE_VALUE_INVALID


@pytest.mark.parametrize(
    ("p", "q", "taken"),
    [
        (MERSENNE_521, MERSENNE_607, True),
        (MERSENNE_521, MERSENNE_107 * MERSENNE_127**4, False),
        (MERSENNE_107 * MERSENNE_127**4, MERSENNE_521, False),
        (MERSENNE_521, MERSENNE_607 - 2, False),
    ],
)
def test_an_rsa_key_whose_primes_are_none_is_refused_though_all_else_fits(p: int, q: int, *, taken: bool) -> None:
    order = (p - 1) * (q - 1)
    e = next(e for e in range(65537, 70000, 2) if math.gcd(e, order) == 1)
    d = pow(e, -1, order)
    numbers = {
        CKA.MODULUS: p * q,
        CKA.PUBLIC_EXPONENT: e,
        CKA.PRIVATE_EXPONENT: d,
        CKA.PRIME_1: p,
        CKA.PRIME_2: q,
        CKA.EXPONENT_1: d % (p - 1),
        CKA.EXPONENT_2: d % (q - 1),
        CKA.COEFFICIENT: pow(q, -1, p),
    }
    given = sample("RSA private key") | {part: big_endian(number) for part, number in numbers.items()}
    if taken:
        assert imported(given)[CKA.PRIME_1] == big_endian(p)
    else:
        assert refusal(given) is CKR.ATTRIBUTE_VALUE_INVALID


@pytest.mark.parametrize("part", [CKA.MODULUS, CKA.PRIVATE_EXPONENT, CKA.PUBLIC_EXPONENT], ids=str)
@pytest.mark.parametrize("value", [1, 2, 3, (1 << 1024) - 1], ids=lambda value: f"{value.bit_length()} bits")
def test_numbers_of_which_no_primes_follow_are_refused(part: CKA, value: int) -> None:
    given = sample("RSA private key")
    for absent in CRT_PARTS:
        del given[absent]
    assert refusal(given | {part: big_endian(value)}) in {CKR.ATTRIBUTE_VALUE_INVALID, CKR.KEY_SIZE_RANGE}
