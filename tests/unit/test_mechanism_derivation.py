# SPDX-License-Identifier: Apache-2.0
"""HKDF, SP 800-108 and PBKDF2: what their parameters may say, keys that they name, and how much is computed."""

import hashlib
import hmac

import pytest

from softee.names import CKA, CKK, CKM, CKO, CKR, Pbkd2Prf, PrfDataType
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.mechanisms.derivation.pbkdf2 import MOST_ITERATIONS
from softee.pkcs11_ta.mechanisms.table import MECHANISMS
from softee.pkcs11_ta.token.profiles import PORTABLE, STRICT
from support import keys
from support import mechanism_runs as run
from support.commands import c
from support.mechanism_runs import counted, u32
from support.object_calls import create, fresh_caller, get
from support.samples.derivation import (
    COUNTER,
    ITERATION,
    LABEL,
    LENGTH,
    OPTIONAL_COUNTER,
    hkdf,
    pbkdf2,
    pieces,
)
from support.token_world import Attribute, Caller, template

T, F = True, False
World = tuple[Caller, int]
SHOWN = ((CKA.SENSITIVE, F), (CKA.EXTRACTABLE, T))
VALUE = b"a base key of some length"


@pytest.fixture
def world() -> World:
    return fresh_caller(policy=PORTABLE)


def secret(world: World, value: bytes = VALUE, key_type: CKK = CKK.GENERIC_SECRET, **changes: bool) -> int:
    caller, session = world
    return create(caller, session, "generic secret key", KEY_TYPE=int(key_type), VALUE=value, DERIVE=True, **changes)


def derive(world: World, key: int, mechanism: CKM, parameter: bytes, *attributes: Attribute) -> CKR | int:
    """Return the handle, or why there is none."""
    caller, session = world
    answer = caller.call(c.DERIVE_KEY, session, key, mechanism, parameter, template(*attributes))
    return answer.handle if answer.rv is CKR.OK else answer.rv


def value(world: World, made: CKR | int) -> bytes | CKR:
    assert not isinstance(made, CKR), made
    return get(world[0], world[1], made, CKA.VALUE)


def refused(mechanism: CKM, parameter: bytes) -> None:
    with pytest.raises(Pkcs11Error) as caught:
        MECHANISMS[mechanism].parameter(parameter)
    assert caught.value.rv is CKR.MECHANISM_PARAM_INVALID


def extracted(salt: bytes) -> bytes:
    return hmac.digest(salt, VALUE, "sha256")


def test_hkdf_takes_its_salt_from_a_key_that_may_derive(world: World) -> None:
    base, salt = secret(world), secret(world, b"a salt")
    made = derive(world, base, CKM.HKDF_DERIVE, hkdf(CKM.SHA256, salt, expand=False), *SHOWN)
    assert value(world, made) == extracted(b"a salt")
    kept = create(world[0], world[1], "generic secret key", SIGN=True)
    parameter = hkdf(CKM.SHA256, kept)
    length = (CKA.VALUE_LEN, 16)
    assert derive(world, base, CKM.HKDF_DERIVE, parameter, length) is CKR.KEY_TYPE_INCONSISTENT
    assert derive(world, base, CKM.HKDF_DERIVE, hkdf(CKM.SHA256, 4242), length) is CKR.KEY_HANDLE_INVALID


def test_hkdf_extracts_a_key_of_its_own_type_that_only_derives(world: World) -> None:
    base = secret(world)
    hkdf_key = (*SHOWN, (CKA.KEY_TYPE, CKK.HKDF), (CKA.DERIVE, T))
    first = derive(world, base, CKM.HKDF_DERIVE, hkdf(CKM.SHA256, None, expand=False), *hkdf_key)
    assert value(world, first) == extracted(bytes(32))
    assert isinstance(first, int)
    second = derive(
        world, first, CKM.HKDF_DERIVE, hkdf(CKM.SHA256, None, b"info", extract=False), *SHOWN, (CKA.VALUE_LEN, 32)
    )
    assert value(world, second) == hmac.digest(extracted(bytes(32)), b"info\x01", "sha256")
    caller, session = world
    assert caller.call(c.SIGN_INIT, session, first, CKM.SHA256_HMAC, b"").rv in {
        CKR.KEY_TYPE_INCONSISTENT,
        CKR.KEY_FUNCTION_NOT_PERMITTED,
    }


def test_hkdf_makes_data_of_as_many_bytes_as_are_wanted(world: World) -> None:
    base, parameter = secret(world), hkdf(CKM.SHA256, b"salt", b"iv")
    made = derive(world, base, CKM.HKDF_DATA, parameter, (CKA.LABEL, b"iv"), (CKA.VALUE_LEN, 12))
    as_key = derive(world, base, CKM.HKDF_DERIVE, parameter, *SHOWN, (CKA.VALUE_LEN, 12))
    assert value(world, made) == value(world, as_key)
    assert isinstance(made, int)
    assert get(world[0], world[1], made, CKA.CLASS) == u32(CKO.DATA)
    assert get(world[0], world[1], made, CKA.ALWAYS_SENSITIVE) is CKR.ATTRIBUTE_TYPE_INVALID
    assert derive(world, base, CKM.HKDF_DATA, parameter, (CKA.CLASS, CKO.SECRET_KEY)) is CKR.TEMPLATE_INCONSISTENT
    assert derive(world, base, CKM.HKDF_DERIVE, parameter, (CKA.CLASS, CKO.DATA)) is CKR.TEMPLATE_INCONSISTENT


def test_hkdf_needs_a_length_to_expand_to_and_knows_its_most() -> None:
    key, parameter = keys.secret_key(VALUE), hkdf(CKM.SHA_1, b"salt")
    assert len(run.derive(CKM.HKDF_DERIVE, key, parameter, 255 * 20)) == 255 * 20
    with pytest.raises(Pkcs11Error, match="ATTRIBUTE_VALUE_INVALID"):
        run.derive(CKM.HKDF_DERIVE, key, parameter, 255 * 20 + 1)


def test_hkdf_of_nothing_or_with_what_is_no_hash_function_is_refused() -> None:
    refused(CKM.HKDF_DERIVE, hkdf(CKM.SHA256, b"salt", extract=False, expand=False))
    refused(CKM.HKDF_DERIVE, hkdf(CKM.SHA256_HMAC, b"salt"))
    refused(CKM.HKDF_DERIVE, u32(1, 1, CKM.SHA256, 3) + counted(b"") + u32(0) + counted(b""))


def test_strict_derives_with_no_broken_hash_function_inside() -> None:
    strict = fresh_caller(policy=STRICT)
    base = secret(strict)
    aes = ((CKA.KEY_TYPE, CKK.AES), (CKA.VALUE_LEN, 16))
    sp800 = pieces(COUNTER, LABEL) + u32(0)
    for mechanism, parameter in (
        (CKM.HKDF_DERIVE, hkdf(CKM.SHA_1, b"salt")),
        (CKM.SP800_108_COUNTER_KDF, u32(CKM.MD5_HMAC) + sp800),
    ):
        assert derive(strict, base, mechanism, parameter, *aes) is CKR.MECHANISM_PARAM_INVALID
    assert isinstance(derive(strict, base, CKM.SP800_108_COUNTER_KDF, u32(CKM.SHA256_HMAC) + sp800, *aes), int)


def counter_kdf(*data: tuple[PrfDataType, bytes], prf: CKM = CKM.SHA256_HMAC, further: int = 0) -> bytes:
    return u32(prf) + pieces(*data) + u32(further)


def test_sp800_108_is_fed_with_its_pieces_in_their_order() -> None:
    key = keys.secret_key(VALUE)
    little = (PrfDataType.SP800_108_ITERATION_VARIABLE, u32(1, 16))
    segments = (PrfDataType.SP800_108_DKM_LENGTH, u32(2, 0, 64))
    made = run.derive(CKM.SP800_108_COUNTER_KDF, key, counter_kdf(LABEL, little, segments, LABEL), 40)
    fed = [b"label" + number.to_bytes(2, "little") + (512).to_bytes(8, "big") + b"label" for number in (1, 2)]
    assert made == b"".join(hmac.digest(VALUE, one, "sha256") for one in fed)[:40]
    of_key = run.derive(CKM.SP800_108_COUNTER_KDF, key, counter_kdf(COUNTER, LENGTH), 40)
    assert of_key[:32] == hmac.digest(VALUE, (1).to_bytes(4, "big") + (320).to_bytes(4, "big"), "sha256")


def test_sp800_108_takes_other_keys_as_pieces(world: World) -> None:
    base, other = secret(world), secret(world, b"another")
    parameter = counter_kdf(COUNTER, (PrfDataType.SP800_108_KEY_HANDLE, u32(other)))
    made = derive(world, base, CKM.SP800_108_COUNTER_KDF, parameter, *SHOWN, (CKA.VALUE_LEN, 32))
    assert value(world, made) == hmac.digest(VALUE, (1).to_bytes(4, "big") + b"another", "sha256")
    missing = counter_kdf(COUNTER, (PrfDataType.SP800_108_KEY_HANDLE, u32(4242)))
    assert derive(world, base, CKM.SP800_108_COUNTER_KDF, missing, (CKA.VALUE_LEN, 32)) is CKR.KEY_HANDLE_INVALID


def test_sp800_108_by_aes_cmac_takes_aes_keys_alone(world: World) -> None:
    parameter = counter_kdf(COUNTER, LABEL, prf=CKM.AES_CMAC)
    length = (CKA.VALUE_LEN, 16)
    aes = create(world[0], world[1], "AES key", DERIVE=True)
    assert isinstance(derive(world, aes, CKM.SP800_108_COUNTER_KDF, parameter, length), int)
    generic = secret(world, bytes(16))
    assert derive(world, generic, CKM.SP800_108_COUNTER_KDF, parameter, length) is CKR.KEY_TYPE_INCONSISTENT


def test_a_counter_counts_no_more_blocks_than_it_can() -> None:
    narrow = counter_kdf((PrfDataType.SP800_108_ITERATION_VARIABLE, u32(0, 8)), LABEL, prf=CKM.SHA_1_HMAC)
    key = keys.secret_key(VALUE)
    assert len(run.derive(CKM.SP800_108_COUNTER_KDF, key, narrow, 255 * 20)) == 255 * 20
    with pytest.raises(Pkcs11Error, match="ATTRIBUTE_VALUE_INVALID: the counter does not count 256 blocks"):
        run.derive(CKM.SP800_108_COUNTER_KDF, key, narrow, 255 * 20 + 1)


@pytest.mark.parametrize(
    "parameter",
    [
        counter_kdf(LABEL),
        counter_kdf(COUNTER, COUNTER),
        counter_kdf(COUNTER, OPTIONAL_COUNTER),
        counter_kdf(ITERATION, LABEL),
        counter_kdf(COUNTER, LENGTH, LENGTH),
        counter_kdf(COUNTER, prf=CKM.SHA256),
        counter_kdf(COUNTER, further=1),
        counter_kdf((PrfDataType.SP800_108_ITERATION_VARIABLE, u32(0, 0))),
        counter_kdf((PrfDataType.SP800_108_ITERATION_VARIABLE, u32(0, 12))),
        counter_kdf((PrfDataType.SP800_108_ITERATION_VARIABLE, u32(0, 40))),
        counter_kdf((PrfDataType.SP800_108_ITERATION_VARIABLE, u32(0, 8, 0))),
        counter_kdf(COUNTER, (PrfDataType.SP800_108_DKM_LENGTH, u32(3, 0, 32))),
        counter_kdf(COUNTER, (PrfDataType.SP800_108_DKM_LENGTH, u32(1, 0, 72))),
        counter_kdf(COUNTER, (PrfDataType.SP800_108_KEY_HANDLE, b"")),
        u32(CKM.SHA256_HMAC, 2**32 - 1),
    ],
)
def test_sp800_108_refuses_pieces_that_make_no_counter_mode(parameter: bytes) -> None:
    refused(CKM.SP800_108_COUNTER_KDF, parameter)


@pytest.mark.parametrize("mechanism", [CKM.SP800_108_FEEDBACK_KDF, CKM.SP800_108_DOUBLE_PIPELINE_KDF])
def test_the_other_modes_need_a_place_for_what_they_make(mechanism: CKM) -> None:
    initial = counted(b"") if mechanism is CKM.SP800_108_FEEDBACK_KDF else b""
    for data in (pieces(LABEL), pieces(COUNTER), pieces(OPTIONAL_COUNTER, LABEL), pieces(ITERATION, ITERATION)):
        refused(mechanism, u32(CKM.SHA256_HMAC) + data + initial + u32(0))


def generate(world: World, parameter: bytes, *attributes: Attribute) -> CKR | int:
    caller, session = world
    answer = caller.call(c.GENERATE_KEY, session, CKM.PKCS5_PBKD2, parameter, template(*attributes))
    return answer.handle if answer.rv is CKR.OK else answer.rv


def test_pbkdf2_makes_keys_of_the_type_that_is_wanted(world: World) -> None:
    parameter = pbkdf2(b"salt", 3, b"password")
    expected = hashlib.pbkdf2_hmac("sha256", b"password", b"salt", 3, 32)
    assert value(world, generate(world, parameter, *SHOWN, (CKA.VALUE_LEN, 20))) == expected[:20]
    aes = (CKA.KEY_TYPE, CKK.AES)
    made = generate(world, parameter, *SHOWN, aes, (CKA.VALUE_LEN, 32))
    assert value(world, made) == expected
    assert isinstance(made, int)
    assert get(world[0], world[1], made, CKA.KEY_TYPE) == u32(CKK.AES)
    assert generate(world, parameter, aes, (CKA.VALUE_LEN, 20)) is CKR.ATTRIBUTE_VALUE_INVALID
    assert generate(world, parameter, (CKA.KEY_TYPE, CKK.RSA), (CKA.VALUE_LEN, 20)) is CKR.TEMPLATE_INCONSISTENT
    assert generate(world, parameter) is CKR.TEMPLATE_INCOMPLETE


def test_invariant_3_pbkdf2_computes_no_more_than_a_few_seconds(world: World) -> None:
    length = (CKA.VALUE_LEN, 33)
    for iterations in (0, MOST_ITERATIONS + 1, 2**32 - 1, MOST_ITERATIONS // 2 + 1):
        assert generate(world, pbkdf2(b"salt", iterations, b"password"), length) is CKR.MECHANISM_PARAM_INVALID


def test_pbkdf2_knows_its_functions_and_one_source_of_salt() -> None:
    for prf in (0, Pbkd2Prf.PKCS5_PBKD2_HMAC_GOSTR3411, 9):
        refused(CKM.PKCS5_PBKD2, pbkdf2(b"salt", 1, b"password", prf))
    good = pbkdf2(b"salt", 1, b"password")
    refused(CKM.PKCS5_PBKD2, u32(2) + good[4:])
    head = u32(1) + counted(b"salt") + u32(1, Pbkd2Prf.PKCS5_PBKD2_HMAC_SHA1)
    refused(CKM.PKCS5_PBKD2, head + counted(b"data") + counted(b"password"))


def test_pbkdf2_with_sha_512_t_is_rfc_8018_s() -> None:
    for prf, name in (
        (Pbkd2Prf.PKCS5_PBKD2_HMAC_SHA512_224, "sha512_224"),
        (Pbkd2Prf.PKCS5_PBKD2_HMAC_SHA512_256, "sha512_256"),
        (Pbkd2Prf.PKCS5_PBKD2_HMAC_SHA384, "sha384"),
    ):
        made = run.generate(CKM.PKCS5_PBKD2, pbkdf2(b"salt", 5, b"password", prf), 70)
        assert made == hashlib.pbkdf2_hmac(name, b"password", b"salt", 5, 70)
