# SPDX-License-Identifier: Apache-2.0
"""RSA mechanisms at their edges: how much fits, which digests and salts, what a bad ciphertext gives."""

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from softee.names import CKG, CKM
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.keys.rsa import public_key
from softee.pkcs11_ta.keys.view import KeyView
from softee.pkcs11_ta.mechanisms.functions import Signing
from softee.pkcs11_ta.mechanisms.table import MECHANISMS
from support import keys
from support import mechanism_runs as run
from support.mechanism_runs import u32

KEY = keys.rsa_pair(1024)
SIZE = 128
SHA256_PSS = (CKM.SHA256, CKG.MGF1_SHA256)
SHA1_OAEP = u32(CKM.SHA_1, CKG.MGF1_SHA1, 1, 0)


@pytest.mark.parametrize("size", [0, 1, SIZE - 11])
def test_raw_pkcs1_signs_up_to_11_bytes_less_than_the_modulus(size: int) -> None:
    signature = run.sign(CKM.RSA_PKCS, KEY, b"", [bytes(size)])
    run.verify(CKM.RSA_PKCS, KEY, b"", [bytes(size)], signature)


@pytest.mark.parametrize("size", [SIZE - 10, 1000])
def test_data_too_long_for_the_key_is_refused(size: int) -> None:
    """It panics OP-TEE's application."""
    with pytest.raises(Pkcs11Error, match=f"DATA_LEN_RANGE: {size} bytes"):
        run.sign(CKM.RSA_PKCS, KEY, b"", [bytes(size)])
    with pytest.raises(Pkcs11Error, match=f"DATA_LEN_RANGE: {size} bytes"):
        run.verify(CKM.RSA_PKCS, KEY, b"", [bytes(size)], bytes(SIZE))
    with pytest.raises(Pkcs11Error, match=f"DATA_LEN_RANGE: {size} bytes"):
        run.encrypt(CKM.RSA_PKCS, KEY, b"", bytes(size))


@pytest.mark.parametrize("signature", [bytes(SIZE), b"\xff" * SIZE, bytes(SIZE - 1) + b"\x01"])
@pytest.mark.parametrize("mechanism", [CKM.RSA_PKCS, CKM.SHA256_RSA_PKCS])
def test_numbers_that_are_no_signature_are_refused(mechanism: CKM, signature: bytes) -> None:
    """Zero, one, and more than the modulus."""
    with pytest.raises(Pkcs11Error, match="SIGNATURE_INVALID"):
        run.verify(mechanism, KEY, b"", [b"data"], signature)


def test_signature_over_another_padding_is_refused() -> None:
    pss = run.sign(CKM.SHA256_RSA_PKCS_PSS, KEY, u32(*SHA256_PSS, 32), [b"data"])
    with pytest.raises(Pkcs11Error, match="SIGNATURE_INVALID"):
        run.verify(CKM.SHA256_RSA_PKCS, KEY, b"", [b"data"], pss)


def test_keys_of_odd_sizes_sign_in_whole_bytes() -> None:
    odd = keys.rsa_pair(1025)
    signature = run.sign(CKM.SHA1_RSA_PKCS, odd, b"", [b"data"])
    assert len(signature) == 129
    run.verify(CKM.SHA1_RSA_PKCS, odd, b"", [b"data"], signature)
    longest = run.sign(CKM.SHA1_RSA_PKCS_PSS, odd, u32(CKM.SHA_1, CKG.MGF1_SHA1, 106), [b"data"])
    run.verify(CKM.SHA1_RSA_PKCS_PSS, odd, u32(CKM.SHA_1, CKG.MGF1_SHA1, 106), [b"data"], longest)
    with pytest.raises(Pkcs11Error, match="KEY_SIZE_RANGE: salt of 107 bytes"):
        run.sign(CKM.SHA1_RSA_PKCS_PSS, odd, u32(CKM.SHA_1, CKG.MGF1_SHA1, 107), [b"data"])


@pytest.mark.parametrize("salt", [0, 32, SIZE - 34])
def test_pss_salt_may_be_anything_that_fits(salt: int) -> None:
    parameter = u32(*SHA256_PSS, salt)
    signature = run.sign(CKM.SHA256_RSA_PKCS_PSS, KEY, parameter, [b"data"])
    run.verify(CKM.SHA256_RSA_PKCS_PSS, KEY, parameter, [b"data"], signature)
    with pytest.raises(Pkcs11Error, match="SIGNATURE_INVALID"):
        run.verify(CKM.SHA256_RSA_PKCS_PSS, KEY, u32(*SHA256_PSS, salt - 1 if salt else 1), [b"data"], signature)


@pytest.mark.parametrize("salt", [SIZE - 33, 2**31, 2**32 - 1])
@pytest.mark.parametrize("mechanism", [CKM.RSA_PKCS_PSS, CKM.SHA256_RSA_PKCS_PSS])
def test_pss_salt_that_does_not_fit_is_refused_at_the_beginning(mechanism: CKM, salt: int) -> None:
    spec = MECHANISMS[mechanism]
    with pytest.raises(Pkcs11Error, match=f"KEY_SIZE_RANGE: salt of {salt} bytes"):
        spec.of(Signing).sign(KEY, spec.parameter(u32(*SHA256_PSS, salt)))


@pytest.mark.parametrize("size", [0, 20, 31, 33, 64])
def test_raw_pss_takes_a_digest_of_its_hash_function_only(size: int) -> None:
    with pytest.raises(Pkcs11Error, match=f"DATA_LEN_RANGE: {size} bytes where a digest by sha256 has 32"):
        run.sign(CKM.RSA_PKCS_PSS, KEY, u32(*SHA256_PSS, 32), [bytes(size)])
    with pytest.raises(Pkcs11Error, match=f"DATA_LEN_RANGE: {size} bytes"):
        run.verify(CKM.RSA_PKCS_PSS, KEY, u32(*SHA256_PSS, 32), [bytes(size)], bytes(SIZE))


def test_hashed_pss_with_a_parameter_of_another_hash_is_refused() -> None:
    with pytest.raises(Pkcs11Error, match="MECHANISM_PARAM_INVALID: hashAlg 0x220 where"):
        MECHANISMS[CKM.SHA256_RSA_PKCS_PSS].parameter(u32(CKM.SHA_1, CKG.MGF1_SHA1, 20))


def test_pss_masks_may_be_generated_with_another_hash() -> None:
    parameter = u32(CKM.SHA256, CKG.MGF1_SHA1, 32)
    signature = run.sign(CKM.SHA256_RSA_PKCS_PSS, KEY, parameter, [b"data"])
    theirs = padding.PSS(padding.MGF1(hashes.SHA1()), 32)  # noqa: S303 - what callers may ask for
    public_key(KEY).verify(signature, b"data", theirs, hashes.SHA256())


@pytest.mark.parametrize("size", [0, 1, 127, 129, 256])
@pytest.mark.parametrize(("mechanism", "parameter"), [(CKM.RSA_PKCS, b""), (CKM.RSA_PKCS_OAEP, SHA1_OAEP)])
def test_ciphertext_of_another_size_is_refused(mechanism: CKM, parameter: bytes, size: int) -> None:
    with pytest.raises(Pkcs11Error, match=f"ENCRYPTED_DATA_LEN_RANGE: ciphertext of {size} bytes"):
        run.decrypt(mechanism, KEY, parameter, bytes(size))


def test_bad_pkcs1_padding_gives_the_same_random_bytes_each_time() -> None:
    first, second = (run.decrypt(CKM.RSA_PKCS, KEY, b"", b"\x01" * SIZE) for _ in range(2))
    assert first == second
    assert len(first) <= SIZE - 11


def test_number_above_the_modulus_does_not_decrypt() -> None:
    for mechanism, parameter in ((CKM.RSA_PKCS, b""), (CKM.RSA_PKCS_OAEP, SHA1_OAEP)):
        with pytest.raises(Pkcs11Error, match="ENCRYPTED_DATA_INVALID"):
            run.decrypt(mechanism, KEY, parameter, b"\xff" * SIZE)


def test_bad_oaep_is_refused_with_one_error() -> None:
    said = set()
    good = run.encrypt(CKM.RSA_PKCS_OAEP, KEY, SHA1_OAEP, b"message")
    for bad in (b"\x01" * SIZE, good[:-1] + bytes([good[-1] ^ 1]), run.encrypt(CKM.RSA_PKCS, KEY, b"", b"message")):
        with pytest.raises(Pkcs11Error) as caught:
            run.decrypt(CKM.RSA_PKCS_OAEP, KEY, SHA1_OAEP, bad)
        said.add(str(caught.value))
        assert caught.value.__cause__ is None
    assert len(said) == 1


@pytest.mark.parametrize("size", [0, SIZE - 42])
def test_oaep_takes_what_its_padding_leaves(size: int) -> None:
    encrypted = run.encrypt(CKM.RSA_PKCS_OAEP, KEY, SHA1_OAEP, bytes(size))
    assert run.decrypt(CKM.RSA_PKCS_OAEP, KEY, SHA1_OAEP, encrypted) == bytes(size)


def test_oaep_refuses_more_and_keys_without_room() -> None:
    with pytest.raises(Pkcs11Error, match="DATA_LEN_RANGE: 87 bytes where the key takes at most 86"):
        run.encrypt(CKM.RSA_PKCS_OAEP, KEY, SHA1_OAEP, bytes(SIZE - 41))
    no_room = u32(CKM.SHA512, CKG.MGF1_SHA512, 1, 0)
    assert run.encryption(CKM.RSA_PKCS_OAEP, KEY, no_room).one_shot_size(0) == SIZE
    with pytest.raises(Pkcs11Error, match="DATA_LEN_RANGE: 0 bytes where the key takes at most -2"):
        run.encrypt(CKM.RSA_PKCS_OAEP, KEY, no_room, b"")
    with pytest.raises(Pkcs11Error, match="ENCRYPTED_DATA_INVALID"):
        run.decrypt(CKM.RSA_PKCS_OAEP, KEY, no_room, bytes(SIZE))


def small_key() -> KeyView:
    """Return a 512-bit key, which may be imported though not generated."""
    p, q = 2**256 - 587, 2**256 - 617
    d = pow(3, -1, (p - 1) * (q - 1))
    numbers = rsa.RSAPrivateNumbers(p, q, d, d % (p - 1), d % (q - 1), pow(q, -1, p), rsa.RSAPublicNumbers(3, p * q))
    return keys.private_key(numbers.private_key())


@pytest.mark.parametrize("mechanism", [CKM.SHA256_RSA_PKCS, CKM.SHA512_RSA_PKCS])
def test_small_keys_sign_the_digests_that_they_have_room_for(mechanism: CKM) -> None:
    spec, key = MECHANISMS[mechanism], small_key()
    if mechanism is CKM.SHA256_RSA_PKCS:
        run.verify(mechanism, key, b"", [b"data"], run.sign(mechanism, key, b"", [b"data"]))
        return
    for begin in (spec.of(Signing).sign, spec.of(Signing).verify):
        with pytest.raises(Pkcs11Error, match="KEY_SIZE_RANGE: a modulus of 512 bits has no room for sha512"):
            begin(key, None)
