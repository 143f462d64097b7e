# SPDX-License-Identifier: Apache-2.0
"""A PKCS#11 module: its tokens, and sessions with them."""

import ctypes
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from softee.cli.cryptoki.refusals import RefusedError
from softee.cli.cryptoki.structures import FUNCTIONS, ULONG, FunctionList, TokenInfo, pin_of
from softee.cli.failure import CliError
from softee.names import CKR, MechanismFlag, TokenFlag

_LABEL = 32


class _MechanismInfo(ctypes.Structure):
    _fields_ = (("low", ULONG), ("high", ULONG), ("flags", ULONG))


@dataclass(frozen=True, slots=True)
class Token:
    """What C_GetTokenInfo says of a token."""

    slot: int
    label: str
    manufacturer: str
    model: str
    serial: str
    flags: TokenFlag
    pin_lengths: tuple[int, int]

    @property
    def initialized(self) -> bool:
        """Whether C_InitToken was called on it."""
        return TokenFlag.TOKEN_INITIALIZED in self.flags

    def require_length(self, *pins: bytearray) -> None:
        """Look at PINs before anything is destroyed; an empty one stands for a login without a PIN.

        Raises:
            CliError: the token takes none of such a length.

        """
        low, high = self.pin_lengths
        if not all(low <= len(pin) <= high for pin in pins if pin):
            raise CliError(f"The token takes PINs of {low} to {high} bytes.")


class Module:
    """A module that is loaded and initialized. Its methods raise RefusedError, a CliError, where it refuses."""

    def __init__(self, path: Path) -> None:
        """Load a module. Raises CliError where it is none."""
        self.path = path
        try:
            get_list = ctypes.CDLL(str(path)).C_GetFunctionList
        except OSError as error:
            raise CliError(f"The PKCS#11 module cannot be loaded: {error}.") from None
        except AttributeError:
            raise CliError(f"{path} is no PKCS#11 module: it has no C_GetFunctionList.") from None
        found = ctypes.POINTER(FunctionList)()
        if get_list(ctypes.byref(found)) != CKR.OK or ctypes.cast(found, ctypes.c_void_p).value is None:
            raise CliError(f"{path} is a PKCS#11 module that gives no functions.")
        self._functions: FunctionList = found.contents
        self.call("C_Initialize", None)

    def call(self, function: str, *arguments: object) -> None:
        """Call a function. Raises RefusedError."""
        rv = self._function(function)(*arguments)
        if rv != CKR.OK:
            raise RefusedError(function, rv)

    def _function(self, name: str) -> Callable[..., int]:
        address = self._functions.functions[FUNCTIONS.index(name.removeprefix("C_"))]
        if not address:
            return lambda *_: CKR.FUNCTION_NOT_SUPPORTED
        called: Callable[..., int] = ctypes.CFUNCTYPE(ULONG)(address)
        return called

    def close(self) -> None:
        """Call C_Finalize. Where that is refused there is nothing left to do about it."""
        with suppress(RefusedError):
            self.call("C_Finalize", None)

    def numbers(self, function: str, *arguments: object) -> list[int]:
        """Return the numbers of a function that first tells how many they are."""
        count = ULONG()
        self.call(function, *arguments, None, ctypes.byref(count))
        found = (ULONG * count.value)()
        self.call(function, *arguments, found, ctypes.byref(count))
        return list(found[: count.value])

    def tokens(self) -> list[Token]:
        """Return the tokens that are there, by their slots."""
        return [self._token(slot) for slot in self.numbers("C_GetSlotList", ctypes.c_ubyte(1))]

    def mechanisms(self, slot: int) -> list[int]:
        """Return what a token can do."""
        return self.numbers("C_GetMechanismList", ULONG(slot))

    def can(self, slot: int, mechanism: int, use: MechanismFlag) -> bool:
        """Tell whether a token's mechanism is for a use."""
        if mechanism not in self.mechanisms(slot):
            return False
        info = _MechanismInfo()
        self.call("C_GetMechanismInfo", ULONG(slot), ULONG(mechanism), ctypes.byref(info))
        return bool(info.flags & use)

    def init_token(self, slot: int, label: str, so_pin: bytearray) -> None:
        """Initialize a token (C_InitToken). What was on it is destroyed.

        Raises:
            CliError: the label has more than 32 bytes.

        """
        require_label(label)
        with pin_of(so_pin) as pin:
            self.call("C_InitToken", ULONG(slot), *pin, label.encode().ljust(_LABEL))

    def _token(self, slot: int) -> Token:
        info = TokenInfo()
        self.call("C_GetTokenInfo", ULONG(slot), ctypes.byref(info))
        texts = (_text(info.label), _text(info.manufacturer), _text(info.model), _text(info.serial))
        return Token(slot, *texts, TokenFlag(info.flags), (info.shortest_pin, info.longest_pin))


def require_label(label: str) -> None:
    """Raise CliError, for wrong usage, where a token's label has more than 32 bytes."""
    size = len(label.encode())
    if size > _LABEL:
        raise CliError(f"A token's label has at most {_LABEL} bytes in UTF-8, and this one {size}.", 2)


@contextmanager
def loaded(path: Path) -> Iterator[Module]:
    """Load a module, and call C_Finalize afterwards. Raises CliError."""
    module = Module(path)
    try:
        yield module
    finally:
        module.close()


def _text(padded: ctypes.Array[ctypes.c_ubyte]) -> str:
    return bytes(padded).decode(errors="replace").rstrip(" \0")
