# SPDX-License-Identifier: Apache-2.0
"""How an attribute is used in a kind of object: the rules that it obeys there, and its default.

Footnote numbers are those of the standard's table 13 (PKCS#11 3.2, section 4.1.2; table 10 in 2.40).
"""

from dataclasses import dataclass, field
from enum import Enum, Flag, auto
from typing import Final

from softee.names import CKA
from softee.pkcs11_ta.attributes.values import AttributeValue


class Rule(Flag):
    """What holds for an attribute in a kind of object."""

    REQUIRED_ON_CREATE = auto()  # footnote 1
    FORBIDDEN_ON_CREATE = auto()  # footnote 2
    REQUIRED_ON_GENERATE = auto()  # footnote 3
    FORBIDDEN_ON_GENERATE = auto()  # footnote 4
    REQUIRED_ON_UNWRAP = auto()  # footnote 5
    FORBIDDEN_ON_UNWRAP = auto()  # footnote 6
    HIDDEN_WHEN_SENSITIVE = auto()  # footnote 7: not shown while CKA_SENSITIVE is true or CKA_EXTRACTABLE false
    MODIFIABLE = auto()  # footnote 8: C_SetAttributeValue and C_CopyObject may change it
    ONLY_SO_SETS = auto()  # footnote 10
    STICKY_TRUE = auto()  # footnote 11: once true, it stays
    STICKY_FALSE = auto()  # footnote 12: once false, it stays
    MODIFIABLE_BY_COPY = auto()  # section 5.7.2: C_CopyObject alone may change it


NONE: Final = Rule(0)
SET_BY_TOKEN: Final = Rule.FORBIDDEN_ON_CREATE | Rule.FORBIDDEN_ON_GENERATE | Rule.FORBIDDEN_ON_UNWRAP
REQUIRED: Final = Rule.REQUIRED_ON_CREATE | Rule.REQUIRED_ON_GENERATE | Rule.REQUIRED_ON_UNWRAP
MADE_BY_GENERATION: Final = Rule.FORBIDDEN_ON_GENERATE | Rule.FORBIDDEN_ON_UNWRAP
PRIVATE_PART: Final = MADE_BY_GENERATION | Rule.HIDDEN_WHEN_SENSITIVE


class Unset(Enum):
    """The default of an attribute that an object lacks unless it is given."""

    UNSET = "unset"


UNSET: Final = Unset.UNSET


@dataclass(frozen=True, slots=True)
class Use:
    """One attribute, as it appears in one kind of object. ``bits`` are its rules as a number, quicker to look at."""

    type: CKA
    rules: Rule = NONE
    default: AttributeValue | Unset = UNSET
    bits: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Work out once what every new object needs."""
        object.__setattr__(self, "bits", self.rules.value)


STORAGE: Final = (
    Use(CKA.CLASS, REQUIRED),
    Use(CKA.TOKEN, Rule.MODIFIABLE_BY_COPY, default=False),
    Use(CKA.PRIVATE, Rule.MODIFIABLE_BY_COPY | Rule.STICKY_TRUE, default=False),
    Use(CKA.MODIFIABLE, Rule.MODIFIABLE_BY_COPY, default=True),
    Use(CKA.LABEL, Rule.MODIFIABLE, default=b""),
    Use(CKA.COPYABLE, Rule.MODIFIABLE | Rule.STICKY_FALSE, default=True),
    Use(CKA.DESTROYABLE, Rule.MODIFIABLE_BY_COPY, default=True),
    Use(CKA.LOCAL, SET_BY_TOKEN, default=False),
    Use(CKA.UNIQUE_ID, SET_BY_TOKEN),
)
"""What every object has."""
