# SPDX-License-Identifier: Apache-2.0
"""ChaCha20 and Poly1305 keys, of 32 bytes (PKCS#11 3.2, section 6, ChaCha20 and Poly1305)."""

from typing import Final

from softee.names import CKA, CKK, CKO
from softee.pkcs11_ta.keys.key_type import KeyForm, KeyType
from softee.pkcs11_ta.keys.rows import FIXED_SECRET_KEY
from softee.pkcs11_ta.keys.secret import complete_secret, secret_size

SIZES: Final = (32,)
"""In bytes."""


def _key_type(name: str, number: CKK, usages: frozenset[CKA]) -> KeyType:
    return KeyType(
        name=name,
        numbers=frozenset({number}),
        measure=secret_size,
        forms=(KeyForm(CKO.SECRET_KEY, FIXED_SECRET_KEY, complete_secret(SIZES), usages, sizes=SIZES),),
    )


CHACHA20: Final = _key_type("ChaCha20", CKK.CHACHA20, frozenset({CKA.ENCRYPT, CKA.DECRYPT}))
POLY1305: Final = _key_type("Poly1305", CKK.POLY1305, frozenset({CKA.SIGN, CKA.VERIFY}))
