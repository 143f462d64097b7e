# SPDX-License-Identifier: Apache-2.0
"""RSA without a padding, by OpenSSL's libcrypto: neither `cryptography` nor `pycryptodome` has it as a function.

It is called through ctypes, which makes this the one module of the application that reaches foreign code by itself; the
system's libcrypto stands beside the one inside `cryptography`, and shares nothing with it. All that C allocates is
freed here, what was computed is wiped from C's buffer, and OpenSSL's list of errors is emptied, for Python's ssl and
hashlib read the same one. OpenSSL blinds what it does with a private key, and checks what it computed by the primes.
"""

import ctypes
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from ctypes import POINTER, byref, c_char_p, c_int, c_long, c_size_t, c_void_p
from types import MappingProxyType
from typing import Any, Final

_LIBRARY = "libcrypto.so.3"
"""OpenSSL 3, whose interface stays as it is in all of its versions."""

_RSA_NO_PADDING = 3
_DONE = 1

_DER = (POINTER(c_void_p), POINTER(c_char_p), c_long)
_DATA = (c_void_p, c_char_p, POINTER(c_size_t), c_char_p, c_size_t)

_FUNCTIONS: Final[Mapping[str, tuple[Any, tuple[Any, ...]]]] = MappingProxyType(
    {
        "d2i_AutoPrivateKey": (c_void_p, _DER),
        "d2i_PUBKEY": (c_void_p, _DER),
        "EVP_PKEY_free": (None, (c_void_p,)),
        "EVP_PKEY_CTX_new": (c_void_p, (c_void_p, c_void_p)),
        "EVP_PKEY_CTX_free": (None, (c_void_p,)),
        "EVP_PKEY_CTX_set_rsa_padding": (c_int, (c_void_p, c_int)),
        "EVP_PKEY_encrypt_init": (c_int, (c_void_p,)),
        "EVP_PKEY_encrypt": (c_int, _DATA),
        "EVP_PKEY_decrypt_init": (c_int, (c_void_p,)),
        "EVP_PKEY_decrypt": (c_int, _DATA),
        "ERR_clear_error": (None, ()),
    }
)
"""What is called: the type of the result, and those of the arguments."""


class RawRsa:
    """RSA's two operations on a number as long as the modulus. They may run in several threads at once."""

    def __init__(self, libcrypto: ctypes.CDLL) -> None:
        """Raise AttributeError where the library lacks a function."""
        self._call: dict[str, Any] = {}
        for name, (result, arguments) in _FUNCTIONS.items():
            function = getattr(libcrypto, name)
            function.restype, function.argtypes = result, arguments
            self._call[name] = function

    def public(self, key: bytes, number: bytes) -> bytes:
        """Return ``number`` to the power of the public exponent.

        Args:
            key: a SubjectPublicKeyInfo, in DER.
            number: as many bytes as the modulus has, and below it.

        Raises:
            RuntimeError: it could not be done.

        """
        return self._transform("d2i_PUBKEY", "EVP_PKEY_encrypt", key, number)

    def private(self, key: bytes, number: bytes) -> bytes:
        """Return ``number`` to the power of the private exponent: as :meth:`public`, of a private key in DER."""
        return self._transform("d2i_AutoPrivateKey", "EVP_PKEY_decrypt", key, number)

    def _transform(self, read: str, operate: str, key: bytes, number: bytes) -> bytes:
        size = c_size_t(len(number))
        result = ctypes.create_string_buffer(len(number))
        with self._context(read, key) as context:
            self._check(f"{operate}_init", context)
            self._check("EVP_PKEY_CTX_set_rsa_padding", context, _RSA_NO_PADDING)
            try:
                self._check(operate, context, result, byref(size), number, len(number))
                return result.raw[: size.value]
            finally:
                ctypes.memset(result, 0, len(result))

    @contextmanager
    def _context(self, read: str, key: bytes) -> Iterator[int]:
        """Lend an EVP_PKEY_CTX of a key."""
        pkey = context = None
        try:
            pkey = self._call[read](None, byref(c_char_p(key)), len(key))
            context = self._call["EVP_PKEY_CTX_new"](pkey, None) if pkey else None
            if not context:
                raise RuntimeError(f"libcrypto: {read} or EVP_PKEY_CTX_new failed")
            yield context
        finally:
            self._call["EVP_PKEY_CTX_free"](context)
            self._call["EVP_PKEY_free"](pkey)
            self._call["ERR_clear_error"]()

    def _check(self, function: str, *arguments: object) -> None:
        if self._call[function](*arguments) != _DONE:
            raise RuntimeError(f"libcrypto: {function} failed")


def load(name: str = _LIBRARY) -> RawRsa | None:
    """Return RSA by the library of this name, or None where there is none, or not all of it."""
    try:
        return RawRsa(ctypes.CDLL(name))
    except (OSError, AttributeError):
        return None
