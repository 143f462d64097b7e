# SPDX-License-Identifier: Apache-2.0
"""What an attacker sends as the other party of a key exchange, and makes of the secret."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from softee.names import CKA, CKD, CKK, CKM, CKO, CKR
from softee.pkcs11_ta.token.policy import Policy
from softee.pkcs11_ta.token.profiles import OPTEE, PORTABLE, STRICT
from support.commands import c
from support.mechanism_runs import u32
from support.object_calls import create, fresh_caller, get
from support.samples.ec import CURVE448, ecdh_params
from support.token_world import Caller, template

MECHANISMS = (CKM.ECDH1_DERIVE, CKM.ECDH1_COFACTOR_DERIVE)
SECRET = ((CKA.CLASS, CKO.SECRET_KEY), (CKA.KEY_TYPE, CKK.GENERIC_SECRET))
EVERY = pytest.mark.parametrize("policy", [PORTABLE, STRICT, OPTEE], ids=lambda policy: policy.name)


def point_on(curve: ec.EllipticCurve) -> bytes:
    public = ec.derive_private_key(0x5EC2E7, curve).public_key()
    return public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


GOOD = point_on(ec.SECP256R1())
P = 2**256 - 2**224 + 2**192 + 2**96 - 1


def moved(x: int, y: int) -> bytes:
    return b"\x04" + x.to_bytes(32, "big") + y.to_bytes(32, "big")


X, Y = int.from_bytes(GOOD[1:33], "big"), int.from_bytes(GOOD[33:], "big")

BAD_POINTS = {
    "none": b"",
    "infinity": b"\0",
    "infinity, filled up": bytes(65),
    "zero": moved(0, 0),
    "off the curve": moved(X, Y ^ 1),
    "off the curve by x": moved(X ^ 1, Y),
    "coordinates beyond the field": moved((X + P) % 2**256, Y),
    "short": GOOD[:-1],
    "long": GOOD + b"\0",
    "one byte": b"\x04",
    "hybrid form": bytes([6 + (Y & 1)]) + GOOD[1:],
    "no form": b"\x05" + GOOD[1:],
    "on another curve of the same size": point_on(ec.SECP256K1()),
    "on a larger curve": point_on(ec.SECP384R1()),
    "wrapped, cut short": b"\x04\x41" + GOOD[:-1],
    "wrapped, left over": b"\x04\x41" + GOOD + b"\0",
    "wrapped, length of two bytes": b"\x04\x81\x41" + GOOD,
    "wrapped, without end": b"\x04\x80" + GOOD + b"\0\0",
    "wrapped, with a length beyond all memory": b"\x04\x84\xff\xff\xff\xff" + GOOD,
    "wrapped twice": b"\x04\x43\x04\x41" + GOOD,
    "wrapped and off the curve": b"\x04\x41" + moved(X, Y ^ 1),
    "as a BIT STRING": b"\x03\x42\0" + GOOD,
}
"""For a key on P-256: an answer for a point of another curve would tell the private value modulo its small order."""


def refusal(policy: Policy) -> CKR:
    return CKR.MECHANISM_PARAM_INVALID if policy is OPTEE else CKR.PUBLIC_KEY_INVALID


def derived(caller: Caller, session: int, key: int, parameter: bytes, mechanism: CKM = CKM.ECDH1_DERIVE) -> CKR:
    wanted = template(*SECRET, (CKA.VALUE_LEN, 32))
    return caller.call(c.DERIVE_KEY, session, key, mechanism, parameter, wanted).rv


@EVERY
@pytest.mark.parametrize("point", BAD_POINTS.values(), ids=BAD_POINTS)
def test_no_secret_is_shared_with_what_is_no_point_of_the_curve(policy: Policy, point: bytes) -> None:
    """One answer for whatever is wrong, by every mechanism and KDF (PKCS#11 3.2 §5.1.6, CKR_PUBLIC_KEY_INVALID)."""
    caller, session = fresh_caller(policy=policy)
    key = create(caller, session, "EC private key", DERIVE=True)
    for mechanism in set(MECHANISMS) & set(policy.mechanisms):
        for kdf in (CKD.NULL, *(() if policy is OPTEE else (CKD.SHA256_KDF, CKD.SHA256_KDF_SP800))):
            assert derived(caller, session, key, ecdh_params(GOOD, kdf), mechanism) is CKR.OK
            assert derived(caller, session, key, ecdh_params(point, kdf), mechanism) is refusal(policy)


P25519 = 2**255 - 19
SMALL_ORDER = [
    0,
    1,
    325606250916557431795983626356110631294008115727848805560023387167927233504,
    39382357235489614581723060781553021112529911719440698176882885853963445705823,
    P25519 - 1,
    P25519,
    P25519 + 1,
]
"""The points of small order of curve25519, in all ways to write them."""


@pytest.mark.parametrize("u", SMALL_ORDER)
@pytest.mark.parametrize("top_bit", [0, 1])
def test_no_secret_is_shared_with_a_point_of_small_order_on_curve25519(u: int, top_bit: int) -> None:
    """It would be zero, whoever asks: known to all (RFC 7748, section 6.1)."""
    caller, session = fresh_caller(policy=PORTABLE)
    key = create(caller, session, "Montgomery private key", DERIVE=True)
    public = (u | top_bit << 255).to_bytes(32, "little")
    for given in (public, b"\x04\x20" + public):
        for kdf in (CKD.NULL, CKD.SHA256_KDF):
            assert derived(caller, session, key, ecdh_params(given, kdf)) is CKR.PUBLIC_KEY_INVALID


P448 = 2**448 - 2**224 - 1


@pytest.mark.parametrize("u", [0, 1, P448 - 1, P448, P448 + 1])
def test_no_secret_is_shared_with_a_point_of_small_order_on_curve448(u: int) -> None:
    caller, session = fresh_caller(policy=PORTABLE)
    value = Ed448PrivateKey.generate().private_bytes_raw()[:56]
    key = create(caller, session, "Montgomery private key", EC_PARAMS=CURVE448, VALUE=value, DERIVE=True)
    assert derived(caller, session, key, ecdh_params(u.to_bytes(56, "little"))) is CKR.PUBLIC_KEY_INVALID


@pytest.mark.parametrize("size", [0, 1, 31, 33, 56, 64])
def test_no_secret_is_shared_with_octets_of_another_size(size: int) -> None:
    caller, session = fresh_caller(policy=PORTABLE)
    key = create(caller, session, "Montgomery private key", DERIVE=True)
    assert derived(caller, session, key, ecdh_params(b"\x09" * size)) is CKR.PUBLIC_KEY_INVALID


@EVERY
@pytest.mark.parametrize(
    "parameter",
    [
        b"",
        b"\1",
        u32(CKD.NULL),
        u32(CKD.NULL, 0),
        u32(CKD.NULL, 0, 66) + GOOD,
        u32(CKD.NULL, 0, 2**32 - 1) + GOOD,
        u32(CKD.SHA256_KDF, 2**32 - 1, 65) + GOOD,
        ecdh_params(GOOD) + b"\0",
    ],
)
def test_a_parameter_that_is_missing_cut_or_longer_than_it_says_is_refused(policy: Policy, parameter: bytes) -> None:
    caller, session = fresh_caller(policy=policy)
    key = create(caller, session, "EC private key", DERIVE=True)
    assert derived(caller, session, key, parameter) is CKR.MECHANISM_PARAM_INVALID


PROTECTIONS = [{"SENSITIVE": True, "EXTRACTABLE": True}, {"SENSITIVE": False, "EXTRACTABLE": False}]


@pytest.mark.parametrize("protection", PROTECTIONS)
@pytest.mark.parametrize(
    ("policy", "kind"),
    [
        *((policy, "EC private key") for policy in (PORTABLE, STRICT, OPTEE)),
        *((policy, "Montgomery private key") for policy in (PORTABLE, STRICT)),
    ],
)
def test_invariant_1_the_secret_of_a_protected_key_is_not_had_in_pieces_that_can_be_guessed(
    policy: Policy, protection: dict[str, bool], kind: str
) -> None:
    """A key of one byte is found by trying; the bytes before it by keys of two, three, … bytes."""
    caller, session = fresh_caller(policy=policy)
    key = create(caller, session, kind, DERIVE=True, **protection)
    public = GOOD if kind.startswith("EC") else b"\x09" + bytes(31)
    for size, rv in ((1, CKR.ATTRIBUTE_VALUE_INVALID), (15, CKR.ATTRIBUTE_VALUE_INVALID), (16, CKR.OK), (32, CKR.OK)):
        for sensitive in (True, False):
            wanted = template(*SECRET, (CKA.VALUE_LEN, size), (CKA.SENSITIVE, sensitive), (CKA.EXTRACTABLE, True))
            answer = caller.call(c.DERIVE_KEY, session, key, CKM.ECDH1_DERIVE, ecdh_params(public), wanted)
            assert answer.rv is rv


@pytest.mark.parametrize("protection", PROTECTIONS)
@pytest.mark.parametrize("kind", ["EC private key", "Montgomery private key"])
def test_invariant_1_by_a_kdf_each_length_gives_another_byte_s_worth_of_nothing(
    protection: dict[str, bool], kind: str
) -> None:
    caller, session = fresh_caller(policy=PORTABLE)
    key = create(caller, session, kind, DERIVE=True, **protection)
    public = GOOD if kind.startswith("EC") else b"\x09" + bytes(31)
    short = template(*SECRET, (CKA.VALUE_LEN, 1), (CKA.SENSITIVE, False), (CKA.EXTRACTABLE, True))
    parameter = ecdh_params(public, CKD.SHA256_KDF)
    made = caller.ok(c.DERIVE_KEY, session, key, CKM.ECDH1_DERIVE, parameter, short).handle
    one_byte = get(caller, session, made, CKA.VALUE)
    assert isinstance(one_byte, bytes)
    assert len(one_byte) == 1


def test_a_key_that_is_known_derives_keys_of_any_length() -> None:
    caller, session = fresh_caller(policy=PORTABLE)
    key = create(caller, session, "EC private key", DERIVE=True, SENSITIVE=False, EXTRACTABLE=True)
    wanted = template(*SECRET, (CKA.VALUE_LEN, 1))
    caller.ok(c.DERIVE_KEY, session, key, CKM.ECDH1_DERIVE, ecdh_params(GOOD), wanted)


def test_a_derived_key_is_not_there_where_its_derivation_was_refused() -> None:
    caller, session = fresh_caller(policy=PORTABLE)
    key = create(caller, session, "EC private key", DERIVE=True)
    caller.ok(c.FIND_OBJECTS_INIT, session, template((CKA.CLASS, CKO.SECRET_KEY)))
    for point in BAD_POINTS.values():
        assert derived(caller, session, key, ecdh_params(point)) is not CKR.OK
    assert caller.ok(c.FIND_OBJECTS, session, capacity=64).output == b""
