# SPDX-License-Identifier: Apache-2.0
"""ECDSA at its edges: digests of any size, signatures of fixed width, numbers that are no signature."""

from hashlib import sha256

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from softee.names import CKM
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.keys.ec import public_key
from support import keys
from support import mechanism_runs as run

CURVES = {ec.SECP192R1: 24, ec.SECP224R1: 28, ec.SECP256R1: 32, ec.SECP384R1: 48, ec.SECP521R1: 66}
"""By curve: bytes of its field."""

P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
every_curve = pytest.mark.parametrize("curve", CURVES, ids=lambda curve: curve.name)


@every_curve
@pytest.mark.parametrize("size", [1, 20, 24, 31, 32, 33, 64, 65, 66, 67, 1000])
def test_raw_signature_of_a_digest_of_any_size(curve: type[ec.EllipticCurve], size: int) -> None:
    key, digest = keys.ec_pair(curve), bytes(range(1, 256)) * 4
    signature = run.sign(CKM.ECDSA, key, b"", [digest[:size]])
    assert len(signature) == 2 * CURVES[curve]
    run.verify(CKM.ECDSA, key, b"", [digest[:size]], signature)


@every_curve
def test_what_is_beyond_the_curves_order_does_not_count(curve: type[ec.EllipticCurve]) -> None:
    key, width = keys.ec_pair(curve), CURVES[curve]
    digest = b"\xa5" * width
    signature = run.sign(CKM.ECDSA, key, b"", [digest + b"more"])
    run.verify(CKM.ECDSA, key, b"", [digest], signature)
    run.verify(CKM.ECDSA, key, b"", [digest + b"other"], signature)
    with pytest.raises(Pkcs11Error, match="SIGNATURE_INVALID"):
        run.verify(CKM.ECDSA, key, b"", [b"\xa4" + digest[1:]], signature)


@every_curve
def test_no_two_signatures_share_their_nonce(curve: type[ec.EllipticCurve]) -> None:
    """Else the private key follows from them. That the bits of the nonces are even is the library's to hold."""
    key, width = keys.ec_pair(curve), CURVES[curve]
    firsts = {run.sign(CKM.ECDSA, key, b"", [b"the same digest"])[:width] for _ in range(64)}
    assert len(firsts) == 64


def test_raw_and_hashed_signatures_are_the_librarys() -> None:
    key, data = keys.ec_pair(), b"data"
    for signature in (
        run.sign(CKM.ECDSA_SHA256, key, b"", [data]),
        run.sign(CKM.ECDSA, key, b"", [sha256(data).digest()]),
    ):
        r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
        public_key(key).verify(encode_dss_signature(r, s), data, ec.ECDSA(hashes.SHA256()))


def test_no_digest_is_refused_as_op_tee_does() -> None:
    with pytest.raises(Pkcs11Error, match="FUNCTION_FAILED: there is no digest"):
        run.sign(CKM.ECDSA, keys.ec_pair(), b"", [b""])
    with pytest.raises(Pkcs11Error, match="FUNCTION_FAILED: there is no digest"):
        run.verify(CKM.ECDSA, keys.ec_pair(), b"", [], bytes(64))


def test_no_data_can_be_hashed_and_signed() -> None:
    key = keys.ec_pair()
    run.verify(CKM.ECDSA_SHA256, key, b"", [], run.sign(CKM.ECDSA_SHA256, key, b"", []))


@pytest.mark.parametrize("r", [0, 1, P256_ORDER - 1, P256_ORDER, 2**256 - 1])
@pytest.mark.parametrize("s", [0, 1, P256_ORDER - 1, P256_ORDER, 2**256 - 1])
def test_numbers_at_the_ends_of_their_range_are_no_signature(r: int, s: int) -> None:
    with pytest.raises(Pkcs11Error, match="SIGNATURE_INVALID"):
        run.verify(CKM.ECDSA, keys.ec_pair(), b"", [bytes(32)], r.to_bytes(32, "big") + s.to_bytes(32, "big"))


@pytest.mark.parametrize("size", [0, 1, 63, 65, 70, 128])
def test_signature_of_another_width_is_refused(size: int) -> None:
    """Those in DER among them."""
    with pytest.raises(Pkcs11Error, match=f"SIGNATURE_LEN_RANGE: signature of {size} bytes where the key makes 64"):
        run.verify(CKM.ECDSA, keys.ec_pair(), b"", [bytes(32)], bytes(size))
