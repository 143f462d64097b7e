# SPDX-License-Identifier: Apache-2.0
"""What the RSA mechanisms have in common: their keys, and the sizes that follow from a modulus."""

from softee.names import CKR
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.keys.view import KeyView

BITS_PER_BYTE = 8


def modulus_size(key: KeyView) -> int:
    """Return the bytes of the modulus (k in RFC 8017), and so of a signature or a ciphertext."""
    return -(-key.size // BITS_PER_BYTE)


def signature_size(key: KeyView, _: object) -> int:
    """Return the bytes of a signature, whatever the mechanism's parameter."""
    return modulus_size(key)


def check_data_size(data: bytes, largest: int) -> None:
    """Raise CKR_DATA_LEN_RANGE where ``data`` has more than ``largest`` bytes."""
    if len(data) > largest:
        raise Pkcs11Error(CKR.DATA_LEN_RANGE, f"{len(data)} bytes where the key takes at most {largest}")


def check_ciphertext_size(data: bytes, size: int) -> None:
    """Raise CKR_ENCRYPTED_DATA_LEN_RANGE unless ``data`` has as many bytes as the modulus, ``size``."""
    if len(data) != size:
        raise Pkcs11Error(CKR.ENCRYPTED_DATA_LEN_RANGE, f"ciphertext of {len(data)} bytes where the key makes {size}")


def check_value_size(value: bytes | bytearray, largest: int) -> None:
    """Raise CKR_KEY_SIZE_RANGE where a key's ``value`` has more than ``largest`` bytes."""
    if len(value) > largest:
        raise Pkcs11Error(CKR.KEY_SIZE_RANGE, f"a key of {len(value)} bytes where {largest} can be wrapped")


def check_wrapped_size(wrapped: bytes, size: int) -> None:
    """Raise CKR_WRAPPED_KEY_LEN_RANGE unless ``wrapped`` has as many bytes as the modulus, ``size``."""
    if len(wrapped) != size:
        raise Pkcs11Error(CKR.WRAPPED_KEY_LEN_RANGE, f"{len(wrapped)} wrapped bytes where the key makes {size}")


def not_unwrapped() -> Pkcs11Error:
    """Return the one error for all wrapped bytes of the right size."""
    return Pkcs11Error(CKR.WRAPPED_KEY_INVALID, "the bytes were not wrapped so for this key")


def undecryptable() -> Pkcs11Error:
    """Return the one error for every ciphertext that does not decrypt, whatever is wrong with it."""
    return Pkcs11Error(CKR.ENCRYPTED_DATA_INVALID, "the ciphertext does not decrypt with this key and parameter")
