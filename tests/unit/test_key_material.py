# SPDX-License-Identifier: Apache-2.0
"""Key material: imported parts must belong together, missing ones are computed, and a key is loaded from them."""

import math
from collections.abc import Callable
from importlib import import_module
from pkgutil import iter_modules

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, x25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from softee.names import CKA, CKK, CKM, CKO, CKR
from softee.pkcs11_ta import keys as package
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.attributes.secret_bytes import SecretBytes
from softee.pkcs11_ta.keys import ec as ec_keys
from softee.pkcs11_ta.keys import pkcs8
from softee.pkcs11_ta.keys import rsa as rsa_keys
from softee.pkcs11_ta.keys.curves import Curve, Curves, curve_name, oid
from softee.pkcs11_ta.keys.material import KeyMaterial
from softee.pkcs11_ta.keys.parts import big_endian
from softee.pkcs11_ta.keys.pkcs8 import LARGEST_KEY, export_private_key, import_private_key
from softee.pkcs11_ta.keys.table import KEY_TYPES, find_key_type
from support.hostile_numbers import effort_limited
from support.importing import imported, refusal
from support.samples import IN_PKCS8, KEY_PAIRS, KEYS, sample
from support.samples.aes import AES_KEY
from support.samples.ec import P256, ec_key
from support.samples.rsa import rsa_key

CRT_PARTS = (CKA.PRIME_1, CKA.PRIME_2, CKA.EXPONENT_1, CKA.EXPONENT_2, CKA.COEFFICIENT)
MERSENNE_1279, MERSENNE_2203 = (1 << 1279) - 1, (1 << 2203) - 1


def test_the_check_value_of_an_aes_key_is_that_of_the_real_op_tee() -> None:
    made = imported(sample("AES key"))
    assert made[CKA.CHECK_VALUE] == bytes.fromhex("ef507b")
    assert made[CKA.VALUE_LEN] == 16


def test_the_check_value_of_another_secret_is_its_sha_1() -> None:
    shown = {"SENSITIVE": False, "EXTRACTABLE": True}
    made = imported(sample("generic secret key", VALUE=b"abc", **shown))
    assert made[CKA.CHECK_VALUE] == bytes.fromhex("a9993e")


def test_a_check_value_may_be_given_right_or_left_empty_but_not_wrong() -> None:
    assert imported(sample("AES key", CHECK_VALUE=bytes.fromhex("ef507b")))
    assert imported(sample("AES key", CHECK_VALUE=b""))[CKA.CHECK_VALUE] == b""
    assert refusal(sample("AES key", CHECK_VALUE=b"abc")) is CKR.ATTRIBUTE_VALUE_INVALID


@pytest.mark.parametrize("size", [1, 15, 17, 33, 64])
def test_an_aes_key_of_another_size_is_refused(size: int) -> None:
    assert refusal(sample("AES key", VALUE=bytes(size))) is CKR.ATTRIBUTE_VALUE_INVALID


def test_a_secret_key_of_no_bytes_or_of_too_many_is_refused() -> None:
    generic = {"KEY_TYPE": int(CKK.GENERIC_SECRET)}
    assert refusal(sample("AES key", **generic, VALUE=b"")) is CKR.TEMPLATE_INCOMPLETE
    assert refusal(sample("AES key", **generic, VALUE=bytes(8193))) is CKR.ATTRIBUTE_VALUE_INVALID


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


MERSENNE_107, MERSENNE_127, MERSENNE_521, MERSENNE_607 = ((1 << bits) - 1 for bits in (107, 127, 521, 607))


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


def test_an_ec_point_may_be_bare_and_is_kept_as_the_standard_writes_it() -> None:
    bare = ec_key().public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    assert imported(sample("EC public key", EC_POINT=bare))[CKA.EC_POINT] == b"\x04\x41" + bare
    assert imported(sample("EC public key"))[CKA.EC_POINT] == b"\x04\x41" + bare


def test_an_ec_point_of_the_largest_curve_has_a_long_length() -> None:
    point = ec.generate_private_key(ec.SECP521R1()).public_key()
    bare = point.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    params = bytes.fromhex("06052b81040023")
    written = b"\x04\x81\x85" + bare
    assert imported(sample("EC public key", EC_PARAMS=params, EC_POINT=written))[CKA.EC_POINT] == written


@pytest.mark.parametrize("point", [b"\x04", b"\x04\x41" + bytes(65), b"\x04\x41\x04" + b"\1" * 64, b"\x30\x01\x00"])
def test_a_point_that_is_not_on_the_curve_is_refused(point: bytes) -> None:
    assert refusal(sample("EC public key", EC_POINT=point)) is CKR.ATTRIBUTE_VALUE_INVALID


@pytest.mark.parametrize("value", [bytes(32), b"\xff" * 32, b"\1" * 40], ids=["zero", "too large", "far too large"])
def test_an_ec_private_value_out_of_range_is_refused(value: bytes) -> None:
    assert refusal(sample("EC private key", VALUE=value)) is CKR.ATTRIBUTE_VALUE_INVALID


def test_an_unknown_curve_is_refused() -> None:
    """PKCS#11 3.2 §6.3 tells a curve that is not there from what names no curve."""
    for kind in ("EC public key", "EC private key", "Edwards public key", "Montgomery private key"):
        for name in (oid("1.3.132.0.8"), curve_name("secp160r1"), oid("1.2.3")):
            assert refusal(sample(kind, EC_PARAMS=name)) is CKR.CURVE_NOT_SUPPORTED
        for garbage in (b"\x30\x00", b"\x05\x00", P256[:-1], P256 + b"\0", b"P-256", b"\x0c\x05P-256", b"\x13" * 5000):
            assert refusal(sample(kind, EC_PARAMS=garbage)) is CKR.DOMAIN_PARAMS_INVALID


@pytest.mark.parametrize("curve", list(ec_keys.CURVES), ids=lambda curve: curve.name)
def test_a_curve_is_taken_by_each_of_its_names_and_keeps_it(curve: Curve[ec.EllipticCurve]) -> None:
    native = ec.generate_private_key(curve.native)
    point = ec_keys.encode_point(native.public_key())
    value = native.private_numbers().private_value.to_bytes(-(-native.key_size // 8), "big")
    for name in curve.params:
        assert imported(sample("EC public key", EC_PARAMS=name, EC_POINT=point))[CKA.EC_PARAMS] == name
        assert imported(sample("EC private key", EC_PARAMS=name, VALUE=value))[CKA.EC_PARAMS] == name


def test_a_point_in_anything_but_an_octet_string_is_refused() -> None:
    bare = ec_key().public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    for head in (b"\x03\x41", b"\x30\x41", b"\x05\x81\x41", b"\x04\x82\x41", b"\x04\x40", b"\x04\x42"):
        assert refusal(sample("EC public key", EC_POINT=head + bare)) is CKR.ATTRIBUTE_VALUE_INVALID


def test_an_ec_private_key_knows_its_point() -> None:
    key = KeyMaterial(imported(sample("EC private key")))
    assert ec_keys.public_key(key).public_numbers() == ec_key().public_key().public_numbers()
    assert (key.key_class, key.key_type, key.size) == (CKO.PRIVATE_KEY, CKK.EC, 256)


@pytest.mark.parametrize("kind", KEY_PAIRS)
def test_a_public_key_info_must_be_the_keys_own(kind: str) -> None:
    native = KeyMaterial(imported(sample(kind))).native()
    public = native if hasattr(native, "public_bytes") else native.public_key()
    info = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert imported(sample(kind, PUBLIC_KEY_INFO=info))[CKA.PUBLIC_KEY_INFO] == info
    assert refusal(sample(kind, PUBLIC_KEY_INFO=info[:-1] + bytes([info[-1] ^ 1]))) is CKR.ATTRIBUTE_VALUE_INVALID


def test_what_a_certificate_says_of_its_key_is_taken_as_it_is() -> None:
    """The token does not look into certificates."""
    assert imported(sample("X.509 certificate", PUBLIC_KEY_INFO=b"anything"))[CKA.PUBLIC_KEY_INFO] == b"anything"


def test_what_is_not_a_key_is_none_for_a_mechanism() -> None:
    with pytest.raises(Pkcs11Error) as refused:
        KeyMaterial(imported(sample("data")))
    assert refused.value.rv is CKR.KEY_HANDLE_INVALID


MODULES = [import_module(f"{package.__name__}.{found.name}") for found in iter_modules(package.__path__)]
READINGS: dict[tuple[str, CKO], Callable[[KeyMaterial], object]] = {
    (key_type.name, half): getattr(module, name)
    for module in MODULES
    for key_type in KEY_TYPES
    if key_type in vars(module).values()
    for half, name in ((CKO.PUBLIC_KEY, "public_key"), (CKO.PRIVATE_KEY, "private_key"))
    if hasattr(module, name)
}
"""The functions by which mechanisms get at the library's object, by the key type whose module they stand in."""


def test_every_type_of_key_pairs_has_both_functions() -> None:
    pairs = [key_type.name for key_type in KEY_TYPES if key_type.form(CKO.PRIVATE_KEY)]
    assert READINGS.keys() == {(name, half) for name in pairs for half in (CKO.PUBLIC_KEY, CKO.PRIVATE_KEY)}


@pytest.mark.parametrize("kind", KEYS)
def test_a_key_is_not_taken_for_another_kind(kind: str) -> None:
    key = KeyMaterial(imported(sample(kind)))
    key_type = find_key_type(key.key_type)
    assert key_type is not None
    right = {(key_type.name, key.key_class)}
    if key.key_class is CKO.PRIVATE_KEY:
        right.add((key_type.name, CKO.PUBLIC_KEY))
    for reads, reading in {**READINGS, (key_type.name, CKO.SECRET_KEY): KeyMaterial.secret}.items():
        if reads in right:
            assert reading(key)
            continue
        with pytest.raises(Pkcs11Error) as refused:
            reading(key)
        assert refused.value.rv is CKR.KEY_TYPE_INCONSISTENT


def test_the_native_key_is_made_once() -> None:
    key = KeyMaterial(imported(sample("EC private key")))
    assert key.native() is key.native()


@pytest.mark.parametrize("kind", IN_PKCS8)
@pytest.mark.parametrize("filling", [b"", bytes(15)], ids=["exact", "filled up"])
def test_a_private_key_comes_back_from_its_private_key_info(kind: str, filling: bytes) -> None:
    made = imported(sample(kind))
    exported = export_private_key(KeyMaterial(made))
    assert isinstance(exported, SecretBytes)
    key_type = made[CKA.KEY_TYPE]
    assert isinstance(key_type, int)
    back = import_private_key(exported + filling, key_type)
    assert back == {attribute: made[attribute] for attribute in back}


@pytest.mark.parametrize("kind", ["RSA private key", "EC private key"])
def test_a_private_key_info_that_we_made_proves_itself(kind: str) -> None:
    made = imported(sample(kind))
    key_type = made[CKA.KEY_TYPE]
    assert isinstance(key_type, int)
    assert import_private_key(export_private_key(KeyMaterial(made)), key_type, proven=True)


def test_an_ec_private_key_proves_itself_by_its_own_point_alone() -> None:
    one, other = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    encoded = one.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    assert import_private_key(encoded, CKK.EC, proven=True)
    own, wrong = (key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint) for key in (one, other))
    for proven in (True, False):
        with pytest.raises(Pkcs11Error) as refused:
            import_private_key(encoded.replace(own, wrong), CKK.EC, proven=proven)
        assert refused.value.rv is CKR.WRAPPED_KEY_INVALID


@pytest.mark.parametrize("spoil", [lambda key: key[:-1], lambda key: key + b"\1", lambda _: b"", lambda _: bytes(64)])
def test_bytes_that_are_no_private_key_are_refused(spoil: Callable[[bytes], bytes]) -> None:
    exported = bytes(export_private_key(KeyMaterial(imported(sample("EC private key")))))
    with pytest.raises(Pkcs11Error) as refused:
        import_private_key(spoil(exported), CKK.EC)
    assert refused.value.rv is CKR.WRAPPED_KEY_INVALID


def test_a_private_key_of_another_type_is_refused() -> None:
    for kind, wrong in (("EC private key", CKK.RSA), ("RSA private key", CKK.EC)):
        exported = export_private_key(KeyMaterial(imported(sample(kind))))
        with pytest.raises(Pkcs11Error, match="another type"):
            import_private_key(exported, wrong)


@pytest.mark.parametrize("key_type", [CKK.RSA, CKK.EC])
@pytest.mark.parametrize("kind", [ed25519.Ed25519PrivateKey, x25519.X25519PrivateKey])
def test_a_private_key_of_a_type_that_the_token_does_not_have_is_refused(
    kind: type[ed25519.Ed25519PrivateKey | x25519.X25519PrivateKey], key_type: CKK
) -> None:
    with pytest.raises(Pkcs11Error, match="another type") as refused:
        import_private_key(private_key_info(kind.generate()), key_type)
    assert refused.value.rv is CKR.WRAPPED_KEY_INVALID


def test_no_private_key_info_is_decoded_that_is_longer_than_any_key(monkeypatch: pytest.MonkeyPatch) -> None:
    decoded: list[int] = []

    def noted(data: bytes, **_: object) -> None:
        decoded.append(len(data))
        raise ValueError

    monkeypatch.setattr(pkcs8, "load_der_private_key", noted)
    for size in (LARGEST_KEY, LARGEST_KEY + 1, 1 << 20):
        data = b"\x30\x83" + (size - 5).to_bytes(3, "big") + bytes(size - 5)
        with pytest.raises(Pkcs11Error, match="not a PKCS#8 private key"):
            import_private_key(data, CKK.RSA)
    assert decoded == [LARGEST_KEY]


def test_a_secret_key_is_not_exported_as_a_private_one() -> None:
    with pytest.raises(Pkcs11Error):
        export_private_key(KeyMaterial(imported(sample("AES key"))))


def test_a_private_key_on_a_curve_that_the_token_does_not_have_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The library reads no other curve today, but may have more some day."""
    monkeypatch.setattr(ec_keys, "CURVES", Curves(*(curve for curve in ec_keys.CURVES if curve.name != "P-192")))
    with pytest.raises(Pkcs11Error, match="on a curve that the token does not have") as refused:
        import_private_key(private_key_info(ec.generate_private_key(ec.SECP192R1())), CKK.EC)
    assert refused.value.rv is CKR.WRAPPED_KEY_INVALID


def private_key_info(
    key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | x25519.X25519PrivateKey,
) -> bytes:
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def test_a_private_key_info_short_enough_for_one_byte_of_length_is_read() -> None:
    """An EC key whose public half is left out, as some tokens write it."""
    value = ec_key().private_numbers().private_value.to_bytes(32, "big")
    key = bytes.fromhex("30250201010420") + value
    info = bytes.fromhex("3041020100301306072a8648ce3d020106082a8648ce3d0301070427") + key
    assert import_private_key(info + bytes(13), CKK.EC)[CKA.VALUE] == value
    with pytest.raises(Pkcs11Error, match="not a PKCS#8 private key"):
        import_private_key(info + bytes(12) + b"\1", CKK.EC)


@pytest.mark.parametrize("kind", ["AES key", "RSA public key", "EC public key"])
def test_only_a_private_key_is_exported_as_one(kind: str) -> None:
    with pytest.raises(Pkcs11Error) as refused:
        export_private_key(KeyMaterial(imported(sample(kind))))
    assert refused.value.rv is (CKR.KEY_TYPE_INCONSISTENT if kind == "AES key" else CKR.KEY_NOT_WRAPPABLE)


def test_sealed_parts_that_make_no_key_are_an_error_and_no_crash() -> None:
    key = KeyMaterial({**imported(sample("EC private key")), CKA.VALUE: bytes(32)})
    with pytest.raises(Pkcs11Error, match="do not make a key") as refused:
        key.native()
    assert refused.value.rv is CKR.GENERAL_ERROR


@pytest.mark.parametrize("attribute", [CKA.CLASS, CKA.KEY_TYPE])
def test_a_class_or_type_that_is_no_number_is_no_key(attribute: CKA) -> None:
    with pytest.raises(Pkcs11Error) as refused:
        KeyMaterial({**imported(sample("AES key")), attribute: b"secret key"})
    assert refused.value.rv is CKR.KEY_HANDLE_INVALID


def test_secrets_of_an_object_are_secret_bytes() -> None:
    made = imported(sample("RSA private key"))
    for part in (CKA.PRIVATE_EXPONENT, *CRT_PARTS):
        assert isinstance(made[part], SecretBytes)
    assert AES_KEY.hex() not in repr(imported(sample("AES key")))
    assert made[CKA.KEY_GEN_MECHANISM] not in list(CKM)
