# SPDX-License-Identifier: Apache-2.0
"""As much of Cryptoki as the benches call, through ctypes: a wrapper library's own time would hide the module's."""

import ctypes
from collections.abc import Sequence

ULONG = ctypes.c_ulong
CKA_TOKEN, CKA_ENCRYPT, CKA_SIGN, CKA_EC_PARAMS = 0x1, 0x104, 0x108, 0x180
CKA_MODULUS_BITS, CKA_PUBLIC_EXPONENT, CKA_VALUE_LEN = 0x121, 0x122, 0x161
CKF_RW_SESSION, CKF_SERIAL_SESSION = 2, 4
CKU_SO, CKU_USER = 0, 1


class Mechanism(ctypes.Structure):
    """CK_MECHANISM."""

    _fields_ = (("type", ULONG), ("parameter", ctypes.c_void_p), ("size", ULONG))


class Attribute(ctypes.Structure):
    """CK_ATTRIBUTE."""

    _fields_ = (("type", ULONG), ("value", ctypes.c_char_p), ("size", ULONG))


class Module:
    """A PKCS#11 module; its methods are named after the functions that they call."""

    def __init__(self, path: str) -> None:
        self.functions = ctypes.CDLL(path)
        self("C_Initialize", None)

    def __call__(self, function: str, *arguments: object) -> None:
        """Call a function, and fail unless it returns CKR_OK."""
        rv = getattr(self.functions, function)(*arguments)
        assert rv == 0, f"{function} returned {rv:#x}"

    def ready_session(self, so_pin: bytes, pin: bytes) -> int:
        """Initialize the first slot's token and return a session that is logged in as the user."""
        slots, count = (ULONG * 64)(), ULONG(64)
        self("C_GetSlotList", 1, slots, ctypes.byref(count))
        self("C_InitToken", ULONG(slots[0]), so_pin, ULONG(len(so_pin)), b"bench".ljust(32))
        self("C_GetSlotList", 1, slots, ctypes.byref(count))  # SoftHSM moves the token to another slot
        session = self.open_session(slots[0])
        self("C_Login", session, ULONG(CKU_SO), so_pin, ULONG(len(so_pin)))
        self("C_InitPIN", session, pin, ULONG(len(pin)))
        self("C_Logout", session)
        self("C_Login", session, ULONG(CKU_USER), pin, ULONG(len(pin)))
        return session.value

    def open_session(self, slot: int) -> ctypes.c_ulong:
        """Open a read-write session."""
        session = ULONG()
        flags = ULONG(CKF_RW_SESSION | CKF_SERIAL_SESSION)
        self("C_OpenSession", ULONG(slot), flags, None, None, ctypes.byref(session))
        return session

    def key_pair(self, session: int, mechanism: int, public: Sequence[tuple[int, bytes]]) -> int:
        """Generate a session key pair and return the private key's handle."""
        public_handle, private_handle = ULONG(), ULONG()
        ours, theirs = _template(public), _template([(CKA_SIGN, b"\x01")])
        made = Mechanism(mechanism, None, 0)
        self("C_GenerateKeyPair", ULONG(session), ctypes.byref(made), ours, ULONG(len(ours)), theirs,
             ULONG(len(theirs)), ctypes.byref(public_handle), ctypes.byref(private_handle))  # fmt: skip
        return private_handle.value

    def key(self, session: int, mechanism: int, template: Sequence[tuple[int, bytes]]) -> int:
        """Generate a secret session key and return its handle."""
        handle, made, ours = ULONG(), Mechanism(mechanism, None, 0), _template(template)
        self("C_GenerateKey", ULONG(session), ctypes.byref(made), ours, ULONG(len(ours)), ctypes.byref(handle))
        return handle.value


def _template(attributes: Sequence[tuple[int, bytes]]) -> ctypes.Array[Attribute]:
    every = [(CKA_TOKEN, b"\x00"), *attributes]
    return (Attribute * len(every))(*(Attribute(kind, value, len(value)) for kind, value in every))
