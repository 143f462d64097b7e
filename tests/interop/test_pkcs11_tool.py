# SPDX-License-Identifier: Apache-2.0
"""Stock pkcs11-tool: what OP-TEE's documentation does by hand, for all key types."""

import re
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
from cryptography.hazmat.primitives.serialization import load_der_public_key

from interop.tools import PIN, SO_PIN, Programs, key_id

KEY_TYPES = ("EC:prime256v1", "EC:secp384r1", "EC:secp521r1", "rsa:2048", "rsa:4096")
SLOT = re.compile(r"^Slot \d \(0x\d\): OP-TEE PKCS11 TA - TEE UUID ([0-9a-f-]{36})$", re.MULTILINE)


def test_show_info_is_op_tees(programs: Programs) -> None:
    answer = programs.p11("--show-info")
    assert "Cryptoki version 2.40\n" in answer
    assert re.search(r"^Manufacturer +Linaro$", answer, re.MULTILINE)
    assert "OP-TEE PKCS11 Cryptoki library (ver 0.1)" in answer


def test_three_uninitialized_slots_share_the_uuid_of_the_installation(programs: Programs) -> None:
    answer = programs.p11("--list-slots")
    uuids = SLOT.findall(answer)
    assert len(uuids) == 3
    assert len(set(uuids)) == 1
    assert answer.count("token state:   uninitialized") == 3
    assert SLOT.findall(programs.p11("--list-slots")) == uuids


def test_a_token_is_initialized_and_its_flags_say_so(programs: Programs) -> None:
    assert "Token successfully initialized" in programs.p11("--init-token", "--label", "mytoken", "--so-pin", SO_PIN)
    assert "User PIN successfully initialized" in programs.p11(
        "--label", "mytoken", "--login", "--so-pin", SO_PIN, "--init-pin", "--pin", PIN
    )
    answer = programs.p11("--list-slots")
    assert "token label        : mytoken\n" in answer
    assert "token manufacturer : Linaro\n" in answer
    assert "token model        : OP-TEE TA\n" in answer
    assert "token flags        : login required, rng, token initialized, PIN initialized, other flags=0x220\n" in answer
    assert "pin min/max        : 4/128\n" in answer
    assert answer.count("uninitialized") == 2


def test_serial_numbers_are_unique(programs: Programs) -> None:
    for slot in range(3):
        programs.init_token(slot=slot, label=f"token{slot}")
    serials = re.findall(r"serial num +: (\w+)", programs.p11("--list-slots"))
    assert len(set(serials)) == 3


@pytest.mark.parametrize("key_type", KEY_TYPES)
def test_key_pairs_of_all_types_stay_in_the_token(token: Programs, key_type: str) -> None:
    answer = token.generate(key_type, f"pair {key_type}")
    assert "Access:     sensitive, always sensitive, never extractable, local" in answer
    assert token.p11_in("--list-objects", "--type", "privkey").count(f"label:      pair {key_type}") == 1


def test_secret_keys_are_generated(token: Programs) -> None:
    assert "Secret Key Object; AES length 32" in token.p11_in("--keygen", "--key-type", "AES:32", "--label", "aes")
    assert "Secret Key Object; Generic secret length 64" in token.p11_in(
        "--keygen", "--key-type", "GENERIC:64", "--label", "generic"
    )


def test_an_aes_key_of_20_bytes_is_refused(token: Programs) -> None:
    assert "CKR_KEY_SIZE_RANGE" in token.p11_in("--keygen", "--key-type", "AES:20", fails=True)


def test_a_curve_that_the_token_does_not_have_is_refused(token: Programs) -> None:
    curve = ("--keypairgen", "--key-type", "EC:brainpoolP224r1")
    answer = token.p11_in(*curve, "--label", "small", fails=True)
    assert "(0x140)" in answer, "CKR_CURVE_NOT_SUPPORTED, which not every pkcs11-tool has a name for"
    assert "small" not in token.p11_in("--list-objects")


def test_pkcs11_tools_own_test_passes_with_rsa_and_ec_keys(programs: Programs) -> None:
    programs.init_token()
    programs.generate("EC:prime256v1", "ec", "--id", "01")
    programs.generate("rsa:2048", "rsa", "--id", "02")
    assert "No errors" in programs.p11_in("--test")


@pytest.mark.parametrize("key_type", ["EC:prime256v1", "EC:secp384r1", "EC:secp521r1"])
def test_pkcs11_tools_own_test_of_ec_passes(programs: Programs, key_type: str) -> None:
    """It makes a key pair, gives it other names, signs, and deletes it: so it wants a session that writes."""
    programs.init_token()
    answer = programs.p11_in("--session-rw", "--test-ec", "--id", "01", "--key-type", key_type)
    assert answer.endswith("==> OK\n")
    assert "Key Object" not in programs.p11_in("--list-objects")


def test_pkcs11_tools_own_test_of_a_forked_child_passes(token: Programs) -> None:
    answer = token.p11_in("--test-fork", "--list-token-slots")
    assert "Calling C_Initialize in forked child process" in answer
    assert "CKR_" not in answer
    assert "token label        : mytoken" in answer


def read_public_key(token: Programs, label: str) -> object:
    token.p11("--read-object", "--type", "pubkey", "--label", label, "--output-file", "public.der")
    return load_der_public_key((token.directory / "public.der").read_bytes())


def test_an_ecdsa_signature_verifies_outside(token: Programs) -> None:
    token.generate("EC:prime256v1", "ec signer")
    (token.directory / "text").write_bytes(b"hello")
    arguments = ("--mechanism", "ECDSA-SHA384", "--id", key_id("ec signer"), "-i", "text", "-o", "signature")
    token.p11_in("--sign", *arguments)
    raw = (token.directory / "signature").read_bytes()
    r, s = (int.from_bytes(half, "big") for half in (raw[:32], raw[32:]))
    key = read_public_key(token, "ec signer")
    assert isinstance(key, ec.EllipticCurvePublicKey)
    key.verify(utils.encode_dss_signature(r, s), b"hello", ec.ECDSA(hashes.SHA384()))


def test_an_rsa_signature_verifies_outside(token: Programs) -> None:
    token.generate("rsa:2048", "rsa signer")
    (token.directory / "text").write_bytes(b"hello")
    arguments = ("--mechanism", "SHA256-RSA-PKCS", "--id", key_id("rsa signer"), "-i", "text", "-o", "signature")
    token.p11_in("--sign", *arguments)
    key = read_public_key(token, "rsa signer")
    assert isinstance(key, rsa.RSAPublicKey)
    key.verify((token.directory / "signature").read_bytes(), b"hello", padding.PKCS1v15(), hashes.SHA256())


def test_a_certificate_is_written_and_read_back(token: Programs) -> None:
    token.run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
              "-keyout", "key.pem", "-subj", "/CN=kept", "-outform", "DER", "-out", "cert.der")  # fmt: skip
    token.p11_in("--write-object", "cert.der", "--type", "cert", "--label", "kept", "--id", "0a")
    token.p11("--read-object", "--type", "cert", "--label", "kept", "--output-file", "back.der")
    assert same(token.directory / "cert.der", token.directory / "back.der")


@pytest.mark.parametrize("size", [1, 5000])
def test_data_is_written_and_read_back(token: Programs, size: int) -> None:
    """5000 bytes are the most that pkcs11-tool writes, and more than OP-TEE's heap holds."""
    (token.directory / "data").write_bytes(bytes(i % 251 for i in range(size)))
    name = ("--type", "data", "--label", f"data {size}")
    token.p11_in("--write-object", "data", *name, "--private")
    token.p11_in("--read-object", *name, "--output-file", "back")
    assert same(token.directory / "data", token.directory / "back")
    token.p11_in("--delete-object", *name)
    assert f"data {size}" not in token.p11_in("--list-objects", "--type", "data")


def same(one: Path, other: Path) -> bool:
    return one.read_bytes() == other.read_bytes()


def test_private_objects_are_not_seen_before_login(token: Programs) -> None:
    (token.directory / "data").write_bytes(b"secret")
    token.p11_in("--write-object", "data", "--type", "data", "--label", "behind the PIN", "--private")
    assert "behind the PIN" not in token.p11("--list-objects", "--type", "data")
    assert "behind the PIN" in token.p11_in("--list-objects", "--type", "data")


@pytest.mark.parametrize(
    ("pin", "refusal"), [("54321", "CKR_PIN_INCORRECT"), ("1", "CKR_PIN_INCORRECT"), ("9" * 129, "CKR_PIN_INCORRECT")]
)
def test_a_wrong_pin_is_refused_as_op_tee_does(programs: Programs, pin: str, refusal: str) -> None:
    programs.init_token()
    assert refusal in programs.p11("--login", "--pin", pin, "--list-objects", fails=True)


def test_the_seventh_wrong_pin_locks_it_and_the_so_unlocks(programs: Programs) -> None:
    programs.init_token()
    for _ in range(6):
        assert "CKR_PIN_INCORRECT" in programs.p11("--login", "--pin", "54321", "--list-objects", fails=True)
    assert "CKR_PIN_LOCKED" in programs.p11("--login", "--pin", "54321", "--list-objects", fails=True)
    assert "CKR_PIN_LOCKED" in programs.p11_in("--list-objects", fails=True)
    assert "user PIN locked" in programs.p11("--list-slots")
    programs.p11("--login", "--so-pin", SO_PIN, "--init-pin", "--pin", PIN)
    programs.p11_in("--list-objects")


def test_random_bytes_differ(token: Programs) -> None:
    for name in ("one", "two"):
        token.p11("--generate-random", "32", "--output-file", name)
    assert not same(token.directory / "one", token.directory / "two")


def test_a_listing_of_everything_shows_no_profiles(programs: Programs) -> None:
    programs.init_token()
    programs.generate("EC:prime256v1", "listed")
    for listed in (programs.p11("--list-objects"), programs.p11_in("--list-objects")):
        assert "Public Key Object" in listed
        assert "Profile object" not in listed
