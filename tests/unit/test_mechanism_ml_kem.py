# SPDX-License-Identifier: Apache-2.0
"""ML-KEM at its edges, and through a token: sizes of keys and ciphertexts, what the keys' templates demand."""

import struct

import pytest

from softee.names import CKA, CKK, CKM, CKO, CKR
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.keys.ml_kem import private_key, public_key
from softee.pkcs11_ta.keys.view import KeyView
from softee.pkcs11_ta.token.profiles import PORTABLE, STRICT
from support import keys
from support import mechanism_runs as run
from support.commands import c
from support.object_calls import create, fresh_caller, get, pair
from support.samples.lattice import pair as sample_pair
from support.token_world import Attribute, Caller, template

T, F = True, False
CIPHERTEXTS = {1: 768, 2: 1088, 3: 1568}
SHOWN = ((CKA.SENSITIVE, F), (CKA.EXTRACTABLE, T))


def key(number: int, key_class: CKO = CKO.PRIVATE_KEY) -> KeyView:
    public, private = sample_pair(CKK.ML_KEM, number)
    return keys.key_of(key_class, CKK.ML_KEM, public if key_class is CKO.PUBLIC_KEY else private)


@pytest.mark.parametrize("number", CIPHERTEXTS)
def test_a_ciphertext_of_another_size_is_told_apart(number: int) -> None:
    secret, ciphertext = run.encapsulate(CKM.ML_KEM, key(number, CKO.PUBLIC_KEY))
    assert (len(secret), len(ciphertext)) == (32, CIPHERTEXTS[number])
    for other in (b"", ciphertext[:-1], ciphertext + b"\0"):
        with pytest.raises(Pkcs11Error, match="WRAPPED_KEY_LEN_RANGE"):
            run.decapsulate(CKM.ML_KEM, key(number), other)


@pytest.mark.parametrize("number", CIPHERTEXTS)
def test_every_ciphertext_gives_a_secret_the_same_each_time(number: int) -> None:
    """FIPS 203, implicit rejection: no error tells whether a ciphertext was right."""
    _, ciphertext = run.encapsulate(CKM.ML_KEM, key(number))
    broken = bytes([ciphertext[0] ^ 1]) + ciphertext[1:]
    first, second = (run.decapsulate(CKM.ML_KEM, key(number), broken) for _ in range(2))
    assert first == second != run.decapsulate(CKM.ML_KEM, key(number), ciphertext)


def test_keys_of_other_types_are_refused() -> None:
    for take in (private_key, public_key):
        with pytest.raises(Pkcs11Error, match="KEY_TYPE_INCONSISTENT"):
            take(keys.ec_pair())
    with pytest.raises(Pkcs11Error, match="KEY_TYPE_INCONSISTENT"):
        private_key(key(1, CKO.PUBLIC_KEY))


@pytest.fixture(scope="module", params=[PORTABLE, STRICT], ids=lambda policy: policy.name)
def world(request: pytest.FixtureRequest) -> tuple[Caller, int]:
    return fresh_caller(policy=request.param)


@pytest.fixture(scope="module")
def kem_pair(world: tuple[Caller, int]) -> tuple[int, int]:
    return pair(*world, CKM.ML_KEM_KEY_PAIR_GEN, ((CKA.PARAMETER_SET, 2),))


def encapsulate(world: tuple[Caller, int], public: int, *wanted: Attribute) -> tuple[int, bytes] | CKR:
    caller, session = world
    answer = caller.call(c.ENCAPSULATE_KEY, session, public, CKM.ML_KEM, b"", template(*wanted))
    if answer.rv is not CKR.OK:
        return answer.rv
    return struct.unpack("<I", answer.output[:4])[0], answer.output[4:]


def decapsulate(world: tuple[Caller, int], private: int, ciphertext: bytes, *wanted: Attribute) -> int | CKR:
    caller, session = world
    answer = caller.call(c.DECAPSULATE_KEY, session, private, CKM.ML_KEM, b"", template(*wanted), data=ciphertext)
    return answer.handle if answer.rv is CKR.OK else answer.rv


@pytest.mark.parametrize("wanted", [(), ((CKA.VALUE_LEN, 16),), ((CKA.KEY_TYPE, CKK.AES), (CKA.VALUE_LEN, 32))])
def test_a_token_shares_a_key_with_itself(
    world: tuple[Caller, int], kem_pair: tuple[int, int], wanted: tuple[Attribute, ...]
) -> None:
    """PKCS#11 3.2 §5.18.8, §5.18.9."""
    sent = encapsulate(world, kem_pair[0], *SHOWN, *wanted)
    assert isinstance(sent, tuple)
    own, ciphertext = sent
    assert len(ciphertext) == CIPHERTEXTS[2]
    got = decapsulate(world, kem_pair[1], ciphertext, *SHOWN, *wanted)
    assert isinstance(got, int)
    value = get(*world, own, CKA.VALUE)
    assert isinstance(value, bytes)
    assert value == get(*world, got, CKA.VALUE)
    assert len(value) == (32 if not wanted else dict(wanted)[CKA.VALUE_LEN])
    for handle in (own, got):
        assert get(*world, handle, CKA.LOCAL) == b"\0"
        assert get(*world, handle, CKA.NEVER_EXTRACTABLE) == b"\0"


@pytest.mark.parametrize("size", [1, 15, 33])
def test_invariant_1_a_secret_is_not_had_in_pieces_that_can_be_guessed(
    world: tuple[Caller, int], kem_pair: tuple[int, int], size: int
) -> None:
    _, ciphertext = run.encapsulate(CKM.ML_KEM, key(2))
    wanted = ((CKA.VALUE_LEN, size),)
    assert encapsulate(world, kem_pair[0], *wanted) is CKR.ATTRIBUTE_VALUE_INVALID
    assert decapsulate(world, kem_pair[1], ciphertext, *wanted) is CKR.ATTRIBUTE_VALUE_INVALID


def test_a_key_whose_template_says_nothing_encapsulates_or_decapsulates(
    world: tuple[Caller, int], kem_pair: tuple[int, int]
) -> None:
    assert get(*world, kem_pair[0], CKA.ENCAPSULATE) == b"\1"
    assert get(*world, kem_pair[1], CKA.DECAPSULATE) == b"\1"
    for handle in kem_pair:
        assert get(*world, handle, CKA.DERIVE) == b"\0"


def test_a_key_that_may_not_is_refused(world: tuple[Caller, int], kem_pair: tuple[int, int]) -> None:
    caller, session = world
    for handle, usage in zip(kem_pair, (CKA.ENCAPSULATE, CKA.DECAPSULATE), strict=True):
        caller.ok(c.SET_ATTRIBUTE_VALUE, session, handle, template((usage, F)))
    sent = encapsulate(world, kem_pair[0])
    got = decapsulate(world, kem_pair[1], bytes(CIPHERTEXTS[2]))
    for handle, usage in zip(kem_pair, (CKA.ENCAPSULATE, CKA.DECAPSULATE), strict=True):
        caller.ok(c.SET_ATTRIBUTE_VALUE, session, handle, template((usage, T)))
    assert sent is CKR.KEY_TYPE_INCONSISTENT
    assert got is CKR.UNWRAPPING_KEY_TYPE_INCONSISTENT


def test_a_key_of_another_type_is_refused(world: tuple[Caller, int]) -> None:
    public, private = pair(*world, CKM.ML_DSA_KEY_PAIR_GEN, ((CKA.PARAMETER_SET, 1),))
    assert encapsulate(world, public) is CKR.KEY_TYPE_INCONSISTENT
    assert decapsulate(world, private, bytes(1088)) is CKR.UNWRAPPING_KEY_TYPE_INCONSISTENT


def test_the_new_key_is_as_the_keys_templates_demand(world: tuple[Caller, int]) -> None:
    demanded = template((CKA.EXTRACTABLE, F), (CKA.KEY_TYPE, CKK.AES), (CKA.VALUE_LEN, 32))
    public = create(*world, "ML-KEM public key", ENCAPSULATE=True, ENCAPSULATE_TEMPLATE=demanded)
    private = create(*world, "ML-KEM private key", DECAPSULATE=True, DECAPSULATE_TEMPLATE=demanded)
    sent = encapsulate(world, public)
    assert isinstance(sent, tuple)
    got = decapsulate(world, private, sent[1])
    assert isinstance(got, int)
    for handle in (sent[0], got):
        assert get(*world, handle, CKA.EXTRACTABLE) == b"\0"
    assert encapsulate(world, public, (CKA.EXTRACTABLE, T)) is CKR.KEY_HANDLE_INVALID
    assert decapsulate(world, private, sent[1], (CKA.EXTRACTABLE, T)) is CKR.TEMPLATE_INCONSISTENT
