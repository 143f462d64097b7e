# SPDX-License-Identifier: Apache-2.0
"""pkcs11-tool 0.27, which Debian 14 has, makes ML-DSA and ML-KEM keys, signs and verifies. It encapsulates nothing."""

import pytest

from interop.clients.debian import Debian

SIGNING = ("ML-DSA-44", "ML-DSA-65", "ML-DSA-87")
ENCAPSULATING = ("ML-KEM-512", "ML-KEM-768", "ML-KEM-1024")
USAGE = {"ML-DSA": ("sign", "verify"), "ML-KEM": ("decapsulate", "encapsulate")}


@pytest.fixture
def tool(debian14: Debian) -> Debian:
    """Debian 14 with a token."""
    debian14.init_token()
    return debian14


def generate(tool: Debian, key_type: str) -> str:
    return tool.p11_in("--keypairgen", "--key-type", key_type, "--label", "key", "--id", "01")


@pytest.mark.parametrize("key_type", [*SIGNING, *ENCAPSULATING])
def test_a_pair_is_made_and_its_public_half_is_what_openssl_reads(tool: Debian, key_type: str) -> None:
    made = generate(tool, key_type)
    private, public = USAGE[key_type[:6]]
    assert f"Private Key Object; {key_type}" in made
    assert f"Usage:      {private}\n" in made
    assert f"Usage:      {public}\n" in made
    assert "Access:     sensitive, always sensitive, never extractable, local" in made
    tool.p11_in("--read-object", "--type", "pubkey", "--id", "01", "--output-file", "key.pub")
    assert f"{key_type} Public-Key:" in tool.run("openssl", "pkey", "-pubin", "-in", "key.pub", "-noout", "-text")


@pytest.mark.parametrize("key_type", SIGNING)
@pytest.mark.parametrize("mechanism", ["ML-DSA", "HASH-ML-DSA-SHA256", "HASH-ML-DSA-SHA3_512", "HASH-ML-DSA-SHAKE128"])
def test_what_is_signed_verifies_and_nothing_else(tool: Debian, key_type: str, mechanism: str) -> None:
    generate(tool, key_type)
    (tool.directory / "text").write_text("hello\n")
    what = ("--mechanism", mechanism, "--id", "01", "--input-file", "text")
    tool.p11_in("--sign", *what, "--output-file", "signature")
    verify = ("--verify", *what, "--signature-file", "signature")
    assert "Signature is valid" in tool.p11_in(*verify)
    if mechanism == "ML-DSA":
        tool.p11_in("--read-object", "--type", "pubkey", "--id", "01", "--output-file", "key.pub")
        outside = (
            "pkeyutl",
            "-verify",
            "-pubin",
            "-inkey",
            "key.pub",
            "-rawin",
            "-in",
            "text",
            "-sigfile",
            "signature",
        )
        assert "Signature Verified Successfully" in tool.run("openssl", *outside)
    (tool.directory / "text").write_text("hullo\n")
    assert "Invalid signature" in tool.p11_in(*verify, fails=True)
