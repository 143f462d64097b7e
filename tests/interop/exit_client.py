# SPDX-License-Identifier: Apache-2.0
"""An application that leaves a stock library initialized, whose exit handler calls the module after main.

Arguments: the stock library, the module, the pids of the secure world, which is killed before the end.
"""

import ctypes
import os
import signal
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from interop.restart_client import tell
from interop.tools import PIN
from softee.names import CKR


def openssl(module: Path) -> None:
    """Load a key through the engine that OpenSSL finalizes in a handler of its own."""
    crypto = ctypes.CDLL("libcrypto.so.3")
    crypto.ENGINE_by_id.restype = crypto.ENGINE_load_private_key.restype = ctypes.c_void_p
    crypto.ENGINE_load_builtin_engines()
    engine = ctypes.c_void_p(crypto.ENGINE_by_id(b"pkcs11"))
    assert crypto.ENGINE_ctrl_cmd_string(engine, b"MODULE_PATH", os.fsencode(module), 0) == 1
    assert crypto.ENGINE_init(engine) == 1
    key = f"pkcs11:object=signer;type=private;pin-value={PIN}".encode()
    assert crypto.ENGINE_load_private_key(engine, key, None, None)


def gnutls(module: Path) -> None:
    """Give GnuTLS the module; its destructor finalizes it."""
    library = ctypes.CDLL("libgnutls.so.30")
    assert library.gnutls_global_init() == 0
    assert library.gnutls_pkcs11_init(0, None) == 0
    assert library.gnutls_pkcs11_add_provider(os.fsencode(module), None) == 0


def nss(module: Path) -> None:
    """Give NSS the module, and never shut it down."""
    library = ctypes.CDLL("libnss3.so")
    with tempfile.TemporaryDirectory() as directory:
        assert library.NSS_NoDB_Init(directory.encode()) == 0
        library.SECMOD_LoadUserModule.restype = ctypes.c_void_p
        assert library.SECMOD_LoadUserModule(f'library="{module}" name="softee"'.encode(), None, 0)


STOCK: dict[str, Callable[[Path], None]] = {"openssl": openssl, "gnutls": gnutls, "nss": nss}


def main() -> None:
    stock, module, *pids = sys.argv[1:]
    STOCK[stock](Path(module))
    functions = ctypes.CDLL(module)
    tell("initialized" if functions.C_Initialize(None) == CKR.CRYPTOKI_ALREADY_INITIALIZED else "not initialized")
    for pid in pids:
        os.kill(int(pid), signal.SIGKILL)


if __name__ == "__main__":
    main()
