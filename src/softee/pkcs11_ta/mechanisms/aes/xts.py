# SPDX-License-Identifier: Apache-2.0
"""AES-XTS, with keys of its own: two AES keys that differ (PKCS#11 3.2, section 6, AES XTS; IEEE 1619).

The parameter is the data unit's number, little-endian in 16 bytes, and the data of an operation are one data unit: it
ends by its own rules, so it is held until then.
"""

from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext, modes
from cryptography.hazmat.primitives.ciphers.algorithms import AES

from softee.names import CKK, CKM, CKR
from softee.pkcs11_ta.keys.secret import AES_XTS_SIZES
from softee.pkcs11_ta.keys.view import KeyView, SizeRange
from softee.pkcs11_ta.mechanisms.aes.cipher import BLOCK, check_key_size
from softee.pkcs11_ta.mechanisms.functions import Ciphering, KeyGenerating
from softee.pkcs11_ta.mechanisms.params import initialization_vector, no_params
from softee.pkcs11_ta.mechanisms.shapes.ciphering import BufferedCipher, wrong_length
from softee.pkcs11_ta.mechanisms.shapes.generating import random_secret
from softee.pkcs11_ta.mechanisms.spec import AnyMechanism, MechanismSpec

LARGEST_UNIT = BLOCK << 20
"""Bytes of a data unit: it has 2^20 blocks at most (NIST SP 800-38E)."""

LARGEST_HELD = 1 << 20
"""Bytes of one that comes in parts: they stay in memory until its end, and a client may have thousands of operations.
"""

_KEY_TYPES = frozenset({CKK.AES_XTS})
_KEY_SIZE = SizeRange(32, 64)


def _cipher(key: KeyView, number: bytes) -> Cipher[modes.XTS]:
    secret = key.secret()
    check_key_size(secret, AES_XTS_SIZES)
    return Cipher(AES(secret), modes.XTS(number))


def _unit(context: CipherContext, short: CKR) -> BufferedCipher:
    def act(data: memoryview) -> bytes:
        if not BLOCK <= len(data) <= LARGEST_UNIT:
            raise wrong_length(short, len(data), f"{BLOCK} to {LARGEST_UNIT}")
        return context.update(data) + context.finalize()

    return BufferedCipher(act, lambda count: count, limit=LARGEST_HELD)


def _encrypt(key: KeyView, number: bytes) -> BufferedCipher:
    return _unit(_cipher(key, number).encryptor(), CKR.DATA_LEN_RANGE)


def _decrypt(key: KeyView, number: bytes) -> BufferedCipher:
    return _unit(_cipher(key, number).decryptor(), CKR.ENCRYPTED_DATA_LEN_RANGE)


SPECS: tuple[AnyMechanism, ...] = (
    MechanismSpec(
        mechanism=CKM.AES_XTS_KEY_GEN,
        key_types=_KEY_TYPES,
        key_size=_KEY_SIZE,
        params=no_params,
        functions=(KeyGenerating(generate=random_secret(AES_XTS_SIZES, "32 or 64")),),
    ),
    MechanismSpec(
        mechanism=CKM.AES_XTS,
        key_types=_KEY_TYPES,
        key_size=_KEY_SIZE,
        params=initialization_vector,
        functions=(Ciphering(encrypt=_encrypt, decrypt=_decrypt),),
    ),
)
