# SPDX-License-Identifier: Apache-2.0
"""An application without a PIN: it looks for private and secret keys, and tries to sign with whatever may be one.

Arguments: the module, and the handles to try. It prints how many keys it found, and each handle's return value.
"""

import sys

import PyKCS11 as p  # noqa: N813 - its constants are its own


def try_to_sign(session: p.Session, number: int) -> str:
    """Return the return value in words."""
    handle = p.LowLevel.CK_OBJECT_HANDLE()
    handle.assign(number)
    try:
        session.sign(handle, bytes(32), p.Mechanism(p.CKM_ECDSA, None))
    except p.PyKCS11Error as error:
        return str(p.CKR[error.value])
    return "CKR_OK"


def look(module: str, *handles: str) -> None:
    """Look and try."""
    library = p.PyKCS11Lib()
    library.load(module)
    session = library.openSession(0, p.CKF_RW_SESSION)
    found = [session.findObjects([(p.CKA_CLASS, wanted)]) for wanted in (p.CKO_PRIVATE_KEY, p.CKO_SECRET_KEY)]
    print(sum(map(len, found)), *(try_to_sign(session, int(handle)) for handle in handles))  # noqa: T201 - the test reads it


if __name__ == "__main__":
    look(*sys.argv[1:])
