# SPDX-License-Identifier: Apache-2.0
"""Key material: imported parts must belong together, missing ones are computed, and a key is loaded from them."""

from collections.abc import Callable
from importlib import import_module
from pkgutil import iter_modules

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, x25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from softee.names import CKA, CKK, CKM, CKO, CKR
from softee.pkcs11_ta import keys as package
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.attributes.secret_bytes import SecretBytes
from softee.pkcs11_ta.keys import ec as ec_keys
from softee.pkcs11_ta.keys import pkcs8
from softee.pkcs11_ta.keys.curves import Curve, Curves, curve_name, oid
from softee.pkcs11_ta.keys.material import KeyMaterial
from softee.pkcs11_ta.keys.pkcs8 import LARGEST_KEY, export_private_key, import_private_key
from softee.pkcs11_ta.keys.table import KEY_TYPES, find_key_type
from support.importing import imported, refusal
from support.samples import IN_PKCS8, KEY_PAIRS, KEYS, sample
from support.samples.aes import AES_KEY
from support.samples.ec import P256, ec_key

CRT_PARTS = (CKA.PRIME_1, CKA.PRIME_2, CKA.EXPONENT_1, CKA.EXPONENT_2, CKA.COEFFICIENT)


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
