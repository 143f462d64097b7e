# SPDX-License-Identifier: Apache-2.0
"""Mechanism parameters on the wire: each field's limits, and what is said when one is passed."""

import pytest

from softee.names import CKG, CKM, CKR
from softee.names.mechanism_layouts import LAYOUTS, Use
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.mechanisms.aes.ctr import CounterBlock
from softee.pkcs11_ta.mechanisms.rsa.oaep import OaepParams
from softee.pkcs11_ta.mechanisms.rsa.pss import PssParams
from softee.pkcs11_ta.mechanisms.shapes.hash_functions import SHA1, SHA3_256, SHA3_384, SHA256, SHA512
from softee.pkcs11_ta.mechanisms.table import MECHANISMS
from support.mechanism_runs import u32

BLOCK = bytes(range(16))
PSS, OAEP = MECHANISMS[CKM.RSA_PKCS_PSS], MECHANISMS[CKM.RSA_PKCS_OAEP]
CTR, CBC, CMAC = MECHANISMS[CKM.AES_CTR], MECHANISMS[CKM.AES_CBC], MECHANISMS[CKM.AES_CMAC_GENERAL]


def test_pss_names_its_hash_and_mask_functions() -> None:
    decoded = PSS.parameter(u32(CKM.SHA256, CKG.MGF1_SHA512, 11))
    assert (decoded.hash, decoded.mgf, decoded.salt) == (SHA256, SHA512, 11)


@pytest.mark.parametrize(
    "raw",
    [
        u32(CKM.MD5, CKG.MGF1_SHA1, 16),
        u32(CKM.SHA512_256, CKG.MGF1_SHA256, 32),
        u32(CKM.SHA256_HMAC, CKG.MGF1_SHA256, 32),
        u32(0, CKG.MGF1_SHA256, 32),
        u32(CKM.BLAKE2B_256, CKG.MGF1_SHA256, 32),
        u32(CKM.SHA256, 0, 32),
    ],
)
def test_pss_and_oaep_refuse_unknown_functions(raw: bytes) -> None:
    with pytest.raises(Pkcs11Error, match=r"MECHANISM_PARAM_INVALID: (hashAlg|mgf)"):
        PSS.parameter(raw)
    with pytest.raises(Pkcs11Error, match=r"MECHANISM_PARAM_INVALID: (hashAlg|mgf)"):
        OAEP.parameter(raw[:8] + u32(1, 0))


def test_pss_takes_sha_3_and_oaep_does_not() -> None:
    """`cryptography` has no OAEP with it."""
    raw = u32(CKM.SHA3_256, CKG.MGF1_SHA3_384, 11)
    decoded = PSS.parameter(raw)
    assert (decoded.hash, decoded.mgf) == (SHA3_256, SHA3_384)
    for other in (raw[:8], u32(CKM.SHA256, CKG.MGF1_SHA3_256), u32(CKM.SHA3_256, CKG.MGF1_SHA256)):
        with pytest.raises(Pkcs11Error, match=r"MECHANISM_PARAM_INVALID: .* neither may be SHA-3 in OAEP"):
            OAEP.parameter(other + u32(1, 0))


def test_oaep_has_a_label_or_none() -> None:
    head = u32(CKM.SHA_1, CKG.MGF1_SHA1)
    assert OAEP.parameter(head + u32(1, 3) + b"abc").label == b"abc"
    assert OAEP.parameter(head + u32(1, 0)).label == b""
    assert OAEP.parameter(head + u32(1, 0)).hash is SHA1


def test_oaep_without_a_source_is_oaep_without_a_label() -> None:
    """pkcs11-tool --test and OpenSSL's engine send source 0; OP-TEE fails on it."""
    assert OAEP.parameter(u32(CKM.SHA_1, CKG.MGF1_SHA1, 0, 0)).label == b""


@pytest.mark.parametrize(
    "tail", [u32(0, 3) + b"abc", u32(2, 0), u32(2, 3) + b"abc", u32(1, 4) + b"abc", u32(1, 2**32 - 1)]
)
def test_oaep_refuses_other_sources_and_labels_that_are_cut(tail: bytes) -> None:
    with pytest.raises(Pkcs11Error) as caught:
        OAEP.parameter(u32(CKM.SHA_1, CKG.MGF1_SHA1) + tail)
    assert caught.value.rv is CKR.MECHANISM_PARAM_INVALID


@pytest.mark.parametrize("bits", [1, 2, 32, 127, 128])
def test_counter_may_have_1_to_128_bits(bits: int) -> None:
    assert CTR.parameter(u32(bits) + BLOCK) == CounterBlock(bits, BLOCK)


@pytest.mark.parametrize("bits", [0, 129, 2**32 - 1])
def test_counter_of_other_sizes_is_refused(bits: int) -> None:
    with pytest.raises(Pkcs11Error, match="MECHANISM_PARAM_INVALID: ulCounterBits"):
        CTR.parameter(u32(bits) + BLOCK)


@pytest.mark.parametrize("length", [0, 17, 2**32 - 1])
def test_mac_of_no_bytes_or_too_many_is_refused_as_op_tee_does(length: int) -> None:
    with pytest.raises(Pkcs11Error, match=f"SIGNATURE_LEN_RANGE: a MAC of {length} bytes"):
        CMAC.parameter(u32(length))


def test_mac_may_have_1_byte_to_all() -> None:
    assert [CMAC.parameter(u32(length)) for length in (1, 16)] == [1, 16]


@pytest.mark.parametrize("size", [0, 8, 15, 17, 32])
def test_initialization_vector_has_16_bytes(size: int) -> None:
    with pytest.raises(Pkcs11Error, match=f"MECHANISM_PARAM_INVALID: an initialization vector of {size} bytes"):
        CBC.parameter(bytes(size))


def test_parameters_as_op_tees_library_sends_them() -> None:
    """Recorded from pkcs11-tool and OP-TEE's own tests."""
    counter = CTR.parameter(bytes.fromhex("01000000" + "00" * 16))
    assert counter == CounterBlock(1, bytes(16))
    pss = PSS.parameter(bytes.fromhex("500200000200000020000000"))
    assert pss == PssParams(SHA256, SHA256, 32)
    oaep = OAEP.parameter(bytes.fromhex("50020000020000000000000000000000"))
    assert oaep == OaepParams(SHA256, SHA256, b"")
    assert CMAC.parameter(bytes.fromhex("08000000")) == 8


def test_every_layout_is_described_for_the_page_of_mechanisms() -> None:
    assert LAYOUTS[CKM.RSA_AES_KEY_WRAP, Use.OPERATION].described() == (
        "ulAESKeyBits: u32, hashAlg: u32, mgf: u32, source: u32, pSourceData: u32 size, bytes"
    )
    assert all(layout.described() for layout in LAYOUTS.values())
