# SPDX-License-Identifier: Apache-2.0
"""RSA without a padding, also called X.509 or raw RSA (PKCS#11 3.2, section 6.1; RFC 8017, 5.1 and 5.2).

Data are the bytes of a number below the modulus; shorter ones are filled up with zeros on the left, and all of the
modulus' bytes come out. What they mean is the caller's affair, and so is every attack that a padding would prevent:
it is off by default. Keys are not wrapped with it, for short ones could be read off the wrapped bytes.

The mechanism is there where OpenSSL's libcrypto is.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from cryptography.hazmat.primitives import constant_time
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from softee.names import CKM, CKR
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.keys.rsa import KEY_SIZE, KEY_TYPES, private_key, public_key
from softee.pkcs11_ta.keys.view import KeyView
from softee.pkcs11_ta.mechanisms.functions import Ciphering, Recover, Recovering, Signing
from softee.pkcs11_ta.mechanisms.params import no_params
from softee.pkcs11_ta.mechanisms.rsa.raw_openssl import RawRsa, load
from softee.pkcs11_ta.mechanisms.rsa.sizes import check_ciphertext_size, check_data_size, modulus_size, signature_size
from softee.pkcs11_ta.mechanisms.shapes.ciphering import BufferedCipher, on_bytes
from softee.pkcs11_ta.mechanisms.shapes.signing import BufferedSign, BufferedVerify, bad_signature, check_signature_size
from softee.pkcs11_ta.mechanisms.spec import AnyMechanism, MechanismSpec


def _too_large(rv: CKR) -> Pkcs11Error:
    return Pkcs11Error(rv, "the number is not below the modulus")


def _is_below_modulus(key: KeyView, number: bytes) -> bool:
    return int.from_bytes(number, "big") < public_key(key).public_numbers().n


def _filled_up(key: KeyView, data: bytes) -> bytes:
    """Return data as a number of the modulus' size. Raises CKR_DATA_LEN_RANGE, CKR_DATA_INVALID."""
    size = modulus_size(key)
    check_data_size(data, size)
    number = data.rjust(size, b"\0")
    if not _is_below_modulus(key, number):
        raise _too_large(CKR.DATA_INVALID)
    return number


@dataclass(frozen=True, slots=True)
class _Operations:
    """The mechanism's operations, by a library. ``whole``: as OP-TEE, what is signed must have the modulus' size."""

    rsa: RawRsa
    whole: bool

    def _public(self, key: KeyView) -> Callable[[bytes], bytes]:
        encoded = public_key(key).public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return partial(self.rsa.public, encoded)

    def _private(self, key: KeyView) -> Callable[[bytes], bytes]:
        encoded = private_key(key).private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        return partial(self.rsa.private, encoded)

    def sign(self, key: KeyView, _: None) -> BufferedSign:
        transform = self._private(key)
        return BufferedSign(lambda data: transform(self._to_sign(key, data)), limit=None)

    def _to_sign(self, key: KeyView, data: bytes) -> bytes:
        if self.whole and len(data) != modulus_size(key):
            raise Pkcs11Error(CKR.DATA_LEN_RANGE, f"{len(data)} bytes, which are not as many as the modulus has")
        return _filled_up(key, data)

    def recover(self, key: KeyView, _: None) -> Recover:
        transform, size = self._public(key), modulus_size(key)

        def recover(signature: bytes) -> bytes:
            check_signature_size(signature, size)
            if not _is_below_modulus(key, signature):
                raise bad_signature()
            return transform(signature)

        return recover

    def verify(self, key: KeyView, _: None) -> BufferedVerify:
        recover = self.recover(key, None)

        def verify(signature: bytes, data: bytes) -> None:
            number = _filled_up(key, data)
            if not constant_time.bytes_eq(recover(signature), number):
                raise bad_signature()

        return BufferedVerify(verify, limit=None)

    def encrypt(self, key: KeyView, _: None) -> BufferedCipher:
        transform, size = self._public(key), modulus_size(key)
        return BufferedCipher(on_bytes(lambda data: transform(_filled_up(key, data))), lambda _: size, limit=None)

    def decrypt(self, key: KeyView, _: None) -> BufferedCipher:
        transform, size = self._private(key), modulus_size(key)

        def decrypt(data: bytes) -> bytes:
            check_ciphertext_size(data, size)
            if not _is_below_modulus(key, data):
                raise _too_large(CKR.ENCRYPTED_DATA_INVALID)
            return transform(data)

        return BufferedCipher(on_bytes(decrypt), lambda _: size, limit=None)


def _describe(rsa: RawRsa, *, whole: bool = False) -> AnyMechanism:
    by = _Operations(rsa, whole)
    return MechanismSpec(
        mechanism=CKM.RSA_X_509,
        key_types=KEY_TYPES,
        key_size=KEY_SIZE,
        params=no_params,
        multi_part=False,
        functions=(
            Signing(sign=by.sign, verify=by.verify, size=signature_size),
            Recovering(sign=by.sign, recover=by.recover, size=signature_size),
            Ciphering(encrypt=by.encrypt, decrypt=by.decrypt),
        ),
    )


_RSA = load()

SPECS: tuple[AnyMechanism, ...] = (_describe(_RSA),) if _RSA else ()

AS_OPTEE: tuple[AnyMechanism, ...] = (_describe(_RSA, whole=True),) if _RSA else ()
