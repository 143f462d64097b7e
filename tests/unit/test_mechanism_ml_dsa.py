# SPDX-License-Identifier: Apache-2.0
"""ML-DSA and HashML-DSA at their edges, and through a token: parameters, hedging, contexts, digests, parts."""

from collections.abc import Callable
from functools import partial

import pytest

from softee.names import CKA, CKK, CKM, CKO, CKR, HedgeType
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.keys.ml_dsa import private_key, public_key
from softee.pkcs11_ta.keys.ml_kem import private_key as kem_private_key
from softee.pkcs11_ta.keys.view import KeyView
from softee.pkcs11_ta.mechanisms.table import MECHANISMS
from softee.pkcs11_ta.token.profiles import OPTEE, PORTABLE, STRICT
from support import keys
from support import mechanism_runs as run
from support.commands import c
from support.mechanism_runs import u32
from support.object_calls import fresh_caller, pair
from support.samples.lattice import hash_sign_params, sign_params, without_seed
from support.samples.lattice import pair as sample_pair
from support.token_world import Caller

PREFERRED, REQUIRED, DETERMINISTIC = HedgeType
SIZES = {1: 2420, 2: 3309, 3: 4627}
PURE = sign_params()
every_key = pytest.mark.parametrize("seeded", [True, False], ids=["seed", "expanded"])
MECHANISMS_WITH_CONTEXT: dict[CKM, Callable[[bytes, int], bytes]] = {
    CKM.ML_DSA: sign_params,
    CKM.HASH_ML_DSA_SHA256: sign_params,
    CKM.HASH_ML_DSA: partial(hash_sign_params, CKM.SHA256),
}
every_mechanism = pytest.mark.parametrize("mechanism", MECHANISMS_WITH_CONTEXT, ids=lambda mechanism: mechanism.name)
DIGEST = bytes(range(32))
"""Is a message for each of them, and a digest for the one that takes digests."""


def key(number: int = 1, *, seeded: bool = True) -> KeyView:
    private = sample_pair(CKK.ML_DSA, number)[1]
    return keys.key_of(CKO.PRIVATE_KEY, CKK.ML_DSA, private if seeded else without_seed(private))


def parameter_of(mechanism: CKM, context: bytes = b"", hedge: int = PREFERRED) -> bytes:
    return MECHANISMS_WITH_CONTEXT[mechanism](context, hedge)


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "parameter of 0 bytes"),
        (u32(0), "parameter of 4 bytes"),
        (u32(0, 3) + b"ab", "parameter of 10 bytes"),
        (sign_params(b"ab") + b"c", "parameter of 11 bytes"),
        (u32(0, 2**32 - 1), "parameter of 8 bytes"),
        (sign_params(bytes(256)), "a context of 256 bytes; 255 are allowed"),
    ],
)
def test_a_parameter_that_means_nothing_is_refused(raw: bytes, reason: str) -> None:
    with pytest.raises(Pkcs11Error, match=f"MECHANISM_PARAM_INVALID: {reason}"):
        MECHANISMS[CKM.ML_DSA].parameter(raw)


@pytest.mark.parametrize("hash_mechanism", [0, CKM.MD5, CKM.SHA_1, CKM.BLAKE2B_256, CKM.RSA_PKCS, 2**32 - 1])
def test_a_digest_of_another_hash_function_is_none_to_sign(hash_mechanism: int) -> None:
    with pytest.raises(Pkcs11Error, match="MECHANISM_PARAM_INVALID: hash"):
        MECHANISMS[CKM.HASH_ML_DSA].parameter(hash_sign_params(hash_mechanism))


def test_a_context_with_a_digest_has_the_same_bound() -> None:
    with pytest.raises(Pkcs11Error, match="MECHANISM_PARAM_INVALID: a context of 256 bytes"):
        MECHANISMS[CKM.HASH_ML_DSA].parameter(hash_sign_params(CKM.SHA256, bytes(256)))


@every_mechanism
def test_a_context_of_255_bytes_is_taken(mechanism: CKM) -> None:
    parameter = parameter_of(mechanism, bytes(255))
    signature = run.sign(mechanism, key(), parameter, [DIGEST])
    run.verify(mechanism, key(), parameter, [DIGEST], signature)


@every_key
@every_mechanism
def test_a_signature_is_the_same_each_time_where_that_is_asked_for_and_only_there(
    mechanism: CKM, *, seeded: bool
) -> None:
    """PKCS#11 3.2 §6.67.5: CKH_HEDGE_REQUIRED, CKH_DETERMINISTIC_REQUIRED; CKH_HEDGE_PREFERRED is hedged here."""
    for hedge in (PREFERRED, REQUIRED, DETERMINISTIC):
        parameter = parameter_of(mechanism, b"c", hedge)
        first, second = (run.sign(mechanism, key(seeded=seeded), parameter, [DIGEST]) for _ in range(2))
        assert (first == second) is (hedge is DETERMINISTIC)


@every_mechanism
def test_deterministic_signatures_of_a_seed_and_of_what_it_expands_to_are_one(mechanism: CKM) -> None:
    parameter = parameter_of(mechanism, b"", DETERMINISTIC)
    assert run.sign(mechanism, key(), parameter, [DIGEST]) == run.sign(
        mechanism, key(seeded=False), parameter, [DIGEST]
    )


@pytest.mark.parametrize("hedge", [3, 2**32 - 1])
@every_mechanism
def test_another_hedge_type_is_refused_by_who_signs_and_ignored_by_who_verifies(mechanism: CKM, hedge: int) -> None:
    """PKCS#11 3.2 §6.67.5: on verification the hedgeVariant parameter is ignored."""
    unknown = parameter_of(mechanism, b"c", hedge)
    with pytest.raises(Pkcs11Error, match=f"MECHANISM_PARAM_INVALID: hedgeVariant {hedge}"):
        run.sign(mechanism, key(), unknown, [DIGEST])
    signature = run.sign(mechanism, key(), parameter_of(mechanism, b"c"), [DIGEST])
    run.verify(mechanism, key(), unknown, [DIGEST], signature)


@every_mechanism
def test_a_signature_holds_for_its_context_and_mechanism_alone(mechanism: CKM) -> None:
    signature = run.sign(mechanism, key(), parameter_of(mechanism, b"context"), [DIGEST])
    others = [(mechanism, parameter_of(mechanism, context)) for context in (b"", b"contex", b"context\0")]
    others += [(other, parameter_of(other, b"context")) for other in MECHANISMS_WITH_CONTEXT if other is not mechanism]
    for other, parameter in others:
        with pytest.raises(Pkcs11Error, match="SIGNATURE_INVALID"):
            run.verify(other, key(), parameter, [DIGEST], signature)


@pytest.mark.parametrize("size", [0, 31, 33, 64])
def test_data_that_has_not_the_digest_s_size_is_refused(size: int) -> None:
    """PKCS#11 3.2 §6.67.6: the length of the hash."""
    parameter = hash_sign_params(CKM.SHA256)
    with pytest.raises(Pkcs11Error, match="DATA_LEN_RANGE"):
        run.sign(CKM.HASH_ML_DSA, key(), parameter, [bytes(size)])
    with pytest.raises(Pkcs11Error, match="DATA_LEN_RANGE"):
        run.verify(CKM.HASH_ML_DSA, key(), parameter, [bytes(size)], bytes(SIZES[1]))


@pytest.mark.parametrize("number", SIZES)
@every_mechanism
def test_a_signature_of_another_size_is_told_apart(mechanism: CKM, number: int) -> None:
    parameter = parameter_of(mechanism)
    signature = run.sign(mechanism, key(number), parameter, [DIGEST])
    assert len(signature) == SIZES[number]
    for other in (signature[:-1], signature + b"\0", b""):
        with pytest.raises(Pkcs11Error, match="SIGNATURE_LEN_RANGE"):
            run.verify(mechanism, key(number), parameter, [DIGEST], other)


def test_keys_of_other_types_are_refused() -> None:
    aes = keys.secret_key(bytes(16), CKK.AES)
    ec, ml_dsa = keys.ec_pair(), key()
    for take in (private_key, public_key, kem_private_key):
        with pytest.raises(Pkcs11Error, match="KEY_TYPE_INCONSISTENT"):
            take(ec)
    with pytest.raises(Pkcs11Error, match="KEY_TYPE_INCONSISTENT"):
        kem_private_key(ml_dsa)
    with pytest.raises(Pkcs11Error, match="KEY_TYPE_INCONSISTENT"):
        private_key(aes)


@pytest.fixture(scope="module", params=[PORTABLE, STRICT], ids=lambda policy: policy.name)
def world(request: pytest.FixtureRequest) -> tuple[Caller, int]:
    return fresh_caller(policy=request.param)


@pytest.fixture(scope="module")
def signing_pair(world: tuple[Caller, int]) -> tuple[int, int]:
    return pair(*world, CKM.ML_DSA_KEY_PAIR_GEN, ((CKA.PARAMETER_SET, 2),))


@every_mechanism
def test_a_token_signs_and_verifies(world: tuple[Caller, int], signing_pair: tuple[int, int], mechanism: CKM) -> None:
    caller, session = world
    public, private = signing_pair
    parameter = parameter_of(mechanism, b"context")
    caller.ok(c.SIGN_INIT, session, private, mechanism, parameter)
    assert caller.call(c.SIGN_ONESHOT, session, data=DIGEST, capacity=0).rv is CKR.BUFFER_TOO_SMALL
    signature = caller.ok(c.SIGN_ONESHOT, session, data=DIGEST).output
    assert len(signature) == SIZES[2]
    caller.ok(c.VERIFY_INIT, session, public, mechanism, parameter)
    caller.ok(c.VERIFY_ONESHOT, session, data=DIGEST, second=signature)
    caller.ok(c.VERIFY_INIT, session, public, mechanism, parameter)
    changed = signature[:-1] + bytes([signature[-1] ^ 1])
    assert caller.call(c.VERIFY_ONESHOT, session, data=DIGEST, second=changed).rv is CKR.SIGNATURE_INVALID


def test_a_long_message_in_parts_is_hashed_as_it_comes(
    world: tuple[Caller, int], signing_pair: tuple[int, int]
) -> None:
    """A single-part verification is all that the standard asks for (table of §6.67); ours takes parts too."""
    caller, session = world
    public, private = signing_pair
    part = bytes(1 << 19)
    caller.ok(c.SIGN_INIT, session, private, CKM.ML_DSA, PURE)
    for _ in range(5):
        caller.ok(c.SIGN_UPDATE, session, data=part)
    signature = caller.ok(c.SIGN_FINAL, session).output
    caller.ok(c.VERIFY_INIT, session, public, CKM.ML_DSA, PURE)
    for _ in range(5):
        caller.ok(c.VERIFY_UPDATE, session, data=part)
    caller.ok(c.VERIFY_FINAL, session, second=signature)


def test_digests_are_signed_in_one_part(world: tuple[Caller, int], signing_pair: tuple[int, int]) -> None:
    caller, session = world
    caller.ok(c.SIGN_INIT, session, signing_pair[1], CKM.HASH_ML_DSA, hash_sign_params(CKM.SHA256))
    assert caller.call(c.SIGN_UPDATE, session, data=DIGEST).rv is CKR.MECHANISM_INVALID


def test_no_board_has_them() -> None:
    assert not [mechanism for mechanism in OPTEE.mechanisms if "ML_" in mechanism.name]
    assert CKM.ML_DSA in STRICT.mechanisms
