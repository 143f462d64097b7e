# SPDX-License-Identifier: Apache-2.0
"""RSA without a padding (CKM_RSA_X_509) at its edges, and the library behind it."""

import ctypes
from concurrent.futures import ThreadPoolExecutor

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from softee.names import CKM, CKR
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.keys.rsa import private_key, public_key
from softee.pkcs11_ta.mechanisms.functions import Recovering
from softee.pkcs11_ta.mechanisms.rsa import raw_openssl
from softee.pkcs11_ta.token.changes import PolicyChanges, changed
from softee.pkcs11_ta.token.profiles import OPTEE, PORTABLE, STRICT
from support import keys
from support import mechanism_runs as run
from support.commands import c
from support.object_calls import create
from support.token_world import Caller, make_application

KEY = keys.rsa_pair(1024)
MODULUS = public_key(KEY).public_numbers().n
SIZE = 128
RAW = CKM.RSA_X_509


def number(value: int) -> bytes:
    return value.to_bytes(SIZE, "big")


@pytest.mark.parametrize("data", [b"", b"\x01", b"\0\x02", bytes(range(1, SIZE)), number(MODULUS - 1)], ids=len)
def test_short_data_are_filled_up_with_zeros_on_the_left(data: bytes) -> None:
    filled, value = data.rjust(SIZE, b"\0"), int.from_bytes(data, "big")
    signature = run.sign(RAW, KEY, b"", [data])
    assert signature == number(pow(value, private_key(KEY).private_numbers().d, MODULUS))
    assert run.sign_recover(RAW, KEY, b"", data) == signature
    assert run.recover(RAW, KEY, b"", signature) == filled
    run.verify(RAW, KEY, b"", [data], signature)
    encrypted = run.encrypt(RAW, KEY, b"", data)
    assert encrypted == number(pow(value, 65537, MODULUS))
    assert run.decrypt(RAW, KEY, b"", encrypted) == filled


@pytest.mark.parametrize("size", [SIZE + 1, 1000])
def test_more_data_than_the_modulus_has_bytes_is_refused(size: int) -> None:
    for call in (
        lambda: run.sign(RAW, KEY, b"", [bytes(size)]),
        lambda: run.verify(RAW, KEY, b"", [bytes(size)], bytes(SIZE)),
        lambda: run.encrypt(RAW, KEY, b"", bytes(size)),
    ):
        with pytest.raises(Pkcs11Error, match=f"DATA_LEN_RANGE: {size} bytes"):
            call()


@pytest.mark.parametrize("value", [MODULUS, MODULUS + 1, (1 << 8 * SIZE) - 1], ids=["equal", "one more", "the most"])
def test_a_number_that_is_not_below_the_modulus_is_refused(value: int) -> None:
    data = number(value)
    with pytest.raises(Pkcs11Error, match="CKR_DATA_INVALID"):
        run.sign(RAW, KEY, b"", [data])
    with pytest.raises(Pkcs11Error, match="CKR_DATA_INVALID"):
        run.encrypt(RAW, KEY, b"", data)
    with pytest.raises(Pkcs11Error, match="CKR_ENCRYPTED_DATA_INVALID"):
        run.decrypt(RAW, KEY, b"", data)
    with pytest.raises(Pkcs11Error, match="CKR_SIGNATURE_INVALID"):
        run.verify(RAW, KEY, b"", [b"data"], data)
    with pytest.raises(Pkcs11Error, match="CKR_SIGNATURE_INVALID"):
        run.recover(RAW, KEY, b"", data)


@pytest.mark.parametrize("size", [0, 1, SIZE - 1, SIZE + 1])
def test_a_ciphertext_has_the_size_of_the_modulus(size: int) -> None:
    with pytest.raises(Pkcs11Error, match=f"ENCRYPTED_DATA_LEN_RANGE: ciphertext of {size} bytes"):
        run.decrypt(RAW, KEY, b"", bytes(size))


def test_keys_of_odd_sizes_give_whole_bytes() -> None:
    odd = keys.rsa_pair(1025)
    signature = run.sign(RAW, odd, b"", [b"\x01" + bytes(SIZE - 1)])
    assert len(signature) == SIZE + 1
    assert run.recover(RAW, odd, b"", signature) == b"\0\x01" + bytes(SIZE - 1)


def test_it_is_off_by_default_and_comes_by_settings_or_as_on_a_board() -> None:
    assert RAW not in PORTABLE.mechanisms
    assert RAW not in STRICT.mechanisms
    assert RAW in changed(PORTABLE, PolicyChanges(added=frozenset({RAW}))).mechanisms
    assert Recovering not in [type(group) for group in OPTEE.mechanism(RAW).functions]


def test_a_token_that_has_it_signs_in_one_part_alone() -> None:
    caller = Caller(make_application(policy=changed(PORTABLE, PolicyChanges(added=frozenset({RAW})))))
    session = caller.set_up()
    private = create(caller, session, "RSA private key", SIGN=True)
    caller.ok(c.SIGN_INIT, session, private, RAW, b"")
    assert caller.call(c.SIGN_ONESHOT, session, data=b"\xff" * SIZE).rv is CKR.DATA_INVALID
    caller.ok(c.SIGN_INIT, session, private, RAW, b"")
    assert caller.call(c.SIGN_UPDATE, session, data=b"data").rv is CKR.MECHANISM_INVALID


def library() -> raw_openssl.RawRsa:
    loaded = raw_openssl.load()
    assert loaded is not None
    return loaded


def encoded(key: rsa.RSAPrivateKey) -> tuple[bytes, bytes]:
    """Return the private and the public key in DER."""
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()), public


@pytest.mark.parametrize("name", ["libcrypto.so.none", "libc.so.6"])
def test_without_the_library_or_one_of_its_functions_there_is_no_mechanism(name: str) -> None:
    assert raw_openssl.load(name) is None


def test_what_the_library_refuses_is_an_error_and_leaves_none_behind() -> None:
    private, public = encoded(private_key(KEY))
    operations = library()
    for key, data in (
        (b"", bytes(SIZE)),
        (b"no key", bytes(SIZE)),
        (public, bytes(SIZE)),
        (private, bytes(SIZE - 1)),
        (private, number(MODULUS)),
    ):
        with pytest.raises(RuntimeError, match="libcrypto"):
            operations.private(key, data)
    with pytest.raises(RuntimeError, match="libcrypto"):
        operations.public(private, bytes(SIZE))
    assert ctypes.CDLL("libcrypto.so.3").ERR_peek_error() == 0


def test_many_threads_at_once_get_the_right_answers() -> None:
    private, public = encoded(private_key(KEY))
    operations = library()

    def there_and_back(value: int) -> bytes:
        return operations.public(public, operations.private(private, number(value)))

    values = range(2, 202)
    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(there_and_back, values)) == [number(value) for value in values]
