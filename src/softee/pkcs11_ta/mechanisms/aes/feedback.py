# SPDX-License-Identifier: Apache-2.0
"""AES-OFB and AES-CFB with segments of 128 and of 8 bits (PKCS#11 3.2, section 6, AES; NIST SP 800-38A).

They give a byte for each that they take, and vouch for none. The library has no CFB with segments of 64 bits or of one.
"""

from collections.abc import Callable

from cryptography.hazmat.decrepit.ciphers.modes import CFB, CFB8, OFB
from cryptography.hazmat.primitives.ciphers import CipherContext

from softee.names import CKM
from softee.pkcs11_ta.mechanisms.aes.cipher import KEY_SIZE, KEY_TYPES, decryptor, encryptor
from softee.pkcs11_ta.mechanisms.functions import Ciphering
from softee.pkcs11_ta.mechanisms.params import initialization_vector
from softee.pkcs11_ta.mechanisms.shapes.ciphering import ByteStream
from softee.pkcs11_ta.mechanisms.spec import AnyMechanism, MechanismSpec


def _stream(context: CipherContext) -> ByteStream:
    return ByteStream(context.update, context.finalize)


def _feedback(mechanism: CKM, mode: Callable[[bytes], CFB | CFB8 | OFB]) -> AnyMechanism:
    return MechanismSpec(
        mechanism=mechanism,
        key_types=KEY_TYPES,
        key_size=KEY_SIZE,
        params=initialization_vector,
        functions=(
            Ciphering(
                encrypt=lambda key, iv: _stream(encryptor(key, mode(iv))),
                decrypt=lambda key, iv: _stream(decryptor(key, mode(iv))),
            ),
        ),
    )


SPECS: tuple[AnyMechanism, ...] = (
    _feedback(CKM.AES_OFB, OFB),
    _feedback(CKM.AES_CFB128, CFB),
    _feedback(CKM.AES_CFB8, CFB8),
)
