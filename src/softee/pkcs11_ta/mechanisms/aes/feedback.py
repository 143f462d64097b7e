# SPDX-License-Identifier: Apache-2.0
"""AES-OFB and AES-CFB with segments of 128, 64 and 8 bits (PKCS#11 3.2, section 6, AES; NIST SP 800-38A).

They give a byte for each that they take, and vouch for none. `cryptography` has no segments of 64 bits, `pycryptodome`
has; neither has segments of one.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from cryptography.hazmat.decrepit.ciphers.modes import CFB, CFB8, OFB
from cryptography.hazmat.primitives.ciphers import CipherContext

from softee.names import CKM
from softee.pkcs11_ta.keys.view import KeyView
from softee.pkcs11_ta.mechanisms.aes.cipher import KEY_SIZE, KEY_TYPES, check_key, decryptor, encryptor
from softee.pkcs11_ta.mechanisms.functions import Ciphering
from softee.pkcs11_ta.mechanisms.params import initialization_vector
from softee.pkcs11_ta.mechanisms.shapes.ciphering import ByteStream
from softee.pkcs11_ta.mechanisms.spec import AnyMechanism, MechanismSpec
from softee.tee.late import LateModule

if TYPE_CHECKING:
    from Crypto.Cipher import AES
    from Crypto.Cipher._mode_cfb import CfbMode
else:
    AES = LateModule("Crypto.Cipher.AES")


def _stream(context: CipherContext) -> ByteStream:
    return ByteStream(context.update, context.finalize)


def _ciphering(mode: Callable[[bytes], CFB | CFB8 | OFB]) -> Ciphering[bytes]:
    return Ciphering(
        encrypt=lambda key, iv: _stream(encryptor(key, mode(iv))),
        decrypt=lambda key, iv: _stream(decryptor(key, mode(iv))),
    )


def _cfb64(key: KeyView, iv: bytes) -> "CfbMode":
    check_key(key)
    return AES.new(key.secret(), AES.MODE_CFB, iv=iv, segment_size=64)


_CFB64: Ciphering[bytes] = Ciphering(
    encrypt=lambda key, iv: ByteStream(_cfb64(key, iv).encrypt),
    decrypt=lambda key, iv: ByteStream(_cfb64(key, iv).decrypt),
)


def _feedback(mechanism: CKM, ciphering: Ciphering[bytes]) -> AnyMechanism:
    return MechanismSpec(
        mechanism=mechanism,
        key_types=KEY_TYPES,
        key_size=KEY_SIZE,
        params=initialization_vector,
        functions=(ciphering,),
    )


SPECS: tuple[AnyMechanism, ...] = (
    _feedback(CKM.AES_OFB, _ciphering(OFB)),
    _feedback(CKM.AES_CFB128, _ciphering(CFB)),
    _feedback(CKM.AES_CFB8, _ciphering(CFB8)),
    _feedback(CKM.AES_CFB64, _CFB64),
)
