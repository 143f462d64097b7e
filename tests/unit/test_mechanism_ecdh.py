# SPDX-License-Identifier: Apache-2.0
"""Diffie-Hellman on curves at its edges, and through a token: how long the new key is, forms of points, parameters."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from softee.names import CKA, CKD, CKK, CKM, CKO, CKR
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.mechanisms.ec.ecdh import KDFS, LARGEST_SHARED_DATA
from softee.pkcs11_ta.mechanisms.table import MECHANISMS
from softee.pkcs11_ta.token.policy import Policy
from softee.pkcs11_ta.token.profiles import OPTEE, PORTABLE, STRICT
from support import keys
from support import mechanism_runs as run
from support.commands import c
from support.mechanism_runs import u32
from support.object_calls import create, fresh_caller, get, pair
from support.samples.ec import CURVE25519, P256, ec_key_on, ecdh_params
from support.token_world import Attribute, Caller, template

ECDH = MECHANISMS[CKM.ECDH1_DERIVE]
OTHER = ec.derive_private_key(0x5EC2E7, ec.SECP256R1())
POINT = OTHER.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
SECRET = ((CKA.CLASS, CKO.SECRET_KEY), (CKA.KEY_TYPE, CKK.GENERIC_SECRET))
SHOWN = ((CKA.SENSITIVE, False), (CKA.EXTRACTABLE, True))


@pytest.fixture(scope="module")
def world() -> tuple[Caller, int]:
    return fresh_caller(policy=PORTABLE)


def base(caller: Caller, session: int, **changes: bool) -> int:
    return create(caller, session, "EC private key", **{"DERIVE": True, **changes})


def derive(world: tuple[Caller, int], key: int, parameter: bytes, *attributes: Attribute) -> bytes | CKR:
    """Return the value of the key that is derived, or why there is none."""
    caller, session = world
    wanted = template(*(attributes or SECRET), *SHOWN)
    answer = caller.call(c.DERIVE_KEY, session, key, CKM.ECDH1_DERIVE, parameter, wanted)
    return get(caller, session, answer.handle, CKA.VALUE) if answer.rv is CKR.OK else answer.rv


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "parameter of 0 bytes"),
        (bytes(11), "parameter of 11 bytes"),
        (u32(CKD.NULL, 0, 2**32 - 1), "parameter of 12 bytes"),
        (ecdh_params(POINT, CKD.NULL, b"shared"), "ulSharedDataLen 6, which CKD_NULL does not use"),
        (ecdh_params(POINT, 0), "kdf 0x0 is none"),
        (ecdh_params(POINT, CKD.SHA1_KDF_ASN1), "kdf 0x3 is none"),
        (ecdh_params(POINT, CKD.SHA1_KDF_CONCATENATE), "kdf 0x4 is none"),
        (ecdh_params(POINT, CKD.BLAKE2B_256_KDF), "kdf 0x18 is none"),
        (ecdh_params(POINT, 0x80000001), "kdf 0x80000001 is none"),
        (
            ecdh_params(POINT, CKD.SHA256_KDF, bytes(LARGEST_SHARED_DATA + 1)),
            "ulSharedDataLen 65537; 65536 are allowed",
        ),
    ],
)
def test_a_parameter_that_means_nothing_is_refused(raw: bytes, reason: str) -> None:
    with pytest.raises(Pkcs11Error, match=f"MECHANISM_PARAM_INVALID: {reason}"):
        ECDH.parameter(raw)


def test_a_point_may_be_bare_or_wrapped() -> None:
    """PKCS#11 3.2 §6.3 has the bare one, and leaves the other to the token."""
    ours = keys.ec_pair()
    wanted = run.derive(CKM.ECDH1_DERIVE, ours, ecdh_params(POINT))
    assert run.derive(CKM.ECDH1_DERIVE, ours, ecdh_params(b"\x04\x41" + POINT)) == wanted
    assert run.derive(CKM.ECDH1_COFACTOR_DERIVE, ours, ecdh_params(POINT)) == wanted


@pytest.mark.parametrize("kdf", KDFS, ids=lambda kdf: kdf.name)
def test_both_sides_derive_the_same_and_shared_data_makes_a_difference(kdf: CKD) -> None:
    other = keys.private_key(OTHER)
    ours = keys.ec_pair()
    native = ours.native()
    assert isinstance(native, ec.EllipticCurvePrivateKey)
    point = native.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    seen = set()
    for shared in (b"", b"shared", bytes(LARGEST_SHARED_DATA)):
        one = run.derive(CKM.ECDH1_DERIVE, ours, ecdh_params(POINT, kdf, shared), 100)
        assert run.derive(CKM.ECDH1_DERIVE, other, ecdh_params(point, kdf, shared), 100) == one
        seen.add(one)
    assert len(seen) == 3


def test_without_a_kdf_the_leading_bytes_are_cut(world: tuple[Caller, int]) -> None:
    """PKCS#11 3.2 §6.3."""
    key = base(*world)
    whole = derive(world, key, ecdh_params(POINT))
    assert isinstance(whole, bytes)
    assert len(whole) == 32
    assert derive(world, key, ecdh_params(POINT), *SECRET, (CKA.VALUE_LEN, 20)) == whole[-20:]
    aes = ((CKA.CLASS, CKO.SECRET_KEY), (CKA.KEY_TYPE, CKK.AES))
    assert derive(world, key, ecdh_params(POINT), *aes, (CKA.VALUE_LEN, 16)) == whole[-16:]
    assert derive(world, key, ecdh_params(POINT), *aes, (CKA.VALUE_LEN, 32)) == whole


@pytest.mark.parametrize("kdf", [CKD.NULL, CKD.SHA256_KDF, CKD.SHA512_KDF_SP800])
def test_the_new_key_has_a_size_that_it_can_have(world: tuple[Caller, int], kdf: CKD) -> None:
    key, parameter = base(*world), ecdh_params(POINT, kdf)
    aes = ((CKA.CLASS, CKO.SECRET_KEY), (CKA.KEY_TYPE, CKK.AES))
    assert derive(world, key, parameter, *aes) is CKR.TEMPLATE_INCOMPLETE
    assert derive(world, key, parameter, *aes, (CKA.VALUE_LEN, 20)) is CKR.ATTRIBUTE_VALUE_INVALID
    for size in (0, 8193, 2**32 - 1):
        assert derive(world, key, parameter, *SECRET, (CKA.VALUE_LEN, size)) is CKR.ATTRIBUTE_VALUE_INVALID


def test_no_more_is_derived_than_there_is_but_by_a_kdf(world: tuple[Caller, int]) -> None:
    key = base(*world)
    assert derive(world, key, ecdh_params(POINT), *SECRET, (CKA.VALUE_LEN, 33)) is CKR.ATTRIBUTE_VALUE_INVALID
    long = derive(world, key, ecdh_params(POINT, CKD.SHA256_KDF), *SECRET, (CKA.VALUE_LEN, 1000))
    assert isinstance(long, bytes)
    assert len(long) == 1000
    assert derive(world, key, ecdh_params(POINT, CKD.SHA256_KDF)) is CKR.TEMPLATE_INCOMPLETE


def test_what_is_derived_is_a_secret_key_that_was_never_known_outside_only_where_its_base_key_was_not(
    world: tuple[Caller, int],
) -> None:
    """PKCS#11 3.2 §6.3."""
    caller, session = world
    private = ((CKA.DERIVE, True), (CKA.SENSITIVE, True), (CKA.EXTRACTABLE, False))
    _, made_here = pair(caller, session, CKM.EC_KEY_PAIR_GEN, ((CKA.EC_PARAMS, P256),), private)
    for key, always in ((made_here, b"\1"), (base(*world), b"\0")):
        wanted = template(*SECRET, (CKA.SENSITIVE, True), (CKA.EXTRACTABLE, False))
        made = caller.ok(c.DERIVE_KEY, session, key, CKM.ECDH1_DERIVE, ecdh_params(POINT), wanted).handle
        assert get(caller, session, made, CKA.ALWAYS_SENSITIVE) == always
        assert get(caller, session, made, CKA.NEVER_EXTRACTABLE) == always
        assert get(caller, session, made, CKA.LOCAL) == b"\0"
    assert derive(world, made_here, ecdh_params(POINT), (CKA.CLASS, CKO.DATA)) is CKR.TEMPLATE_INCONSISTENT


def test_keys_of_other_types_do_not_derive(world: tuple[Caller, int]) -> None:
    caller, session = world
    for kind, rv in (
        ("Edwards private key", CKR.KEY_TYPE_INCONSISTENT),
        ("RSA private key", CKR.KEY_TYPE_INCONSISTENT),
        ("EC public key", CKR.KEY_TYPE_INCONSISTENT),
        ("AES key", CKR.KEY_TYPE_INCONSISTENT),
    ):
        assert derive(world, create(caller, session, kind, DERIVE=True), ecdh_params(POINT)) is rv
    montgomery = create(caller, session, "Montgomery private key", DERIVE=True)
    answer = caller.call(
        c.DERIVE_KEY, session, montgomery, CKM.ECDH1_COFACTOR_DERIVE, ecdh_params(bytes(32)), template(*SECRET)
    )
    assert answer.rv is CKR.KEY_TYPE_INCONSISTENT, "PKCS#11 3.2 §6.3"


def test_a_montgomery_key_without_a_usage_in_its_template_derives(world: tuple[Caller, int]) -> None:
    caller, session = world
    _, private = pair(caller, session, CKM.EC_MONTGOMERY_KEY_PAIR_GEN, ((CKA.EC_PARAMS, CURVE25519),))
    public = X25519PrivateKey.generate().public_key().public_bytes_raw()
    secret = derive(world, private, ecdh_params(public))
    assert isinstance(secret, bytes)
    assert len(secret) == 32


@pytest.mark.parametrize("policy", [PORTABLE, STRICT], ids=lambda policy: policy.name)
def test_a_hash_function_that_the_token_refuses_is_in_no_kdf(policy: Policy) -> None:
    world = fresh_caller(policy=policy)
    key = base(*world)
    for kdf, refusing in (
        (CKD.SHA1_KDF, {STRICT.name}),
        (CKD.SHA1_KDF_SP800, {STRICT.name}),
        (CKD.SHA256_KDF, set()),
    ):
        made = derive(world, key, ecdh_params(POINT, kdf), *SECRET, (CKA.VALUE_LEN, 32))
        assert (made is CKR.MECHANISM_PARAM_INVALID) is (policy.name in refusing)


def test_as_optee_the_trailing_bytes_are_cut_and_the_template_says_how_many_are_left() -> None:
    world = fresh_caller(policy=OPTEE)
    key = base(*world, SENSITIVE=False, EXTRACTABLE=True)
    whole = OTHER.exchange(ec.ECDH(), ec_key_on(ec.SECP256R1).public_key())
    aes = ((CKA.CLASS, CKO.SECRET_KEY), (CKA.KEY_TYPE, CKK.AES))
    for size in (1, 16, 31, 32):
        assert derive(world, key, ecdh_params(POINT), *SECRET, (CKA.VALUE_LEN, size)) == whole[:size]
    assert derive(world, key, ecdh_params(POINT), *aes, (CKA.VALUE_LEN, 16)) == whole[:16]
    for wanted, rv in (
        (SECRET, CKR.TEMPLATE_INCOMPLETE),
        (aes, CKR.TEMPLATE_INCOMPLETE),
        ((*SECRET, (CKA.VALUE_LEN, 33)), CKR.KEY_SIZE_RANGE),
        ((*aes, (CKA.VALUE_LEN, 17)), CKR.KEY_SIZE_RANGE),
    ):
        assert derive(world, key, ecdh_params(POINT), *wanted) is rv


@pytest.mark.parametrize("kdf", [0, *KDFS], ids=str)
def test_as_optee_there_is_no_kdf(kdf: int) -> None:
    with pytest.raises(Pkcs11Error, match=f"MECHANISM_PARAM_INVALID: kdf {kdf:#x} is not CKD_NULL"):
        OPTEE.mechanism(CKM.ECDH1_DERIVE).parameter(ecdh_params(POINT, kdf))
