# SPDX-License-Identifier: Apache-2.0
"""Stock pkcs11-tool with curves beyond OP-TEE's walkthrough: signatures and secrets that others come to, too.

Edwards and Montgomery keys are made on tokens of their own: libp11 0.4.12 finds no key where there is one that it does
not know, and other tests use it.
"""

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, utils
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_public_key,
    load_pem_public_key,
)

from interop.tools import Programs, key_id


def read_public_key(token: Programs, label: str) -> object:
    """Return the key that pkcs11-tool reads, in DER or in PEM."""
    token.p11("--read-object", "--type", "pubkey", "--label", label, "--output-file", "public")
    read = (token.directory / "public").read_bytes()
    return load_pem_public_key(read) if read.startswith(b"-----") else load_der_public_key(read)


def signature_of(token: Programs, label: str, mechanism: str) -> bytes:
    (token.directory / "text").write_bytes(b"hello")
    token.p11_in("--sign", "--mechanism", mechanism, "--id", key_id(label), "-i", "text", "-o", "signature")
    checked = ("--mechanism", mechanism, "--id", key_id(label), "-i", "text", "--signature-file", "signature")
    assert "Signature is valid" in token.p11_in("--verify", *checked)
    return (token.directory / "signature").read_bytes()


def test_an_ed25519_signature_verifies_outside(programs: Programs) -> None:
    programs.init_token()
    answer = programs.generate("EC:edwards25519", "ed25519 signer")
    assert "Public Key Object; EC_EDWARDS" in answer
    key = read_public_key(programs, "ed25519 signer")
    assert isinstance(key, ed25519.Ed25519PublicKey)
    key.verify(signature_of(programs, "ed25519 signer", "EDDSA"), b"hello")


@pytest.mark.parametrize("name", ["secp256k1", "brainpoolP256r1"])
def test_a_signature_on_a_curve_of_others_verifies_outside(token: Programs, name: str) -> None:
    token.generate(f"EC:{name}", name)
    raw = signature_of(token, name, "ECDSA-SHA256")
    r, s = (int.from_bytes(half, "big") for half in (raw[:32], raw[32:]))
    key = read_public_key(token, name)
    assert isinstance(key, ec.EllipticCurvePublicKey)
    assert key.curve.name == name
    key.verify(utils.encode_dss_signature(r, s), b"hello", ec.ECDSA(hashes.SHA256()))


def test_a_montgomery_key_pair_is_made(programs: Programs) -> None:
    programs.init_token()
    assert "EC_MONTGOMERY" in programs.generate("EC:curve25519", "x25519")


def test_a_secret_is_shared_with_somebody_outside(token: Programs) -> None:
    token.generate("EC:prime256v1", "ours", "--usage-derive")
    other = ec.generate_private_key(ec.SECP256R1())
    peer = other.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    (token.directory / "peer.der").write_bytes(peer)
    token.p11_in("--derive", "--mechanism", "ECDH1-DERIVE", "--id", key_id("ours"), "-i", "peer.der", "-o", "secret")
    ours = read_public_key(token, "ours")
    assert isinstance(ours, ec.EllipticCurvePublicKey)
    assert (token.directory / "secret").read_bytes() == other.exchange(ec.ECDH(), ours)
