# SPDX-License-Identifier: Apache-2.0
"""An application that puts a private key on a token as libp11 does it, with the library itself.

Arguments: the module, the user's PIN, the file with the key (DER), its label, its CKA_ID in hexadecimal.
"""

import ctypes
import sys
from pathlib import Path

crypto = ctypes.CDLL("libcrypto.so.3")
libp11 = ctypes.CDLL("libp11.so.3")


class Slot(ctypes.Structure):
    """PKCS11_SLOT."""

    _fields_ = (
        ("manufacturer", ctypes.c_char_p),
        ("description", ctypes.c_char_p),
        ("removable", ctypes.c_ubyte),
        ("token", ctypes.c_void_p),
    )


def read_key(file: Path) -> ctypes.c_void_p:
    """Return OpenSSL's EVP_PKEY."""
    content = file.read_bytes()
    crypto.d2i_AutoPrivateKey.restype = ctypes.c_void_p
    key = crypto.d2i_AutoPrivateKey(None, ctypes.byref(ctypes.c_char_p(content)), ctypes.c_long(len(content)))
    assert key, "OpenSSL does not read the key"
    return ctypes.c_void_p(key)


def find_slot(module: str) -> "ctypes._Pointer[Slot]":
    """Load the module and return the first slot with a token."""
    libp11.PKCS11_CTX_new.restype = ctypes.c_void_p
    libp11.PKCS11_find_token.restype = ctypes.POINTER(Slot)
    context = ctypes.c_void_p(libp11.PKCS11_CTX_new())
    assert libp11.PKCS11_CTX_load(context, module.encode()) == 0
    slots, count = ctypes.c_void_p(), ctypes.c_uint()
    assert libp11.PKCS11_enumerate_slots(context, ctypes.byref(slots), ctypes.byref(count)) == 0
    found = libp11.PKCS11_find_token(context, slots, count)
    assert found, "no slot has a token"
    slot: ctypes._Pointer[Slot] = found
    return slot


def store(module: str, pin: str, file: str, label: str, key_id: str) -> None:
    """Log in and store the key."""
    slot, identifier = find_slot(module), bytes.fromhex(key_id)
    assert libp11.PKCS11_open_session(slot, 1) == 0
    assert libp11.PKCS11_login(slot, 0, pin.encode()) == 0
    token, size = ctypes.c_void_p(slot.contents.token), ctypes.c_size_t(len(identifier))
    assert libp11.PKCS11_store_private_key(token, read_key(Path(file)), label.encode(), identifier, size) == 0


if __name__ == "__main__":
    store(*sys.argv[1:])
