# SPDX-License-Identifier: Apache-2.0
"""Key generation: which sizes, exponents and curves, what comes out, and what is refused with which return value."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from softee.names import CKA, CKM, CKR
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.attributes.values import Attributes, AttributeValue, Parts
from softee.pkcs11_ta.keys import ec as weierstrass
from softee.pkcs11_ta.keys import edwards, montgomery
from softee.pkcs11_ta.keys.curves import Curve, Curves, curve_name, oid
from softee.pkcs11_ta.keys.ec import encode_point
from softee.pkcs11_ta.keys.octet_keys import Algorithm
from softee.pkcs11_ta.mechanisms.functions import KeyGenerating, PairGenerating
from softee.pkcs11_ta.mechanisms.table import MECHANISMS

P256 = bytes.fromhex("06082a8648ce3d030107")
PAIRS = (
    (CKM.EC_KEY_PAIR_GEN, weierstrass.CURVES),
    (CKM.EC_EDWARDS_KEY_PAIR_GEN, edwards.CURVES),
    (CKM.EC_MONTGOMERY_KEY_PAIR_GEN, montgomery.CURVES),
)
NAMES = [(mechanism, name) for mechanism, curves in PAIRS for curve in curves for name in curve.params]


def secret(mechanism: CKM, template: Attributes) -> bytearray:
    spec = MECHANISMS[mechanism]
    made = spec.of(KeyGenerating).generate(spec.parameter(b""), template)
    assert list(made) == [CKA.VALUE]
    value = made[CKA.VALUE]
    assert isinstance(value, bytearray), "a secret value can be wiped"
    return value


def pair(mechanism: CKM, template: Attributes) -> tuple[Parts, Parts]:
    spec = MECHANISMS[mechanism]
    return spec.of(PairGenerating).generate(spec.parameter(b""), template)


def number(value: AttributeValue) -> int:
    assert isinstance(value, bytes | bytearray)
    assert value[0], "a big integer has no leading zeros"
    return int.from_bytes(value, "big")


@pytest.mark.parametrize("size", [16, 24, 32])
def test_aes_key_is_random_and_of_the_wanted_size(size: int) -> None:
    first, second = (secret(CKM.AES_KEY_GEN, {CKA.VALUE_LEN: size}) for _ in range(2))
    assert len(first) == len(second) == size
    assert first != second


@pytest.mark.parametrize("size", [0, 1, 15, 17, 20, 31, 33, 64, 2**32 - 1])
def test_aes_key_of_another_size_is_refused(size: int) -> None:
    with pytest.raises(Pkcs11Error, match=f"KEY_SIZE_RANGE: CKA_VALUE_LEN {size} "):
        secret(CKM.AES_KEY_GEN, {CKA.VALUE_LEN: size})


@pytest.mark.parametrize("size", [1, 33, 64, 512])
def test_generic_secret_has_1_to_512_bytes(size: int) -> None:
    """OP-TEE lists 1 to 4096, which are bits."""
    assert len(secret(CKM.GENERIC_SECRET_KEY_GEN, {CKA.VALUE_LEN: size})) == size


@pytest.mark.parametrize("size", [0, 513, 4096, 2**32 - 1])
def test_generic_secret_of_another_size_is_refused(size: int) -> None:
    with pytest.raises(Pkcs11Error, match="KEY_SIZE_RANGE"):
        secret(CKM.GENERIC_SECRET_KEY_GEN, {CKA.VALUE_LEN: size})


@pytest.mark.parametrize("mechanism", [CKM.SHA_1_KEY_GEN, CKM.SHA3_256_KEY_GEN, CKM.BLAKE2B_160_KEY_GEN])
def test_hmac_key_has_1_to_512_bytes_and_its_own_type(mechanism: CKM) -> None:
    for size in (1, 20, 512):
        assert len(secret(mechanism, {CKA.VALUE_LEN: size})) == size
    for size in (0, 513):
        with pytest.raises(Pkcs11Error, match=f"KEY_SIZE_RANGE: CKA_VALUE_LEN {size} "):
            secret(mechanism, {CKA.VALUE_LEN: size})
    (key_type,) = MECHANISMS[mechanism].key_types
    assert key_type.name == mechanism.name.replace("KEY_GEN", "HMAC")


@pytest.mark.parametrize("mechanism", [CKM.AES_KEY_GEN, CKM.GENERIC_SECRET_KEY_GEN, CKM.SHA256_KEY_GEN])
def test_secret_key_without_a_size_is_refused(mechanism: CKM) -> None:
    with pytest.raises(Pkcs11Error, match="TEMPLATE_INCOMPLETE: CKA_VALUE_LEN"):
        secret(mechanism, {})


@pytest.mark.parametrize(
    ("bits", "given", "exponent"),
    [(1024, None, 65537), (1032, b"", 65537), (1024, b"\x03", 3), (1024, b"\0\x01\0\x01", 65537)],
)
def test_rsa_pair_has_the_wanted_modulus_and_exponent(bits: int, given: bytes | None, exponent: int) -> None:
    template: dict[int, AttributeValue] = {CKA.MODULUS_BITS: bits}
    if given is not None:
        template[CKA.PUBLIC_EXPONENT] = given
    public, private = pair(CKM.RSA_PKCS_KEY_PAIR_GEN, template)
    assert set(public) == {CKA.MODULUS, CKA.PUBLIC_EXPONENT}
    assert number(public[CKA.MODULUS]).bit_length() == bits
    assert number(public[CKA.PUBLIC_EXPONENT]) == exponent
    assert {attribute: private[attribute] for attribute in public} == public


def test_rsa_private_parts_make_the_key_again() -> None:
    _, made = pair(CKM.RSA_PKCS_KEY_PAIR_GEN, {CKA.MODULUS_BITS: 1024})
    rsa.RSAPrivateNumbers(
        p=number(made[CKA.PRIME_1]),
        q=number(made[CKA.PRIME_2]),
        d=number(made[CKA.PRIVATE_EXPONENT]),
        dmp1=number(made[CKA.EXPONENT_1]),
        dmq1=number(made[CKA.EXPONENT_2]),
        iqmp=number(made[CKA.COEFFICIENT]),
        public_numbers=rsa.RSAPublicNumbers(number(made[CKA.PUBLIC_EXPONENT]), number(made[CKA.MODULUS])),
    ).private_key()


def test_private_parts_can_be_wiped() -> None:
    public, private = pair(CKM.RSA_PKCS_KEY_PAIR_GEN, {CKA.MODULUS_BITS: 1024})
    assert all(isinstance(value, bytearray) for attribute, value in private.items() if attribute not in public)
    assert isinstance(pair(CKM.EC_KEY_PAIR_GEN, {CKA.EC_PARAMS: P256})[1][CKA.VALUE], bytearray)


@pytest.mark.parametrize("bits", [0, 256, 512, 1023, 4097, 2**32 - 1])
def test_rsa_modulus_out_of_range_is_refused(bits: int) -> None:
    with pytest.raises(Pkcs11Error, match=f"KEY_SIZE_RANGE: CKA_MODULUS_BITS {bits} "):
        pair(CKM.RSA_PKCS_KEY_PAIR_GEN, {CKA.MODULUS_BITS: bits})


def test_rsa_pair_without_a_size_is_refused() -> None:
    with pytest.raises(Pkcs11Error, match="TEMPLATE_INCOMPLETE: CKA_MODULUS_BITS"):
        pair(CKM.RSA_PKCS_KEY_PAIR_GEN, {})


@pytest.mark.parametrize("exponent", [b"\0", b"\x01", b"\x05", b"\x01\0\0", b"\xff" * 300, bytearray(b"\x11")])
def test_other_rsa_exponents_are_refused(exponent: bytes) -> None:
    with pytest.raises(Pkcs11Error, match="ATTRIBUTE_VALUE_INVALID: CKA_PUBLIC_EXPONENT"):
        pair(CKM.RSA_PKCS_KEY_PAIR_GEN, {CKA.MODULUS_BITS: 1024, CKA.PUBLIC_EXPONENT: exponent})


@pytest.mark.parametrize("curve", list(weierstrass.CURVES), ids=lambda curve: curve.name)
def test_ec_pair_is_a_point_on_its_curve_and_its_private_value(curve: Curve[ec.EllipticCurve]) -> None:
    public, private = pair(CKM.EC_KEY_PAIR_GEN, {CKA.EC_PARAMS: curve.params[0]})
    value = private[CKA.VALUE]
    assert isinstance(value, bytearray)
    assert len(value) == -(-curve.native.key_size // 8)
    again = ec.derive_private_key(int.from_bytes(value, "big"), curve.native).public_key()
    assert public[CKA.EC_POINT] == encode_point(again)


@pytest.mark.parametrize("curves", [edwards.CURVES, montgomery.CURVES])
def test_a_pair_of_octets_is_a_private_key_and_its_public_one(curves: Curves[Algorithm]) -> None:
    mechanism = CKM.EC_EDWARDS_KEY_PAIR_GEN if curves is edwards.CURVES else CKM.EC_MONTGOMERY_KEY_PAIR_GEN
    for curve in curves:
        public, private = pair(mechanism, {CKA.EC_PARAMS: curve.params[0]})
        value = private[CKA.VALUE]
        assert isinstance(value, bytearray)
        native = curve.native.private.from_private_bytes(value).public_key()
        assert native.public_bytes_raw() == public[CKA.EC_POINT]
        told = native.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        assert told == public[CKA.PUBLIC_KEY_INFO]


@pytest.mark.parametrize(("mechanism", "ec_params"), NAMES)
def test_both_keys_of_a_pair_name_the_curve_as_the_template_does(mechanism: CKM, ec_params: bytes) -> None:
    public, private = pair(mechanism, {CKA.EC_PARAMS: ec_params})
    assert set(public) == {CKA.EC_PARAMS, CKA.EC_POINT, CKA.PUBLIC_KEY_INFO}
    bare = mechanism is not CKM.EC_KEY_PAIR_GEN
    assert set(private) == {CKA.EC_PARAMS, CKA.VALUE, *((CKA.EC_POINT,) if bare else ())}
    assert private.get(CKA.EC_POINT) == (public[CKA.EC_POINT] if bare else None)
    assert public[CKA.EC_PARAMS] == private[CKA.EC_PARAMS] == ec_params


def test_ec_point_is_a_der_octet_string_of_the_uncompressed_point() -> None:
    """As OP-TEE's walkthrough shows it for P-256; P-521 needs the long form of the length."""
    p256 = pair(CKM.EC_KEY_PAIR_GEN, {CKA.EC_PARAMS: P256})[0][CKA.EC_POINT]
    p521 = pair(CKM.EC_KEY_PAIR_GEN, {CKA.EC_PARAMS: bytes.fromhex("06052b81040023")})[0][CKA.EC_POINT]
    assert isinstance(p256, bytes)
    assert isinstance(p521, bytes)
    assert (p256[:3].hex(), len(p256)) == ("044104", 67)
    assert (p521[:4].hex(), len(p521)) == ("04818504", 136)


GARBAGE = [b"\x30\x00", P256[:-1], P256 + b"\0", b"\0" * 5000]
"""Explicit parameters, object identifiers cut and prolonged, and what may be anything."""


@pytest.mark.parametrize("mechanism", [mechanism for mechanism, _ in PAIRS], ids=lambda mechanism: mechanism.name)
@pytest.mark.parametrize("ec_params", [oid("1.3.132.0.8"), curve_name("secp160r1"), *GARBAGE])
def test_unknown_curve_is_refused_and_never_told(mechanism: CKM, ec_params: bytes) -> None:
    """PKCS#11 3.2 §6.3 tells a curve that is not there from what names no curve."""
    with pytest.raises(Pkcs11Error, match="none of the curves") as caught:
        pair(mechanism, {CKA.EC_PARAMS: ec_params})
    assert caught.value.rv is (CKR.DOMAIN_PARAMS_INVALID if ec_params in GARBAGE else CKR.CURVE_NOT_SUPPORTED)
    assert ec_params.hex() not in caught.value.detail, "it may be a key that the caller has mixed up"


@pytest.mark.parametrize(("mechanism", "ec_params"), NAMES)
def test_a_curve_is_not_for_the_mechanism_of_another_form(mechanism: CKM, ec_params: bytes) -> None:
    """PKCS#11 3.2 §6.3."""
    for other, _ in PAIRS:
        if other is not mechanism:
            with pytest.raises(Pkcs11Error, match=r"CURVE_NOT_SUPPORTED|DOMAIN_PARAMS_INVALID"):
                pair(other, {CKA.EC_PARAMS: ec_params})


@pytest.mark.parametrize("template", [{}, {CKA.EC_PARAMS: b""}])
def test_ec_pair_without_a_curve_is_refused(template: Attributes) -> None:
    for mechanism, _ in PAIRS:
        with pytest.raises(Pkcs11Error) as caught:
            pair(mechanism, template)
        assert caught.value.rv is CKR.TEMPLATE_INCOMPLETE
