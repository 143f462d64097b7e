# SPDX-License-Identifier: Apache-2.0
"""The functions that name PKCS#11's numbers: OP-TEE's own, with its words for what has no name."""

import ctypes
from enum import IntEnum, IntFlag

import pytest

from native.ckteec_suite.support import UNAVAILABLE, Library
from softee.names import CKA, CKK, CKM, CKO, CKR, CKS, MechanismFlag, SessionFlag, SlotFlag, TokenFlag

Names = type[IntEnum | IntFlag]

ALL: tuple[tuple[str, Names, str, str], ...] = (
    ("ckr2str", CKR, "CKR", "Unknown ID"),
    ("ckm2str", CKM, "CKM", "Unknown ID"),
    ("cka2str", CKA, "CKA", "Unknown ID"),
    ("cko2str", CKO, "CKO", "Unknown"),
    ("ckk2str", CKK, "CKK", "Unknown"),
    ("slot_ckf2str", SlotFlag, "CKF", "Unknown flag"),
    ("token_ckf2str", TokenFlag, "CKF", "Unknown flag"),
    ("mecha_ckf2str", MechanismFlag, "CKF", "Unknown flag"),
    ("session_ckf2str", SessionFlag, "CKF", "Unknown flag"),
    ("session_cks2str", CKS, "CKS", "Unknown flag"),
)


def name_of(loaded: Library, function: str, number: int) -> str:
    told = loaded.functions[function]
    told.restype = ctypes.c_char_p
    return str(told(ctypes.c_ulong(number)).decode())


@pytest.mark.parametrize(("function", "names", "prefix", "unknown"), ALL, ids=[row[0] for row in ALL])
def test_every_number_has_the_standard_s_name_and_others_have_none(
    loaded: Library, function: str, names: Names, prefix: str, unknown: str
) -> None:
    for member in names:
        assert name_of(loaded, function, member) == f"{prefix}_{member.name}"
    for number in (0x7FFFFFF0, 2**32 + min(names)):
        assert name_of(loaded, function, number) == unknown


@pytest.mark.parametrize("function", ["ckr2str", "ckm2str", "cka2str"])
def test_a_vendor_s_number_is_called_so(loaded: Library, function: str) -> None:
    for number in (0x80001234, UNAVAILABLE):
        assert name_of(loaded, function, number) == "Vendor defined"


def test_a_word_of_several_flags_has_no_name(loaded: Library) -> None:
    assert name_of(loaded, "token_ckf2str", TokenFlag.RNG | TokenFlag.LOGIN_REQUIRED) == "Unknown flag"
