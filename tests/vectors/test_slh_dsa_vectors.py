# SPDX-License-Identifier: Apache-2.0
"""SLH-DSA: an independent implementation makes the same keys of secrets, and each verifies what the other signs."""

import hashlib
from collections.abc import Callable

import pytest
import slhdsa
from slhdsa.lowlevel import slhdsa as independent

from softee.names import CKM, CKO, SlhDsaParameterSet
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.keys.slh_dsa import private_key
from support import mechanism_runs as run
from support.samples.hash_based import key
from support.samples.lattice import sign_params

CONTEXT, MESSAGE = b"context", b"a message to sign"
SIGNED_QUICKLY = [one for one in SlhDsaParameterSet if one.name.endswith("F")]
VERIFIED = [*SIGNED_QUICKLY, SlhDsaParameterSet.SLH_DSA_SHA2_128S]
"""The independent implementation takes many seconds to sign with the others."""

HASHES: dict[CKM, tuple[int, Callable[[bytes], bytes]]] = {
    CKM.HASH_SLH_DSA_SHA256: (1, lambda data: hashlib.sha256(data).digest()),
    CKM.HASH_SLH_DSA_SHA384: (2, lambda data: hashlib.sha384(data).digest()),
    CKM.HASH_SLH_DSA_SHA512: (3, lambda data: hashlib.sha512(data).digest()),
    CKM.HASH_SLH_DSA_SHA224: (4, lambda data: hashlib.sha224(data).digest()),
    CKM.HASH_SLH_DSA_SHA3_224: (7, lambda data: hashlib.sha3_224(data).digest()),
    CKM.HASH_SLH_DSA_SHA3_256: (8, lambda data: hashlib.sha3_256(data).digest()),
    CKM.HASH_SLH_DSA_SHA3_384: (9, lambda data: hashlib.sha3_384(data).digest()),
    CKM.HASH_SLH_DSA_SHA3_512: (10, lambda data: hashlib.sha3_512(data).digest()),
    CKM.HASH_SLH_DSA_SHAKE128: (11, lambda data: hashlib.shake_128(data).digest(32)),
    CKM.HASH_SLH_DSA_SHAKE256: (12, lambda data: hashlib.shake_256(data).digest(64)),
}
"""By mechanism: the last number of the hash function's object identifier, and the function (FIPS 205, 10.2.2)."""

_ARC = bytes.fromhex("06096086480165030402")


def formatted(mechanism: CKM) -> bytes:
    """Return what the algorithm signs for a message and its context (FIPS 205, algorithms 22 and 23)."""
    prefix = len(CONTEXT).to_bytes(1, "big") + CONTEXT
    if mechanism is CKM.SLH_DSA:
        return b"\0" + prefix + MESSAGE
    number, digest = HASHES[mechanism]
    return b"\1" + prefix + _ARC + bytes([number]) + digest(MESSAGE)


def other_keys(number: int) -> tuple[slhdsa.SecretKey, slhdsa.PublicKey]:
    """Return the independent implementation's keys, of the same values."""
    private = private_key(key(number))
    parameters = getattr(slhdsa, private.algorithm.name)
    other = slhdsa.SecretKey.from_digest(bytes(private.value), parameters)
    return other, slhdsa.PublicKey.from_digest(private.public_key().value, parameters)


@pytest.mark.parametrize("number", SIGNED_QUICKLY, ids=lambda number: number.name)
def test_an_independent_implementation_makes_the_same_root_of_the_same_secrets(number: SlhDsaParameterSet) -> None:
    other, public = other_keys(number)
    assert independent.validate_secretkey(other.key, other.par)
    assert other.pubkey.digest() == public.digest()


@pytest.mark.parametrize("number", VERIFIED, ids=lambda number: number.name)
def test_an_independent_implementation_verifies_what_the_token_signs(number: SlhDsaParameterSet) -> None:
    signature = run.sign(CKM.SLH_DSA, key(number), sign_params(CONTEXT), [MESSAGE[:5], MESSAGE[5:]])
    _, public = other_keys(number)
    assert independent.verify(formatted(CKM.SLH_DSA), signature, public.key, public.par)
    assert not independent.verify(formatted(CKM.SLH_DSA) + b"\0", signature, public.key, public.par)


@pytest.mark.parametrize("mechanism", HASHES, ids=lambda mechanism: mechanism.name)
def test_an_independent_implementation_verifies_a_signature_over_a_hashed_message(mechanism: CKM) -> None:
    number = SlhDsaParameterSet.SLH_DSA_SHA2_128F
    signature = run.sign(mechanism, key(number), sign_params(CONTEXT), [MESSAGE])
    _, public = other_keys(number)
    assert independent.verify(formatted(mechanism), signature, public.key, public.par)


@pytest.mark.parametrize("number", SIGNED_QUICKLY, ids=lambda number: number.name)
def test_the_token_verifies_what_an_independent_implementation_signs(number: SlhDsaParameterSet) -> None:
    other, _ = other_keys(number)
    signature = independent.sign(formatted(CKM.SLH_DSA), other.key, other.par, False)  # noqa: FBT003 - as it declares
    public = key(number, CKO.PUBLIC_KEY)
    run.verify(CKM.SLH_DSA, public, sign_params(CONTEXT), [MESSAGE], signature)
    broken = signature[:100] + bytes([signature[100] ^ 1]) + signature[101:]
    for data, context, given in (
        (MESSAGE + b"\0", CONTEXT, signature),
        (MESSAGE, b"", signature),
        (MESSAGE, CONTEXT, broken),
    ):
        with pytest.raises(Pkcs11Error, match="SIGNATURE_INVALID"):
            run.verify(CKM.SLH_DSA, public, sign_params(context), [data], given)


@pytest.mark.parametrize("mechanism", HASHES, ids=lambda mechanism: mechanism.name)
def test_the_token_verifies_an_independent_signature_over_a_hashed_message(mechanism: CKM) -> None:
    number = SlhDsaParameterSet.SLH_DSA_SHA2_128F
    other, _ = other_keys(number)
    signature = independent.sign(formatted(mechanism), other.key, other.par, True)  # noqa: FBT003 - as it declares
    run.verify(mechanism, key(number, CKO.PUBLIC_KEY), sign_params(CONTEXT), [MESSAGE], signature)
    with pytest.raises(Pkcs11Error, match="SIGNATURE_INVALID"):
        run.verify(CKM.SLH_DSA, key(number, CKO.PUBLIC_KEY), sign_params(CONTEXT), [MESSAGE], signature)
