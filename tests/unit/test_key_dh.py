# SPDX-License-Identifier: Apache-2.0
"""Diffie-Hellman keys: whose numbers are taken, what follows from them, and that they stay."""

import pytest

from softee.names import CKA, CKM, CKR
from softee.pkcs11_ta.keys.dh import DH, public_key
from softee.pkcs11_ta.keys.dh_groups import BASE, PRIMES
from softee.pkcs11_ta.keys.material import KeyMaterial
from softee.pkcs11_ta.token.profiles import PORTABLE
from support.commands import c
from support.importing import imported, refusal
from support.object_calls import create
from support.samples import sample
from support.token_world import Caller, make_application
from vectors.reading import records

PRIME = int.from_bytes(PRIMES[0], "big")


def number(value: int) -> bytes:
    return value.to_bytes(len(PRIMES[0]), "big")


def test_the_groups_of_rfc_3526_are_those_of_the_rfc() -> None:
    published = [bytes.fromhex(record["P"]) for record in records("asymmetric/DH/rfc3526.txt", last="G")]
    assert [prime for prime in published if prime in PRIMES] == list(PRIMES[:3])


def test_each_prime_is_of_another_size_or_group_and_odd() -> None:
    assert len(set(PRIMES)) == len(PRIMES) == 6
    assert [8 * len(prime) for prime in PRIMES] == [2048, 3072, 4096] * 2
    assert all(prime[-1] & 1 and prime[0] & 0x80 for prime in PRIMES)


@pytest.mark.parametrize("kind", ["DH public key", "DH private key"])
@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        (CKA.PRIME, number(PRIME + 2)),
        (CKA.PRIME, PRIMES[0][:-1]),
        (CKA.PRIME, b"\x17"),
        (CKA.BASE, b"\3"),
        (CKA.BASE, b"\1"),
    ],
)
def test_a_group_that_is_not_published_is_refused(kind: str, attribute: CKA, value: bytes) -> None:
    assert refusal(sample(kind, **{attribute.name: value})) is CKR.DOMAIN_PARAMS_INVALID


def test_leading_zeros_of_a_group_are_taken() -> None:
    assert imported(sample("DH public key", PRIME=b"\0" + PRIMES[0], BASE=b"\0\0" + BASE))


@pytest.mark.parametrize("kind", ["DH public key", "DH private key"])
@pytest.mark.parametrize("value", [0, 1, PRIME - 1, PRIME, PRIME + 1])
def test_a_value_that_stands_for_nothing_is_refused(kind: str, value: int) -> None:
    assert refusal(sample(kind, VALUE=number(value))) is CKR.ATTRIBUTE_VALUE_INVALID


def test_the_private_values_size_and_public_half_follow_from_it() -> None:
    made = imported(sample("DH private key", VALUE=b"\0" + bytes([0x10])))
    assert made[CKA.VALUE_BITS] == 5
    assert public_key(KeyMaterial(made)).public_numbers().y == 2**16


def test_such_keys_are_not_wrapped() -> None:
    caller = Caller(make_application(policy=PORTABLE))
    session = caller.set_up()
    wrapping = create(caller, session, "AES key", WRAP=True)
    wanted = create(caller, session, "DH private key", EXTRACTABLE=True)
    for mechanism, parameter in ((CKM.AES_GCM, b""), (CKM.AES_CBC, bytes(16))):
        answer = caller.call(c.WRAP_KEY, session, wrapping, wanted, mechanism, parameter)
        assert answer.rv in {CKR.KEY_NOT_WRAPPABLE, CKR.MECHANISM_PARAM_INVALID}
    assert DH.from_native is None
