# SPDX-License-Identifier: Apache-2.0
"""PKCS#11's vocabulary, against the facts that it is made from: whole, right, and by the names that softee says."""

import importlib
import inspect
import json
import pkgutil
import re
from enum import IntEnum, IntFlag
from pathlib import Path

import pytest

import gen_names
from softee import names
from softee.names import CKA, CKG, CKK, CKM, CKP, AttributeFlag, GeneratorFunction, MechanismFlag
from softee.names import generated as generated_names
from softee.names.attribute_kinds import ATTRIBUTE_KINDS, AttributeKind

ROOT = Path(__file__).parents[2]
HEADERS = ("pkcs11.h", "pkcs11_names.gen.h")
WORDS = {"(~0UL)": 2**64 - 1}


def facts() -> dict[str, int]:
    read = json.loads((ROOT / "tools" / "pkcs11-32.json").read_text())
    tables = [*read["constants"].values(), read["mechanisms"]]
    return {name: fact["value"] for table in tables for name, fact in table.items()}


def defined() -> dict[str, int]:
    """What the C headers define, by the name in C."""
    text = "".join((ROOT / "native" / "include" / name).read_text() for name in HEADERS)
    found = re.findall(r"^#define (CK[A-Z]?_\w+) (\S+)$", text, re.MULTILINE)
    return {name: WORDS.get(value) or int(value.removesuffix("UL"), 0) for name, value in found}


def generated_enums() -> dict[str, object]:
    modules = [
        importlib.import_module(f"{generated_names.__name__}.{module.name}")
        for module in pkgutil.iter_modules(generated_names.__path__)
    ]
    return {
        name: enum
        for module in modules
        for name, enum in inspect.getmembers(module, inspect.isclass)
        if enum.__module__ == module.__name__
    }


def test_the_c_headers_have_every_constant_of_the_standard_with_its_number() -> None:
    assert defined() == facts() | {"CKM_VENDOR_DEFINED": 0x80000000}


def test_a_constant_that_is_in_no_list_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gen_names, "ADDED", {"CKF": {"CKF_NEW": 1}})
    with pytest.raises(ValueError, match="CKF_NEW must be in one list"):
        gen_names.read_facts()


def test_every_list_is_imported_from_softee_names() -> None:
    enums = generated_enums()
    assert enums
    assert {name: getattr(names, name) for name in enums} == enums
    assert set(enums) <= set(names.__all__)


@pytest.mark.parametrize(
    ("number", "name"),
    [
        (CKA.SUBPRIME_BITS, "SUB_PRIME_BITS"),
        (CKA.ECDSA_PARAMS, "EC_PARAMS"),
        (CKK.ECDSA, "EC"),
        (CKK.CAST128, "CAST5"),
        (CKM.ECDSA_KEY_PAIR_GEN, "EC_KEY_PAIR_GEN"),
        (CKM.SHA3_256_KEY_DERIVATION, "SHA3_256_KEY_DERIVE"),
        (MechanismFlag.EC_OID, "EC_NAMEDCURVE"),
        (MechanismFlag.MULTI_MESSGE, "MULTI_MESSAGE"),
    ],
)
def test_of_two_names_for_a_number_one_is_said(number: IntEnum | IntFlag, name: str) -> None:
    assert number.name == name


def test_lists_that_share_a_prefix_share_no_enum() -> None:
    assert (CKG(1).name, GeneratorFunction(1).name) == ("MGF1_SHA1", "GENERATE")
    assert (CKP(1).name, names.MlDsaParameterSet(1).name) == ("BASELINE_PROVIDER", "ML_DSA_44")


def test_what_the_standard_marks_as_an_array_is_converted_as_one() -> None:
    marked = {attribute for attribute in CKA if attribute & AttributeFlag.ARRAY_ATTRIBUTE}
    arrays = {AttributeKind.ULONG_LIST, AttributeKind.TEMPLATE}
    assert marked
    assert marked <= {attribute for attribute, kind in ATTRIBUTE_KINDS.items() if kind in arrays}
