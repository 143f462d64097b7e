# SPDX-License-Identifier: Apache-2.0
"""The standards' vocabulary. No logic; imports nothing else of softee."""

from softee.names.attributes import CKA
from softee.names.flags import (
    CKS,
    CKU,
    EFFECTIVELY_INFINITE,
    UNAVAILABLE_INFORMATION,
    MechanismFlag,
    SessionFlag,
    SlotFlag,
    TokenFlag,
)
from softee.names.mechanisms import CKG, CKM, CKZ
from softee.names.objects import CKC, CKK, CKO
from softee.names.returns import CKR
from softee.names.tee import LoginMethod, Origin, ParamType, TeeResult

__all__ = [
    "CKA",
    "CKC",
    "CKG",
    "CKK",
    "CKM",
    "CKO",
    "CKR",
    "CKS",
    "CKU",
    "CKZ",
    "EFFECTIVELY_INFINITE",
    "UNAVAILABLE_INFORMATION",
    "LoginMethod",
    "MechanismFlag",
    "Origin",
    "ParamType",
    "SessionFlag",
    "SlotFlag",
    "TeeResult",
    "TokenFlag",
]
