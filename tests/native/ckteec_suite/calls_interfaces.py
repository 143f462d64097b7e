# SPDX-License-Identifier: Apache-2.0
"""The function lists of PKCS#11 2.40 to 3.2, and the interfaces that hand them out (PKCS#11 3.2 §5.4)."""

import ctypes
from collections.abc import Sequence

import pytest

from native.ckteec_suite.calls_process import file_of, function_list
from native.ckteec_suite.support import FACTS, FUNCTIONS, NULL, Library, others, pointer, ulong
from softee.names import CKR

GET_INFO = FUNCTIONS.index("C_GetInfo")
COUNTS = {(2, 40): 68, (3, 0): 92, (3, 1): 92, (3, 2): 104}
"""How many functions the list of each version has."""


class Interface(ctypes.Structure):
    _fields_ = (("name", ctypes.c_char_p), ("list", ctypes.c_void_p), ("flags", ctypes.c_ulong))

    @property
    def version(self) -> tuple[int, int]:
        major, minor = ctypes.string_at(self.list, 2)
        return major, minor

    @property
    def addresses(self) -> Sequence[int]:
        array = (ctypes.c_void_p * COUNTS[self.version]).from_address(self.list + 8)
        return [address or 0 for address in array]

    def told_version(self) -> tuple[int, int]:
        """What C_GetInfo says, which this list has."""
        info = ctypes.create_string_buffer(88)
        get_info = ctypes.CFUNCTYPE(ctypes.c_ulong, ctypes.c_void_p)(self.addresses[GET_INFO])
        assert get_info(info) == CKR.OK
        return info.raw[0], info.raw[1]


def interface(library: Library, version: tuple[int, int] | None, name: bytes | None = None) -> Interface:
    found = ctypes.POINTER(Interface)()
    asked = None if version is None else bytes(version)
    assert library.call("C_GetInterface", name, asked, pointer(found), 0) == CKR.OK
    return found.contents


def test_the_facts_have_as_many_functions() -> None:
    since = [function["since"] for function in FACTS["functions"]]
    assert [since.count("2.40"), len(since) - since.count("3.2"), len(since)] == [68, 92, 104]


def test_every_version_is_listed_with_no_flags(loaded: Library) -> None:
    count, array = ulong(), (Interface * 5)()
    assert loaded.call("C_GetInterfaceList", None, pointer(count)) == CKR.OK
    assert count.value == 4
    for too_few in (0, 3):
        count.value = too_few
        assert loaded.call("C_GetInterfaceList", array, pointer(count)) == CKR.BUFFER_TOO_SMALL
        assert (count.value, array[0].name) == (4, None)
    count.value = 5
    assert loaded.call("C_GetInterfaceList", array, pointer(count)) == CKR.OK
    assert count.value == 4
    assert {one.version for one in array[:4]} == COUNTS.keys()
    assert {(one.name, one.flags) for one in array[:4]} == {(b"PKCS 11", 0)}
    assert loaded.call("C_GetInterfaceList", array, NULL) == CKR.ARGUMENTS_BAD


@pytest.mark.parametrize("version", COUNTS)
def test_a_list_that_is_asked_for_by_version_says_that_version(library: Library, version: tuple[int, int]) -> None:
    for name in (None, b"PKCS 11"):
        found = interface(library, version, name)
        assert found.version == found.told_version() == version


def test_the_list_for_no_version_has_all_functions_and_says_2_40(library: Library) -> None:
    for name in (None, b"PKCS 11"):
        found = interface(library, None, name)
        assert (found.version, found.told_version()) == ((3, 2), (2, 40))
    assert list(function_list(library).version) == [2, 40]


@pytest.mark.parametrize("version", [None, *COUNTS])
def test_every_list_has_all_its_functions_and_they_are_ours(loaded: Library, version: tuple[int, int] | None) -> None:
    addresses = interface(loaded, version).addresses
    assert len(set(addresses)) == len(addresses)
    assert {file_of(address) for address in addresses} == {str(loaded.path)}
    assert others()


def test_the_lists_differ_in_the_function_that_tells_the_version_alone(loaded: Library) -> None:
    all_of_them = interface(loaded, (3, 2)).addresses
    for version, count in COUNTS.items():
        addresses = interface(loaded, version).addresses
        assert [i for i in range(count) if addresses[i] != all_of_them[i]] == ([] if version == (3, 2) else [GET_INFO])
    assert list(function_list(loaded).functions) == interface(loaded, (2, 40)).addresses


@pytest.mark.parametrize(
    ("name", "version", "flags"),
    [
        (None, b"\x03\x03", 0),
        (None, b"\x02\x14", 0),
        (None, b"\x00\x00", 0),
        (b"Vendor", None, 0),
        (b"PKCS 11 ", None, 0),
        (None, None, 1),
        (None, None, 2),
    ],
)
def test_what_there_is_not_is_not_found(loaded: Library, name: bytes | None, version: bytes | None, flags: int) -> None:
    found = ctypes.POINTER(Interface)()
    assert loaded.call("C_GetInterface", name, version, pointer(found), flags) == CKR.ARGUMENTS_BAD
    assert ctypes.cast(found, ctypes.c_void_p).value is None


def test_an_interface_needs_a_place(loaded: Library) -> None:
    assert loaded.call("C_GetInterface", None, None, NULL, 0) == CKR.ARGUMENTS_BAD


@pytest.mark.parametrize("name", FUNCTIONS[FUNCTIONS.index("C_LoginUser") :])
def test_no_function_of_3_x_works_before_initialization(loaded: Library, name: str) -> None:
    assert loaded.call(name, 1, *[None] * 9) == CKR.CRYPTOKI_NOT_INITIALIZED
