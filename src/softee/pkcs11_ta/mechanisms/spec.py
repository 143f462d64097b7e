# SPDX-License-Identifier: Apache-2.0
"""What a mechanism is: one frozen description that every command reads. Its module holds cryptography only."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from softee.names import CKK, CKM, CKR, MechanismFlag
from softee.names.mechanism_layouts import LAYOUTS, NOTHING, Layout, Use
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.keys.view import SizeRange
from softee.pkcs11_ta.mechanisms.functions import Functions, Message, Messaging, Signing
from softee.pkcs11_ta.mechanisms.params import read_values

P = TypeVar("P")
Group = TypeVar("Group", bound=Functions[Any])


QUICK_BYTES = 16 << 10
"""How many bytes of data any mechanism does in a moment."""
QUICK_BULK = 72 << 10
"""The same of the quickest: 64 KiB and what is added to them. A gigabyte a second is a tenth of a millisecond here."""

MESSAGE_SIGNING = MechanismFlag.MESSAGE_SIGN | MechanismFlag.MESSAGE_VERIFY


def _no_hashes(_: object) -> frozenset[CKM]:
    return frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class MechanismSpec(Generic[P]):
    """One mechanism.

    ``key_types`` are those that its keys may have (of a generation mechanism: the one that it makes). ``params`` makes
    P of the values of the parameter's layout, or raises CKR_MECHANISM_PARAM_INVALID. ``hashes_in`` returns the digest
    mechanisms that such a P chooses to be used inside, for a policy may refuse them. ``multi_part`` is False where the
    standard knows the mechanism only in one part; its operations then see one ``update``. ``functions`` are the groups
    that it has, each at most once; the flags of C_GetMechanismInfo are theirs, and cannot drift from the code.
    ``quick_bytes`` are as many bytes of data as are done in a moment, where the key allows that.
    """

    mechanism: CKM
    key_types: frozenset[CKK] = frozenset()
    key_size: SizeRange | None = None
    params: Callable[..., P]
    hashes_in: Callable[[P], frozenset[CKM]] = _no_hashes
    multi_part: bool = True
    functions: tuple[Functions[P], ...]
    quick_bytes: int = QUICK_BYTES
    flags: MechanismFlag = field(init=False)
    layout: Layout = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Derive the flags, and find the parameter's layout."""
        flags = MechanismFlag(0)
        kinds: set[type[Functions[P]]] = set()
        for group in self.functions:
            if type(group) in kinds:
                raise ValueError(f"CKM_{self.mechanism.name} has two groups of functions that {group.described}")
            kinds.add(type(group))
            flags |= group.flags
        object.__setattr__(self, "flags", flags)
        object.__setattr__(self, "layout", LAYOUTS.get((self.mechanism, Use.OPERATION), NOTHING))

    @property
    def message_flags(self) -> MechanismFlag:
        """What C_GetMechanismInfo says of signatures by message: they are there where others are."""
        if not self.flags & Signing.flags:
            return MechanismFlag(0)
        return MESSAGE_SIGNING | (MechanismFlag.MULTI_MESSAGE if self.multi_part else MechanismFlag(0))

    def message(self, raw: bytes) -> Message:
        """Decode the parameter of a message. Raises CKR_MECHANISM_PARAM_INVALID."""
        return self.of(Messaging).message(*read_values(LAYOUTS[self.mechanism, Use.MESSAGE], raw))

    def parameter(self, raw: bytes) -> P:
        """Decode the parameter's bytes as they travel. Raises CKR_MECHANISM_PARAM_INVALID."""
        if not self.layout.members and not raw:
            return self.params()
        return self.params(*read_values(self.layout, raw))

    def of(self, group: type[Group]) -> Group:
        """Return the mechanism's functions of one group. Raises CKR_MECHANISM_INVALID where it does not have them."""
        for functions in self.functions:
            if isinstance(functions, group):
                return functions
        raise Pkcs11Error(CKR.MECHANISM_INVALID, f"CKM_{self.mechanism.name} does not {group.described}")


AnyMechanism = MechanismSpec[Any]
